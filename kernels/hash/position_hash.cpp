#include "kernels/hash/position_hash.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

namespace checkride::kernels {

namespace {

std::uint64_t sum_of(std::span<const std::byte> bytes, std::size_t first_word, std::size_t words) {
  std::uint64_t sum = 0;
  for (std::size_t i = first_word; i < first_word + words; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i * 8, std::min<std::size_t>(8, bytes.size() - i * 8));
    sum += mixed_word(word, i);
  }
  return sum;
}

}  // namespace

std::uint64_t position_hash(std::span<const std::byte> bytes) {
  const std::size_t words = (bytes.size() + 7) / 8;
  constexpr std::size_t words_per_thread = std::size_t{1} << 17;
  const std::size_t threads = std::clamp<std::size_t>(
      words / words_per_thread, 1, std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::uint64_t> sums(threads);
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) {
      others.emplace_back([&, i] {
        const std::size_t begin = words * i / threads;
        sums[i] = sum_of(bytes, begin, words * (i + 1) / threads - begin);
      });
    }
    sums[0] = sum_of(bytes, 0, words / threads);
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t part : sums) sum += part;
  return finished_hash(sum, bytes.size());
}

}  // namespace checkride::kernels
