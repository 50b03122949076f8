#include "kernels/query/attributes.h"

#include <cuda_runtime.h>

#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/query/smoke_math.h"

namespace checkride::kernels::query {
namespace {

using cuda::check;

constexpr unsigned threads = 256;

__global__ void query_smoke(unsigned long long* out) {
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  out[thread] = smoke_value(thread);
}

}  // namespace

Result<void> use_device(int index) {
  int count = 0;
  CR_CHECK(check(cudaGetDeviceCount(&count), "no CUDA device can be used"));
  if (index < 0 || index >= count)
    return fail(ErrorCode::invalid_argument,
                "device is " + std::to_string(index) + "; there are " + std::to_string(count));
  return check(cudaSetDevice(index), "the CUDA device cannot be used");
}

Result<Attributes> attributes() {
  CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
  Attributes all;
  all.name = facts.name;
  all.uuid = facts.uuid;
  all.sm = facts.sm;
  all.sm_count = facts.multiprocessors;
  all.l2_bytes = facts.l2_bytes;
  all.cuda_driver = facts.driver;
  all.cuda_runtime = facts.runtime;
  int device = 0;
  CR_CHECK(check(cudaGetDevice(&device), "the device in use"));
  // An attribute that a driver does not know is 0.
  const auto attribute = [device](cudaDeviceAttr which) {
    int value = 0;
    if (cudaDeviceGetAttribute(&value, which, device) != cudaSuccess) {
      static_cast<void>(cudaGetLastError());
      return 0;
    }
    return value;
  };
  all.smem_optin_bytes =
      static_cast<std::uint64_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
  all.mem_bus_bits = attribute(cudaDevAttrGlobalMemoryBusWidth);
  all.sm_clock_mhz = attribute(cudaDevAttrClockRate) / 1000;
  all.mem_clock_mhz = attribute(cudaDevAttrMemoryClockRate) / 1000;
  all.compute_mode = attribute(cudaDevAttrComputeMode);
  all.pageable_access = attribute(cudaDevAttrPageableMemoryAccess) != 0;
  all.pageable_uses_host_tables = attribute(cudaDevAttrPageableMemoryAccessUsesHostPageTables) != 0;
  all.concurrent_managed = attribute(cudaDevAttrConcurrentManagedAccess) != 0;
  std::size_t free = 0;
  std::size_t total = 0;
  CR_CHECK(check(cudaMemGetInfo(&free, &total), "the device's memory"));
  all.mem_free_bytes = free;
  all.mem_total_bytes = total;
  return all;
}

Result<bool> smoke_kernel() {
  CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
  const auto blocks = static_cast<unsigned>(facts.multiprocessors) * 4;
  std::vector<unsigned long long> answers(blocks * threads);
  CR_TRY(cuda::DeviceBuffer buffer,
         cuda::DeviceBuffer::allocate(answers.size() * sizeof answers[0]));
  CR_CHECK(buffer.fill(0xff));
  cudaStream_t stream = nullptr;
  CR_CHECK(check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create a stream"));
  query_smoke<<<blocks, threads, 0, stream>>>(static_cast<unsigned long long*>(buffer.data()));
  const int launched = cudaGetLastError();
  const int ended = cudaStreamSynchronize(stream);
  static_cast<void>(cudaStreamDestroy(stream));
  CR_CHECK(check(launched, "start the smoke kernel"));
  CR_CHECK(check(ended, "run the smoke kernel"));
  CR_CHECK(buffer.download(answers.data()));
  for (unsigned thread = 0; thread < answers.size(); ++thread)
    if (answers[thread] != smoke_value(thread)) return false;
  return true;
}

}  // namespace checkride::kernels::query
