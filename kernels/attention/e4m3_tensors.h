// Tensors in e4m3 with one scale a head: made from 16-bit ones, in the order of memory that the
// e4m3 kernel reads.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/attention/reference.h"

namespace checkride::kernels::attention {

// Codes [heads][rows][dim] and what a code's value is multiplied with, by head. A head's scale is
// that of kernels/quant/code.h. Values are divided by it.
struct E4m3Host {
  std::vector<std::uint8_t> q, k, v;
  std::vector<float> q_scale, k_scale, v_scale;
};

// `v_scale` in place of the scales found, where it is not empty.
E4m3Host quantise(const ForwardProblem& problem, const HostTensors& tensors,
                  const std::vector<float>& v_scale = {});

// [heads][seq][dim] with e4m3_rows(seq) rows a head; the rows added are 0.
std::vector<std::uint8_t> padded_rows(const std::vector<std::uint8_t>& codes, int seq, int dim);
// The same with rows and columns exchanged: [heads][dim][e4m3_rows(seq)].
std::vector<std::uint8_t> padded_transposed(const std::vector<std::uint8_t>& codes, int seq,
                                            int dim);

}  // namespace checkride::kernels::attention
