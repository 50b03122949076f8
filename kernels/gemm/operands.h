// A problem's matrices on the device, filled, and its planned product.
#pragma once

#include <memory>

#include "kernels/cuda/check.h"
#include "kernels/gemm/cublaslt.h"
#include "kernels/gemm/device_checks.h"

namespace checkride::kernels::gemm {

struct Operands {
  static Result<Operands> make(const Problem& problem);
  Result<void> multiply(CUstream_st* stream) {
    return product->launch(a.data(), b.data(), c.data(), stream);
  }

  cuda::DeviceBuffer a, b, c;
  std::unique_ptr<Product> product;
};

}  // namespace checkride::kernels::gemm
