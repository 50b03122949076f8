// How two outputs of the same work differ: which elements, and by how many steps of their type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace checkride::kernels::determinism {

// The distance of two elements of 1, 2, 4 or 8 bytes, read as sign and magnitude as floating types
// are: neighbours are 1 apart, +0 and -0 are 0 apart, at most INT64_MAX. For whole numbers of one
// sign it is their difference.
std::int64_t steps_between(std::uint64_t a, std::uint64_t b, std::size_t element_bytes);

// Gathers over several outputs which elements ever differ from the first one's.
class Divergence {
 public:
  Divergence(std::vector<std::byte> first, std::size_t element_bytes);
  // An output of the same size.
  void add(std::span<const std::byte> other);

  std::span<const std::byte> first() const { return first_; }
  std::int64_t elements() const { return static_cast<std::int64_t>(differs_.size()); }
  std::int64_t diverging_elements() const;
  std::int64_t max_steps() const { return max_steps_; }
  // Elements of the first output whose every bit is set: the poison, or that very value.
  std::int64_t poisoned_elements() const;

 private:
  std::uint64_t element(std::span<const std::byte> bytes, std::size_t index) const;
  std::vector<std::byte> first_;
  std::size_t element_bytes_;
  std::vector<bool> differs_;
  std::int64_t max_steps_ = 0;
};

}  // namespace checkride::kernels::determinism
