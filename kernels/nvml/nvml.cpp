#include "kernels/nvml/nvml.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>

namespace checkride::kernels::nvml {

namespace {

// The C interface, as far as it is used: every function returns a code, 0 for success; a device is
// an opaque pointer; versions in a name (_v2) fix the layout of its structures.
using Handle = void*;
constexpr int success = 0;
constexpr int insufficient_size = 7;
constexpr int function_not_found = 13;

struct Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;
};
struct ProcessInfo {  // of nvmlDeviceGetComputeRunningProcesses_v3
  unsigned pid;
  unsigned long long used_bytes;
  unsigned gpu_instance, compute_instance;
};
struct PciInfo {  // of nvmlDeviceGetPciInfo_v3
  char bus_id_legacy[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
};
constexpr unsigned clock_sm = 1;
constexpr unsigned clock_mem = 2;
constexpr unsigned sensor_gpu = 0;
constexpr unsigned long long not_available = ~0ULL;
constexpr unsigned text_bytes = 96;

template <class T, class From>
std::optional<T> as(const std::optional<From>& value) {
  if (!value) return std::nullopt;
  return static_cast<T>(*value);
}

std::optional<double> thousandths(const std::optional<unsigned>& value) {
  if (!value) return std::nullopt;
  return static_cast<double>(*value) / 1000.0;
}

}  // namespace

struct Device::Loaded {
  void* library = nullptr;
  bool initialised = false;
  Handle device = nullptr;

  Loaded() = default;
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() {
    if (initialised) call("nvmlShutdown");
    if (library != nullptr) dlclose(library);
  }

  // The arguments' types, exactly as given, are the function's.
  template <class... Arguments>
  int call(const char* name, Arguments... arguments) const {
    void* const found = dlsym(library, name);
    if (found == nullptr) return function_not_found;
    return reinterpret_cast<int (*)(Arguments...)>(found)(arguments...);
  }

  // Of the device, after the selectors: one value by pointer.
  template <class T, class... Selectors>
  std::optional<T> get(const char* name, Selectors... selectors) const {
    T value{};
    if (call(name, device, selectors..., &value) != success) return std::nullopt;
    return value;
  }

  // Of the device: two values by pointer, of which the first is wanted.
  std::optional<unsigned> first_of_two(const char* name) const {
    unsigned current = 0;
    unsigned pending = 0;
    if (call(name, device, &current, &pending) != success) return std::nullopt;
    return current;
  }

