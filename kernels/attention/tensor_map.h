// Descriptors of the bulk tensor copy engine, made through the driver found at run time.
#pragma once

#include <cuda.h>

#include <cstdint>
#include <span>

#include "kernels/attention/attention.h"

namespace checkride::kernels::attention {

struct TensorMaps {
  CUtensorMap q, k, v;
};

// Each returns a cudaError_t; 0 is success.

// The three [heads][seq][64] tensors of 16-bit elements, read in boxes of `q_rows` and `kv_rows`
// whole rows, 128-byte swizzled.
int encode_maps(TensorMaps& maps, const ForwardProblem& problem, const ForwardTensors& tensors,
                int q_rows, int kv_rows);

// A tensor of bytes of up to five dimensions, the innermost first and contiguous; `strides` are of
// the others, in bytes. `swizzle_bytes` is 64 or 128. Bytes outside of the tensor read as 0.
int encode_bytes(CUtensorMap& map, const void* tensor, std::span<const std::uint64_t> size,
                 std::span<const std::uint64_t> strides, std::span<const std::uint32_t> box,
                 int swizzle_bytes);

}  // namespace checkride::kernels::attention
