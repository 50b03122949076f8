// The kernels' arithmetic on the host: scores, softmax and probabilities rounded tile by tile as a
// warpgroup does, partial results of key ranges joined in the kernels' order, by the same functions
// (tile_math.h). It is what runs where there is no GPU, what says how large the error of a right
// kernel is, and what tests judge without one.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attention/e4m3_tensors.h"
#include "kernels/attention/reference.h"
#include "kernels/attention/tile_math.h"

namespace checkride::kernels::attention {

// How two partials become one; `join` except in tests of what a wrong one does.
using JoinFunction = Joined (*)(float m_a, float l_a, float m_b, float l_b);
inline Joined join_on_host(float m_a, float l_a, float m_b, float l_b) {
  return join(m_a, l_a, m_b, l_b);
}

// `parts` ranges (1, 2 or 4) of `keys` keys each as in the split kernel, joined pairwise; or, with
// one part, blocks of `keys` keys taken in turn with the online softmax of the stream kernel.
struct Tiling {
  int keys = 128;
  int parts = 1;
  JoinFunction join_partials = join_on_host;
};

// Output as raw 16-bit values. Work is spread over `threads` threads by rows, with the same result
// for any count. `lse` gets the natural logarithm of each row's sum of exponentials.
std::vector<std::uint16_t> forward_host(const ForwardProblem& problem, const HostTensors& tensors,
                                        const Tiling& tiling, int threads, const Rows& rows = {},
                                        std::vector<float>* lse = nullptr);

// The same on e4m3 codes: probabilities are rounded to e4m3 times 2^8, the output is of
// problem.dtype.
std::vector<std::uint16_t> forward_host(const ForwardProblem& problem, const E4m3Host& tensors,
                                        const Tiling& tiling, int threads, const Rows& rows = {},
                                        std::vector<float>* lse = nullptr);

}  // namespace checkride::kernels::attention
