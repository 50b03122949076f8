// The bootstrap's kernel as something to queue on a stream: what bootstrap_device does once and
// tests time by graph replay. A warp does a replicate; the draws never leave its registers.
#pragma once

#include "kernels/cuda/check.h"
#include "kernels/statistics/bootstrap.h"

struct CUstream_st;

namespace checkride::kernels::statistics {

struct DeviceTables {
  cuda::DeviceBuffer ranks[2];
};
Result<DeviceTables> upload_tables(const BootstrapInput& input);

// `picks`: room for one word per replicate on the device. Errors: invalid_argument, and CUDA's.
Result<void> launch_bootstrap(const BootstrapInput& input, const DeviceTables& tables,
                              std::uint32_t replicates, std::uint32_t* picks, CUstream_st* stream);

}  // namespace checkride::kernels::statistics
