// How much device memory a command's processes hold and how busy the device is, asked of NVML while
// the command runs. Nothing where there is no NVML, no device, or the driver does not tell (inside
// a container it may number processes in its own way).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace checkride::kernels::process {

struct GpuUse {
  std::string device_uuid;                      // empty: no device was watched
  std::optional<std::uint64_t> peak_hbm_bytes;  // the most at one moment, all processes together
  std::optional<double> util_pct_mean;          // share of time in which a kernel ran
};

class GpuWatch {
 public:
  // Of the first device that CUDA_VISIBLE_DEVICES allows.
  GpuWatch();
  GpuWatch(const GpuWatch&) = delete;
  GpuWatch& operator=(const GpuWatch&) = delete;
  ~GpuWatch();

  void look(const std::set<int>& pids);
  GpuUse use() const;

 private:
  struct Watched;
  std::unique_ptr<Watched> watched_;  // null: nothing to watch
};

}  // namespace checkride::kernels::process
