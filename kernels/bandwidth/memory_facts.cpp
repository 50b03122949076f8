#include "kernels/bandwidth/memory_facts.h"

#include "kernels/job/device.h"
#ifdef CR_CUDA
#include <cuda_runtime_api.h>
#endif

namespace checkride::kernels::bandwidth {

Result<MemoryFacts> memory_facts() {
  if (!device()) return tl::unexpected(device().error());
  MemoryFacts facts;
  facts.sm = device()->sm;
#ifdef CR_CUDA
  int current = 0;
  int khz = 0;
  CR_CHECK(cuda::check(cudaGetDevice(&current), "the device in use"));
  CR_CHECK(
      cuda::check(cudaDeviceGetAttribute(&facts.bus_bits, cudaDevAttrGlobalMemoryBusWidth, current),
                  "the memory's width"));
  CR_CHECK(cuda::check(cudaDeviceGetAttribute(&khz, cudaDevAttrMemoryClockRate, current),
                       "the memory's clock"));
  facts.clock_mhz = khz / 1000;
#endif
  return facts;
}

}  // namespace checkride::kernels::bandwidth
