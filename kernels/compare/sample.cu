#include "kernels/compare/sample.h"

#include <cuda_runtime.h>

#include "kernels/compare/types.h"
#include "kernels/cuda/check.h"

namespace checkride::kernels::compare {
namespace {

template <class T>
__global__ void fill(typename T::Bits* actual, typename T::Bits* expected, std::uint64_t n,
                     std::uint64_t seed, Relation relation) {
  const std::uint64_t lanes = static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
  for (std::uint64_t i = static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < n;
       i += lanes) {
    expected[i] = sample_expected<T>(seed, i);
    actual[i] = sample_actual<T>(seed, i, relation);
  }
}

}  // namespace

Result<void> fill_samples(ElementType type, void* actual, void* expected, std::uint64_t n,
                          std::uint64_t seed, Relation relation) {
  with_types(type, type, [&]<class A, class>() {
    fill<A><<<2048, 256>>>(static_cast<typename A::Bits*>(actual),
                           static_cast<typename A::Bits*>(expected), n, seed, relation);
  });
  CR_CHECK(cuda::check(cudaGetLastError(), "queue the filling of samples"));
  return cuda::synchronize();
}

}  // namespace checkride::kernels::compare
