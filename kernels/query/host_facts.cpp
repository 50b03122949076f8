#include "kernels/query/host_facts.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/base/files.h"

namespace checkride::kernels::query {

namespace {

constexpr std::size_t log_bytes_max = 32U << 20;
constexpr std::size_t value_bytes_max = 4096;

// The rest of the first line that begins with `key`, after colon and blanks; none: no such line.
std::optional<std::string> line_of(std::string_view text, std::string_view key) {
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    if (!std::string_view(line).starts_with(key)) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto value = line.find_first_not_of(" \t", colon + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return std::nullopt;
}

// Not read_file: files of /proc have no size.
std::string text_of(const char* path, std::size_t bytes_max) {
  std::ifstream file(path);
  std::string text(bytes_max, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes_max));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lowered;
}

}  // namespace

HostFacts host_facts() {
  HostFacts facts;
  facts.cpu_model = line_of(text_of("/proc/cpuinfo", 65536), "model name").value_or("");
  facts.cores = static_cast<int>(std::thread::hardware_concurrency());
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long page_bytes = sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0)
    facts.memory_bytes = static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_bytes);
  utsname names{};
  if (uname(&names) == 0) facts.kernel = names.release;
  return facts;
}

std::vector<int> xids_in(std::string_view log, std::string_view pci_bus_id) {
  // The log writes "Xid (PCI:0000:1b:00): 79, ..." with four digits of domain and no function.
  std::string device = lower(pci_bus_id);
  if (const auto colon = device.find(':'); colon != std::string::npos && colon > 4)
    device.erase(0, colon - 4);
  if (const auto dot = device.find('.'); dot != std::string::npos) device.erase(dot);
  constexpr std::string_view mark = "Xid (PCI:";
  std::vector<int> found;
  for (auto at = log.find(mark); at != std::string_view::npos; at = log.find(mark, at + 1)) {
    const std::string_view rest = log.substr(at + mark.size());
    const auto end = rest.find("): ");
    if (end == std::string_view::npos || end > 32) continue;
    if (!device.empty() && lower(rest.substr(0, end)) != device) continue;
    const std::string_view digits = rest.substr(end + 3, 8);
    int xid = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), xid).ec != std::errc())
      continue;
    if (std::ranges::find(found, xid) == found.end()) found.push_back(xid);
  }
  return found;
}

bool of_hardware(int xid) {
  constexpr std::array<int, 11> broken = {48, 62, 64, 74, 79, 92, 94, 95, 119, 120, 140};
  return std::ranges::find(broken, xid) != broken.end();
}

std::optional<std::string> kernel_log() {
  const char* const named = std::getenv("CHECKRIDE_KERNEL_LOG");
  const FileDescriptor file(
      open(named != nullptr ? named : "/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string log;
  std::array<char, 16384> record{};  // /dev/kmsg gives one record a read
  while (log.size() < log_bytes_max) {
    const ssize_t count = read(file.get(), record.data(), record.size());
    if (count < 0 && (errno == EPIPE || errno == EINTR)) continue;  // records were overwritten
    if (count < 0 && errno != EAGAIN) return std::nullopt;
    if (count <= 0) break;
    log.append(record.data(), static_cast<std::size_t>(count));
  }
  return log;
}

std::optional<bool> counters_permitted(std::string_view driver_params, std::string_view status) {
  constexpr unsigned cap_sys_admin = 21;
  const auto admin_only = line_of(driver_params, "RmProfilingAdminOnly");
  if (!admin_only) return std::nullopt;
  if (*admin_only == "0") return true;
  const auto capabilities = line_of(status, "CapEff");
  if (!capabilities) return std::nullopt;
  return ((std::strtoull(capabilities->c_str(), nullptr, 16) >> cap_sys_admin) & 1) != 0;
}

std::optional<bool> counters_permitted() {
  return counters_permitted(text_of("/proc/driver/nvidia/params", 65536),
                            text_of("/proc/self/status", 65536));
}

std::map<std::string, std::string> environment(const std::vector<std::string>& besides) {
  std::vector<std::string> names = {"CUBLAS_WORKSPACE_CONFIG",
                                    "CUDA_CACHE_DISABLE",
                                    "CUDA_DEVICE_MAX_CONNECTIONS",
                                    "CUDA_DEVICE_ORDER",
                                    "CUDA_FORCE_PTX_JIT",
                                    "CUDA_INJECTION64_PATH",
                                    "CUDA_LAUNCH_BLOCKING",
                                    "CUDA_MODULE_LOADING",
                                    "CUDA_VISIBLE_DEVICES",
                                    "NCCL_NVLS_ENABLE",
                                    "NCCL_P2P_DISABLE",
                                    "NVIDIA_DRIVER_CAPABILITIES",
                                    "NVIDIA_TF32_OVERRIDE",
                                    "NVIDIA_VISIBLE_DEVICES",
                                    "OMP_NUM_THREADS",
                                    "PYTORCH_ALLOC_CONF",
                                    "PYTORCH_CUDA_ALLOC_CONF",
                                    "PYTORCH_NO_CUDA_MEMORY_CACHING",
                                    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
                                    "TORCH_CUDA_ARCH_LIST",
                                    "TORCH_LOGS"};
  names.insert(names.end(), besides.begin(), besides.end());
  std::map<std::string, std::string> set;
  for (const std::string& name : names)
    if (const char* const value = std::getenv(name.c_str()))
      set[name] = std::string(value).substr(0, value_bytes_max);
  return set;
}

}  // namespace checkride::kernels::query
