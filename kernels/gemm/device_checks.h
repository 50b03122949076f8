// Matrices of a problem on the device: filling them, and what the checks need of C. Everything is
// queued on the default stream; what returns values waits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/gemm/abft.h"
#include "kernels/gemm/freivalds.h"

namespace checkride::kernels::gemm {

Result<void> fill_matrix(const Problem& problem, Matrix matrix, void* to);

// expected_sums() on the device: the same numbers.
Result<Sums> expected_sums_on_device(const Problem& problem);

// The check of each product: sums over C and what differs from the expected ones.
class DeviceAbft {
 public:
  static Result<DeviceAbft> prepare(const Problem& problem);
  // Of C in fp32 at this address. observed_sums() and suspects_of() in one.
  struct Found {
    Suspects suspects;
    std::int64_t nan_count = 0;
    std::int64_t inf_count = 0;
  };
  Result<Found> check(const float* c);

 private:
  Problem problem_;
  cuda::DeviceBuffer expected_;  // [m + n] int64: rows, then columns
  cuda::DeviceBuffer observed_;  // [m + n] int64, then [m + n] int32 marks, then the counts
};

// products_of() for all rows of C in fp32, and products_expected(), on the device.
Result<RowProducts> products_on_device(const Problem& problem, const float* c);
Result<std::vector<double>> products_expected_on_device(const Problem& problem);

struct NotFinite {
  std::int64_t nan_count = 0;
  std::int64_t inf_count = 0;
};
// Of C in the problem's output type.
Result<NotFinite> not_finite_in(const Problem& problem, const void* c);

}  // namespace checkride::kernels::gemm
