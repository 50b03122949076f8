// The kernels' arithmetic on the host: scores, softmax and probabilities rounded tile by tile as a
// warpgroup does, partial results of key ranges joined in the kernels' order, by the same functions
// (tile_math.h). It is what runs where there is no GPU, and what tests judge without one.
#pragma once

#include <cstdint>
#include <vector>

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
// Output as raw 16-bit values. Work is spread over `threads` threads by rows, with the same result
// for any count.
std::vector<std::uint16_t> forward_host(const ForwardProblem& problem, const HostTensors& tensors,
                                        int keys, int parts, int threads,
                                        JoinFunction join_partials = join_on_host);

}  // namespace checkride::kernels::attention
