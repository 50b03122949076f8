#include "kernels/process/gpu_watch.h"

#include <algorithm>
#include <cstdlib>

#include "kernels/nvml/nvml.h"

namespace checkride::kernels::process {

struct GpuWatch::Watched {
  nvml::Device device;
  GpuUse use;
  double util_sum = 0.0;
  std::int64_t util_count = 0;
};

namespace {

// What CUDA_VISIBLE_DEVICES says comes first: a UUID, nothing for the library's first device. Other
// numbers than 0 follow an order of CUDA's own, which NVML does not share.
std::optional<std::string> first_visible() {
  const char* given = std::getenv("CUDA_VISIBLE_DEVICES");
  if (given == nullptr) return "";
  const std::string text = given;
  const std::string first = text.substr(0, text.find(','));
  if (first == "0") return "";
  if (first.starts_with("GPU-")) return first;
  return std::nullopt;
}

}  // namespace

GpuWatch::GpuWatch() {
  const std::optional<std::string> uuid = first_visible();
  if (!uuid) return;
  Result<nvml::Device> device = nvml::Device::open(*uuid);
  if (!device) return;
  watched_ = std::make_unique<Watched>(Watched{std::move(*device), {}, 0.0, 0});
  watched_->use.device_uuid = watched_->device.facts().uuid;
}

GpuWatch::~GpuWatch() = default;

void GpuWatch::look(const std::set<int>& pids) {
  if (!watched_) return;
  if (const std::optional<int> busy = watched_->device.sample().gpu_util_pct) {
    watched_->util_sum += *busy;
    ++watched_->util_count;
  }
  const auto processes = watched_->device.processes();
  if (!processes) return;
  std::optional<std::uint64_t> bytes;
  for (const nvml::ProcessMemory& one : *processes)
    if (one.bytes > 0 && pids.contains(static_cast<int>(one.pid)))  // 0: not told
      bytes = bytes.value_or(0) + one.bytes;
  if (bytes)
    watched_->use.peak_hbm_bytes = std::max(watched_->use.peak_hbm_bytes.value_or(0), *bytes);
}

GpuUse GpuWatch::use() const {
  if (!watched_) return {};
  GpuUse use = watched_->use;
  if (watched_->util_count > 0)
    use.util_pct_mean = watched_->util_sum / static_cast<double>(watched_->util_count);
  return use;
}

}  // namespace checkride::kernels::process
