// cuBLASLt, loaded at run time: libcublasLt.so of CUDA 13 or 12, or the file that the environment's
// CHECKRIDE_CUBLASLT names, so that programs start where there is none.
#pragma once

#include <memory>

#include "engine/base/result.h"
#include "kernels/gemm/problem.h"

struct CUstream_st;

namespace checkride::kernels::gemm {

// One matrix product, planned: C = A B of a problem's types and sizes. fp32 accumulation; sums of
// e4m3 are promoted to fp32 within the product (no fast accumulation).
class Product {
 public:
  // Errors: unavailable (no library, built without its header, no device); unsupported where it has
  // no algorithm for the problem.
  static Result<std::unique_ptr<Product>> plan(const Problem& problem);
  virtual ~Product() = default;
  // Device addresses, aligned to 256 bytes. May be captured into a graph.
  virtual Result<void> launch(const void* a, const void* b, void* c, CUstream_st* stream) = 0;
  virtual std::size_t library_version() const = 0;  // 130200 is 13.2.0
};

}  // namespace checkride::kernels::gemm
