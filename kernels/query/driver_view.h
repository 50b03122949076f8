// What the driver tells of a device, from the management library or, where that is silent, from the
// text of nvidia-smi.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "kernels/nvml/nvml.h"

namespace checkride::kernels::query {

struct DriverView {
  nvml::Facts facts;
  nvml::Sample sample;
  nvml::EccCounts ecc;
  std::vector<std::string> sources;  // "nvml", "nvidia-smi"
};

// The row of the device `uuid` (empty: the first) in what smi_query() prints: CSV with a line of
// names, without units. A value in brackets ("[N/A]") or one that is no number is absent. Errors:
// invalid_argument (not such a text), not_found (no such row).
Result<DriverView> parse_smi(std::string_view csv, std::string_view uuid);

// Runs nvidia-smi (or the program named by CHECKRIDE_NVIDIA_SMI) for at most 10 seconds. Error:
// unavailable.
Result<std::string> smi_query();

// The library's view of the device, completed by nvidia-smi where health or clocks are not told.
// Error: unavailable, where neither tells anything.
Result<DriverView> driver_view(std::string_view uuid);

}  // namespace checkride::kernels::query
