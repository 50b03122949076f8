// What the host's attention functions share: which keys a row meets, rows dealt out to threads,
// tensors widened from 16 bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "kernels/attention/attention.h"
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

inline std::vector<float> widen(Dtype dtype, std::span<const std::uint16_t> bits) {
  std::vector<float> values(bits.size());
  std::transform(bits.begin(), bits.end(), values.begin(),
                 [&](std::uint16_t b) { return float_from_bits(dtype, b); });
  return values;
}

// A problem's sizes for walking its rows, which are numbered over batch, heads and seq.
struct HostShape {
  explicit HostShape(const ForwardProblem& problem)
      : heads(static_cast<std::size_t>(problem.heads)),
        heads_a_key_head(heads / static_cast<std::size_t>(problem.key_heads())),
        seq(static_cast<std::size_t>(problem.seq)),
        keys(static_cast<std::size_t>(problem.keys())),
        dim(static_cast<std::size_t>(problem.dim)),
        rows(static_cast<std::size_t>(problem.batch) * heads * seq),
        causal(problem.causal) {}
  std::size_t head(std::size_t row) const { return row / seq; }  // over batch and heads
  // Over batch and heads of K and V; heads that share one are neighbours.
  std::size_t key_head(std::size_t row) const { return row / seq / heads_a_key_head; }
  std::size_t first_key(std::size_t row) const { return key_head(row) * keys; }
  std::size_t visible(std::size_t row) const {
    return causal ? std::min(row % seq + 1, keys) : keys;
  }

  std::size_t heads, heads_a_key_head, seq, keys, dim, rows;
  bool causal;
};

}  // namespace checkride::kernels::attention
