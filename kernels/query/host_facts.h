// Facts of the machine around a device, read from the kernel's files: what a report still says
// where there is no device, errors of devices in the kernel's log, and whether counters may be
// read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace checkride::kernels::query {

struct HostFacts {
  std::string cpu_model;  // empty where it is not told
  int cores = 0;          // logical, of the machine
  std::uint64_t memory_bytes = 0;
  std::string kernel;  // "6.1.0-18-amd64"
};
HostFacts host_facts();

// Numbers of the Xid messages of the device at `pci_bus_id` ("00000000:1B:00.0") in a kernel log,
// in order of their first appearance, each once. Empty: of any device.
std::vector<int> xids_in(std::string_view log, std::string_view pci_bus_id);
// Those that mean broken hardware: uncorrectable memory errors, failed remaps, links, a device
// that fell off its bus or whose own processor died. The others are mostly a program's own faults.
bool of_hardware(int xid);

// The kernel's log since it started (as much as it kept, at most 32 MiB): /dev/kmsg, or the file
// named by CHECKRIDE_KERNEL_LOG. None where it may not be read.
std::optional<std::string> kernel_log();

// Whether this process may read performance counters: the driver lets everyone
// (RmProfilingAdminOnly: 0) or the process has CAP_SYS_ADMIN. `driver_params` is the text of
// /proc/driver/nvidia/params, `status` that of /proc/self/status; none where the first does not
// say.
std::optional<bool> counters_permitted(std::string_view driver_params, std::string_view status);
std::optional<bool> counters_permitted();

// Variables of the environment that change what CUDA and PyTorch do, and those named besides, as
// far as they are set; values are cut at 4096 bytes.
std::map<std::string, std::string> environment(const std::vector<std::string>& besides);

}  // namespace checkride::kernels::query
