// A management library for tests: it answers as the text file named by CHECKRIDE_FAKE_NVML says,
// one "key value" a line, read anew at each call. What the file does not name is not supported;
// "init CODE" makes the library refuse to start.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace {

constexpr int success = 0;
constexpr int not_supported = 3;
constexpr int not_found = 6;
constexpr int insufficient_size = 7;

std::optional<std::string> said(const std::string& key) {
  const char* const path = std::getenv("CHECKRIDE_FAKE_NVML");
  std::ifstream file(path == nullptr ? "" : path);
  std::string line;
  while (std::getline(file, line)) {
    const auto space = line.find(' ');
    if (line.substr(0, space) == key && space != std::string::npos) return line.substr(space + 1);
  }
  return std::nullopt;
}

template <class T>
int number(const std::string& key, T* value) {
  const auto text = said(key);
  if (!text) return not_supported;
  *value = static_cast<T>(std::stoull(*text, nullptr, 0));
  return success;
}

int text(const std::string& key, char* out, unsigned bytes) {
  const auto value = said(key);
  if (!value) return not_supported;
  if (value->size() + 1 > bytes) return insufficient_size;
  std::memcpy(out, value->c_str(), value->size() + 1);
  return success;
}

using Device = void*;
using Wide = unsigned long long;

struct Memory {
  Wide total, free, used;
};
struct Utilization {
  unsigned gpu, memory;
};
struct ProcessInfo {
  unsigned pid;
  Wide used_bytes;
  unsigned gpu_instance, compute_instance;
};
struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};

int the_device = 0;

}  // namespace

extern "C" {

int nvmlInit_v2() {
  int code = success;
  number("init", &code);
  return code;
}
int nvmlShutdown() {
  return success;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  if (index != 0 || !said("uuid")) return not_found;
  *device = &the_device;
  return success;
}
int nvmlDeviceGetHandleByUUID(const char* uuid, Device* device) {
  if (said("uuid") != uuid) return not_found;
  *device = &the_device;
  return success;
}
int nvmlSystemGetDriverVersion(char* out, unsigned bytes) {
  return text("driver", out, bytes);
}
int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  return number("cuda_driver", version);
}
int nvmlDeviceGetName(Device, char* out, unsigned bytes) {
  return text("name", out, bytes);
}
int nvmlDeviceGetUUID(Device, char* out, unsigned bytes) {
  return text("uuid", out, bytes);
}
int nvmlDeviceGetPciInfo_v3(Device, PciInfo* info) {
  return text("pci_bus_id", info->bus_id, sizeof info->bus_id);
}
int nvmlDeviceGetMemoryInfo(Device, Memory* memory) {
  if (number("mem_total_bytes", &memory->total) != success) return not_supported;
  if (number("mem_used_bytes", &memory->used) != success) return not_supported;
  memory->free = memory->total - memory->used;
  return success;
}
int nvmlDeviceGetMemoryBusWidth(Device, unsigned* bits) {
  return number("mem_bus_bits", bits);
}
int nvmlDeviceGetMaxClockInfo(Device, unsigned type, unsigned* mhz) {
  return number("clock_max_" + std::to_string(type), mhz);
}
int nvmlDeviceGetClockInfo(Device, unsigned type, unsigned* mhz) {
  return number("clock_" + std::to_string(type), mhz);
}
int nvmlDeviceGetEnforcedPowerLimit(Device, unsigned* mw) {
  return number("power_limit_mw", mw);
}
int nvmlDeviceGetPowerUsage(Device, unsigned* mw) {
  return number("power_mw", mw);
}
int nvmlDeviceGetTemperature(Device, unsigned, unsigned* c) {
  return number("temp_c", c);
}
int nvmlDeviceGetCurrPcieLinkGeneration(Device, unsigned* v) {
  return number("pcie_gen", v);
}
int nvmlDeviceGetMaxPcieLinkGeneration(Device, unsigned* v) {
  return number("pcie_gen_max", v);
}
int nvmlDeviceGetCurrPcieLinkWidth(Device, unsigned* v) {
  return number("pcie_width", v);
}
int nvmlDeviceGetMaxPcieLinkWidth(Device, unsigned* v) {
  return number("pcie_width_max", v);
}
int nvmlDeviceGetEccMode(Device, unsigned* current, unsigned* pending) {
  *pending = 0;
  return number("ecc", current);
}
int nvmlDeviceGetMigMode(Device, unsigned* current, unsigned* pending) {
  *pending = 0;
  return number("mig", current);
}
int nvmlDeviceGetComputeMode(Device, unsigned* mode) {
  return number("compute_mode", mode);
}
int nvmlDeviceGetRemappedRows(Device, unsigned* corrected, unsigned* uncorrected, unsigned* pending,
                              unsigned* failed) {
  if (number("rows_corrected", corrected) != success) return not_supported;
  number("rows_uncorrected", uncorrected);
  number("rows_pending", pending);
  return number("rows_failed", failed);
}
int nvmlDeviceGetTotalEccErrors(Device, unsigned type, unsigned span, Wide* count) {
  return number("ecc_" + std::to_string(type) + std::to_string(span), count);
}
// Only the older name: a driver before 535.
int nvmlDeviceGetCurrentClocksThrottleReasons(Device, Wide* reasons) {
  return number("throttle", reasons);
}
int nvmlDeviceGetUtilizationRates(Device, Utilization* rates) {
  if (number("util_gpu", &rates->gpu) != success) return not_supported;
  return number("util_mem", &rates->memory);
}
// "processes 11:100 12:max"
int nvmlDeviceGetComputeRunningProcesses_v3(Device, unsigned* count, ProcessInfo* infos) {
  const auto listed = said("processes");
  if (!listed) return not_supported;
  std::istringstream words(*listed);
  std::string word;
  unsigned found = 0;
  while (words >> word) {
    const auto colon = word.find(':');
    const std::string bytes = word.substr(colon + 1);
    if (found < *count)
      infos[found] = {static_cast<unsigned>(std::stoul(word.substr(0, colon))),
                      bytes == "max" ? ~0ULL : std::stoull(bytes), 0, 0};
    ++found;
  }
  const bool fits = found <= *count;
  *count = found;
  return fits ? success : insufficient_size;
}

}  // extern "C"
