#include "kernels/determinism/load.h"

#include <cstring>
#include <thread>
#include <vector>

namespace checkride::kernels::determinism {

namespace {

class HostLoad final : public Load {
 public:
  HostLoad() : from_(bytes), to_(bytes) {}
  Result<void> start() override {
    thread_ = std::jthread([this](const std::stop_token& stop) {
      do std::memcpy(to_.data(), from_.data(), bytes);
      while (!stop.stop_requested());
    });
    return {};
  }
  Result<void> finish() override {
    thread_ = {};
    return {};
  }

 private:
  static constexpr std::size_t bytes = std::size_t{4} << 20;
  std::vector<std::byte> from_, to_;
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Load>> load_on(Backend backend) {
#ifdef CR_CUDA
  if (backend == Backend::cuda) return load_on_device();
#endif
  static_cast<void>(backend);
  return std::make_unique<HostLoad>();
}

}  // namespace checkride::kernels::determinism