  std::string device_text(const char* name) const {
    std::array<char, text_bytes> text{};
    if (call(name, device, text.data(), text_bytes) != success) return {};
    text.back() = '\0';
    return text.data();
  }
};

Device::Device(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
Device::Device(Device&&) noexcept = default;
Device& Device::operator=(Device&&) noexcept = default;
Device::~Device() = default;

Result<Device> Device::open(std::string_view uuid) {
  const char* const named = std::getenv("CHECKRIDE_NVML");
  const std::string path = named != nullptr && *named != '\0' ? named : "libnvidia-ml.so.1";
  auto loaded = std::make_unique<Loaded>();
  loaded->library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded->library == nullptr)
    return fail(ErrorCode::unavailable,
                "NVML cannot be loaded from " + path + "; install the NVIDIA driver");
  if (const int code = loaded->call("nvmlInit_v2"); code != success)
    return fail(ErrorCode::unavailable, "NVML does not start: code " + std::to_string(code) +
                                            (code == 9 ? " (no NVIDIA driver is loaded)" : ""));
  loaded->initialised = true;
  const std::string wanted(uuid);
  const int code = wanted.empty()
                       ? loaded->call("nvmlDeviceGetHandleByIndex_v2", 0U, &loaded->device)
                       : loaded->call("nvmlDeviceGetHandleByUUID", wanted.c_str(), &loaded->device);
  if (code != success)
    return fail(ErrorCode::unavailable, "NVML has no device " +
                                            (wanted.empty() ? std::string("0") : wanted) +
                                            ": code " + std::to_string(code));
  return Device(std::move(loaded));
}

Facts Device::facts() const {
  const Loaded& nvml = *loaded_;
  Facts facts;
  facts.name = nvml.device_text("nvmlDeviceGetName");
  facts.uuid = nvml.device_text("nvmlDeviceGetUUID");
  if (const auto pci = nvml.get<PciInfo>("nvmlDeviceGetPciInfo_v3")) {
    const std::string_view id(pci->bus_id, sizeof pci->bus_id);
    facts.pci_bus_id = id.substr(0, id.find('\0'));
  }
  std::array<char, text_bytes> driver{};
  if (nvml.call("nvmlSystemGetDriverVersion", driver.data(), text_bytes - 1) == success)
    facts.driver = driver.data();
  int cuda = 0;
  if (nvml.call("nvmlSystemGetCudaDriverVersion_v2", &cuda) == success) facts.cuda_driver = cuda;
  if (const auto memory = nvml.get<Memory>("nvmlDeviceGetMemoryInfo"))
    facts.mem_total_bytes = memory->total;
  const auto number = [&](const char* name) { return as<int>(nvml.get<unsigned>(name)); };
  facts.mem_bus_bits = number("nvmlDeviceGetMemoryBusWidth");
  facts.sm_clock_max_mhz = as<int>(nvml.get<unsigned>("nvmlDeviceGetMaxClockInfo", clock_sm));
  facts.mem_clock_max_mhz = as<int>(nvml.get<unsigned>("nvmlDeviceGetMaxClockInfo", clock_mem));
  facts.power_limit_w = thousandths(nvml.get<unsigned>("nvmlDeviceGetEnforcedPowerLimit"));
  facts.pcie_gen_now = number("nvmlDeviceGetCurrPcieLinkGeneration");
  facts.pcie_gen_max = number("nvmlDeviceGetMaxPcieLinkGeneration");
  facts.pcie_width_now = number("nvmlDeviceGetCurrPcieLinkWidth");
  facts.pcie_width_max = number("nvmlDeviceGetMaxPcieLinkWidth");
  facts.ecc_mode = as<bool>(nvml.first_of_two("nvmlDeviceGetEccMode"));
  facts.mig = as<bool>(nvml.first_of_two("nvmlDeviceGetMigMode"));
  facts.compute_mode = number("nvmlDeviceGetComputeMode");
  unsigned corrected = 0;
  unsigned uncorrected = 0;
  unsigned pending = 0;
  unsigned failed = 0;
  if (nvml.call("nvmlDeviceGetRemappedRows", nvml.device, &corrected, &uncorrected, &pending,
                &failed) == success)
    facts.rows = RemappedRows{static_cast<int>(corrected), static_cast<int>(uncorrected),
                              pending != 0, failed != 0};
  return facts;
}

Sample Device::sample() const {
  const Loaded& nvml = *loaded_;
  Sample sample;
  sample.power_w = thousandths(nvml.get<unsigned>("nvmlDeviceGetPowerUsage"));
  sample.temp_c = as<int>(nvml.get<unsigned>("nvmlDeviceGetTemperature", sensor_gpu));
  sample.sm_clock_mhz = as<int>(nvml.get<unsigned>("nvmlDeviceGetClockInfo", clock_sm));
  sample.mem_clock_mhz = as<int>(nvml.get<unsigned>("nvmlDeviceGetClockInfo", clock_mem));
  // The second name is that of drivers before 535.
  for (const char* name :
       {"nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons"})
    if (!sample.throttle_reasons)
      sample.throttle_reasons = as<std::uint64_t>(nvml.get<unsigned long long>(name));
  if (const auto memory = nvml.get<Memory>("nvmlDeviceGetMemoryInfo")) {
    sample.memory_used_bytes = memory->used;
    sample.memory_free_bytes = memory->free;
  }
  if (const auto utilization = nvml.get<Utilization>("nvmlDeviceGetUtilizationRates")) {
    sample.gpu_util_pct = static_cast<int>(utilization->gpu);
    sample.mem_util_pct = static_cast<int>(utilization->memory);
  }
  return sample;
}

EccCounts Device::ecc() const {
  const auto count = [&](unsigned type, unsigned span) {
    return as<std::uint64_t>(
        loaded_->get<unsigned long long>("nvmlDeviceGetTotalEccErrors", type, span));
  };
  // type: 0 corrected, 1 uncorrected; span: 0 volatile, 1 aggregate
  return {count(0, 0), count(1, 0), count(0, 1), count(1, 1)};
}

std::optional<std::vector<ProcessMemory>> Device::processes() const {
  constexpr unsigned most = 1024;
  std::vector<ProcessInfo> infos(most);
  unsigned count = most;
  const int code = loaded_->call("nvmlDeviceGetComputeRunningProcesses_v3", loaded_->device, &count,
                                 infos.data());
  if (code != success && code != insufficient_size) return std::nullopt;
  infos.resize(code == success && count < most ? count : most);
  std::vector<ProcessMemory> processes;
  for (const ProcessInfo& info : infos)
    processes.push_back({info.pid, info.used_bytes == not_available ? 0 : info.used_bytes});
  return processes;
}

std::vector<std::string> throttle_names(std::uint64_t reasons) {
  constexpr std::array<std::string_view, 9> names = {"gpu_idle",
                                                     "applications_clocks_setting",
                                                     "sw_power_cap",
                                                     "hw_slowdown",
                                                     "sync_boost",
                                                     "sw_thermal_slowdown",
                                                     "hw_thermal_slowdown",
                                                     "hw_power_brake_slowdown",
                                                     "display_clock_setting"};
  constexpr std::string_view digits = "0123456789abcdef";
  std::vector<std::string> found;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if (((reasons >> bit) & 1) == 0) continue;
    if (bit < names.size()) {
      found.emplace_back(names[bit]);
      continue;
    }
    found.push_back("0x" + std::string(1, digits[1U << (bit % 4)]) + std::string(bit / 4, '0'));
  }
  return found;
}

}  // namespace checkride::kernels::nvml
