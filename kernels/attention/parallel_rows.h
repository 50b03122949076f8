// What the host's attention functions share: rows dealt out to threads, tensors widened from 16
// bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "kernels/math/half.h"

namespace checkride::kernels::attention {

// Calls body(row) for every row of every head, rows dealt out in contiguous runs.
inline void for_rows(std::size_t rows, int threads, const std::function<void(std::size_t)>& body) {
  const auto workers = static_cast<std::size_t>(std::clamp(threads, 1, 256));
  const auto run = [&](std::size_t worker) {
    for (std::size_t row = rows * worker / workers; row < rows * (worker + 1) / workers; ++row)
      body(row);
  };
  std::vector<std::thread> pool;
  for (std::size_t worker = 1; worker < workers; ++worker) pool.emplace_back(run, worker);
  run(0);
  for (std::thread& thread : pool) thread.join();
}

template <class Real>
std::vector<Real> widen(Dtype dtype, std::span<const std::uint16_t> bits) {
  std::vector<Real> values(bits.size());
  std::transform(bits.begin(), bits.end(), values.begin(),
                 [&](std::uint16_t b) { return static_cast<Real>(float_from_bits(dtype, b)); });
  return values;
}

}  // namespace checkride::kernels::attention
