// Descriptors of the bulk tensor copy engine, made through the driver found at run time.
#pragma once

#include <cuda.h>

#include "kernels/math/half.h"

namespace checkride::kernels::attention {

// A [heads][seq][64] tensor read in boxes of `box_rows` whole rows, 128-byte swizzled. Returns a
// cudaError_t; 0 is success.
int encode_map(CUtensorMap& map, const void* tensor, Dtype dtype, int heads, int seq, int box_rows);

}  // namespace checkride::kernels::attention
