#include "kernels/determinism/divergence.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace checkride::kernels::determinism {

std::int64_t steps_between(std::uint64_t a, std::uint64_t b, std::size_t element_bytes) {
  const auto sign = std::uint64_t{1} << (element_bytes * 8 - 1);
  const std::uint64_t x = a & (sign - 1), y = b & (sign - 1);
  const bool same_side = (a & sign) == (b & sign);
  const std::uint64_t steps = same_side ? (x > y ? x - y : y - x) : x + y;
  return static_cast<std::int64_t>(
      std::min<std::uint64_t>(steps, std::numeric_limits<std::int64_t>::max()));
}

Divergence::Divergence(std::vector<std::byte> first, std::size_t element_bytes)
    : first_(std::move(first)),
      element_bytes_(element_bytes),
      differs_(first_.size() / element_bytes) {}

std::uint64_t Divergence::element(std::span<const std::byte> bytes, std::size_t index) const {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + index * element_bytes_, element_bytes_);
  return value;
}

void Divergence::add(std::span<const std::byte> other) {
  const std::size_t count = std::min(first_.size(), other.size()) / element_bytes_;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t a = element(first_, i), b = element(other, i);
    if (a == b) continue;
    differs_[i] = true;
    max_steps_ = std::max(max_steps_, steps_between(a, b, element_bytes_));
  }
}

std::int64_t Divergence::diverging_elements() const {
  return std::count(differs_.begin(), differs_.end(), true);
}

std::int64_t Divergence::poisoned_elements() const {
  const std::uint64_t poison =
      element_bytes_ == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << element_bytes_ * 8) - 1;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < differs_.size(); ++i)
    if (element(first_, i) == poison) ++count;
  return count;
}

}  // namespace checkride::kernels::determinism
