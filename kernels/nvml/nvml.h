// What NVIDIA's management library (NVML) tells of a device: facts, health, and samples of power,
// temperature, clocks and memory. The library is loaded at run time (libnvidia-ml.so.1, or the file
// named by the environment's CHECKRIDE_NVML), with our own declarations of the C interface, so that
// programs build and start where there is none. Nothing here changes a setting of a device.
//
// A value the driver does not give (not supported, not permitted, a function it lacks) is absent;
// that is never an error. Errors of open(): unavailable (no library, no driver, no such device).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace checkride::kernels::nvml {

// What changes from one moment to the next.
struct Sample {
  std::optional<double> power_w;
  std::optional<int> temp_c;
  std::optional<int> sm_clock_mhz;
  std::optional<int> mem_clock_mhz;
  std::optional<std::uint64_t> throttle_reasons;  // bits of Throttle
  std::optional<std::uint64_t> memory_used_bytes;
  std::optional<std::uint64_t> memory_free_bytes;
  std::optional<int> gpu_util_pct;  // share of the last period in which a kernel ran
  std::optional<int> mem_util_pct;  // share in which memory was read or written
};

// Errors that ECC saw, over all memories of the device; since the driver loaded (volatile) and over
// the device's life (aggregate).
struct EccCounts {
  std::optional<std::uint64_t> corrected_volatile;
  std::optional<std::uint64_t> uncorrected_volatile;
  std::optional<std::uint64_t> corrected_aggregate;
  std::optional<std::uint64_t> uncorrected_aggregate;
};

struct RemappedRows {
  int corrected = 0;
  int uncorrected = 0;
  bool pending = false;  // takes effect at the next reset
  bool failed = false;   // a row could not be replaced
};

struct Facts {
  std::string name;
  std::string uuid;                // "GPU-0123..."
  std::string pci_bus_id;          // "00000000:1B:00.0"
  std::string driver;              // "580.95.05"
  std::optional<int> cuda_driver;  // highest CUDA version of the driver, e.g. 13000
  std::optional<std::uint64_t> mem_total_bytes;
  std::optional<int> mem_bus_bits;
  std::optional<int> sm_clock_max_mhz;
  std::optional<int> mem_clock_max_mhz;
  std::optional<double> power_limit_w;  // the limit in force
  std::optional<int> pcie_gen_now, pcie_gen_max;
  std::optional<int> pcie_width_now, pcie_width_max;
  std::optional<bool> ecc_mode;
  std::optional<RemappedRows> rows;
  std::optional<bool> mig;
  std::optional<int> compute_mode;  // 0 default, 2 prohibited, 3 one process at a time
};

struct ProcessMemory {
  std::uint32_t pid = 0;  // as the driver sees it: outside of a container's own numbering
  std::uint64_t bytes = 0;
};

// Bits of Sample::throttle_reasons, the names those of the library in snake case.
enum Throttle : std::uint64_t {
  gpu_idle = 0x1,
  applications_clocks_setting = 0x2,
  sw_power_cap = 0x4,
  hw_slowdown = 0x8,
  sync_boost = 0x10,
  sw_thermal_slowdown = 0x20,
  hw_thermal_slowdown = 0x40,
  hw_power_brake_slowdown = 0x80,
  display_clock_setting = 0x100,
};
// Reasons under which a figure of speed says nothing of the code: too hot, or power withdrawn. The
// power cap is not among them: a long matrix product on a healthy device reaches it.
inline constexpr std::uint64_t unhealthy_throttle =
    hw_slowdown | sw_thermal_slowdown | hw_thermal_slowdown | hw_power_brake_slowdown;
// "sw_thermal_slowdown"...; a bit without a name becomes "0x200".
std::vector<std::string> throttle_names(std::uint64_t reasons);

// One device of the library, which is kept loaded and initialised as long. Every function may be
// called from any thread; each asks the driver anew and takes from microseconds to a few
// milliseconds.
class Device {
 public:
  // The device of this UUID as CUDA gives it; empty: the library's first.
  static Result<Device> open(std::string_view uuid = {});
  Device(Device&&) noexcept;
  Device& operator=(Device&&) noexcept;
  ~Device();

  Facts facts() const;
  Sample sample() const;
  EccCounts ecc() const;
  // Compute processes on the device, at most 1024; absent where the driver does not say. A process
  // whose memory is not told (no permission) counts with 0 bytes.
  std::optional<std::vector<ProcessMemory>> processes() const;

 private:
  struct Loaded;
  explicit Device(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace checkride::kernels::nvml
