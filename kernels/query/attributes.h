// What CUDA's runtime tells of the device in use, and a first kernel on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/result.h"

namespace checkride::kernels::query {

struct Attributes {
  std::string name;
  std::string uuid;  // "GPU-..."
  int sm = 0;
  int sm_count = 0;
  std::uint64_t l2_bytes = 0;
  std::uint64_t smem_optin_bytes = 0;  // shared memory a block may ask for
  std::uint64_t mem_total_bytes = 0;
  std::uint64_t mem_free_bytes = 0;
  int mem_bus_bits = 0;
  int sm_clock_mhz = 0;   // 0: not told
  int mem_clock_mhz = 0;  // 0: not told
  int compute_mode = 0;
  int cuda_driver = 0;                     // 13000
  int cuda_runtime = 0;                    // 13000
  bool pageable_access = false;            // the device reads plain host memory
  bool pageable_uses_host_tables = false;  // through the host's page tables
  bool concurrent_managed = false;
};

#ifdef CR_CUDA
// Makes `index` the device in use. Errors: invalid_argument (no such device), unavailable.
Result<void> use_device(int index);
Result<Attributes> attributes();
// Runs a small kernel on every multiprocessor and compares each of its answers with the host's.
// Error: internal (the kernel did not run).
Result<bool> smoke_kernel();
#endif

}  // namespace checkride::kernels::query
