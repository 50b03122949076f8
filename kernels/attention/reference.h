// Attention forward on the host, naively and in fp64: the oracle the kernels are judged by, and the
// same formula with every intermediate rounded to the tensors' type, whose error says what that
// type can give. Pure functions; work is spread over `threads` threads by rows, with the same
// result for any count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/attention/attention.h"

namespace checkride::kernels::attention {

// Tensors as raw 16-bit values of problem.dtype: q is [batch, heads, seq, dim], k and v are [batch,
// key_heads, keys, dim].
struct HostTensors {
  std::vector<std::uint16_t> q, k, v;
};

std::size_t element_count(const ForwardProblem& problem);      // of q and of the output
std::size_t key_element_count(const ForwardProblem& problem);  // of k and of v

// Standard normal values, the same for the same seed everywhere.
HostTensors random_tensors(const ForwardProblem& problem, std::uint64_t seed);

// Rows to compute, numbered over batch, heads and seq; all where there are none. Results hold the
// chosen rows alone, in their order.
using Rows = std::vector<std::size_t>;

struct Reference {
  std::vector<double> out;
  std::vector<double> lse;  // natural logarithm of the sum of exp(scaled score), a row
};
Reference forward_reference(const ForwardProblem& problem, const HostTensors& tensors, int threads,
                            const Rows& rows = {});
// Scores and probabilities rounded to problem.dtype, sums in fp32, as a framework's unfused
// attention.
std::vector<float> forward_rounded(const ForwardProblem& problem, const HostTensors& tensors,
                                   int threads, const Rows& rows = {});

// FlashAttention's rule: err_max <= err_budget, where err_budget is twice the error of the unfused
// low-precision result plus twice what rounding does to the reference (r + 0.3 - 0.3 against r).
struct ErrorBudget {
  double err_max = 0.0;
  double err_budget = 0.0;
  double rel_fro = 0.0;              // |actual - reference| / |reference|
  std::size_t nan = 0;               // elements that are not finite
  std::size_t unwritten = 0;         // elements still holding the poison 0xffff
  std::size_t mismatch_1e3_2e3 = 0;  // |actual - reference| > 2e-3 + 1e-3 |reference|
  bool passes() const { return nan == 0 && unwritten == 0 && err_max <= err_budget; }
};
inline constexpr std::uint16_t poison = 0xffff;  // a NaN in both types
ErrorBudget error_budget(const ForwardProblem& problem, std::span<const double> reference,
                         std::span<const float> rounded, std::span<const std::uint16_t> actual);

}  // namespace checkride::kernels::attention
