#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"
#include "kernels/determinism/load.h"
#include "kernels/subjects/builtin.h"

namespace checkride::kernels::determinism {
namespace {

using cuda::check;

class DeviceLoad final : public Load {
 public:
  ~DeviceLoad() override {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }
  Result<void> prepare() {
    CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
    const std::size_t bytes = (facts.l2_bytes + (std::size_t{16} << 20)) / 256 * 256;
    CR_TRY(from_, cuda::DeviceBuffer::allocate(bytes));
    CR_TRY(to_, cuda::DeviceBuffer::allocate(bytes));
    CR_CHECK(from_.fill(0x5a));
    blocks_ = facts.multiprocessors / 2 + 1;
    return check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
  }
  Result<void> start() override {
    for (int i = 0; i < copies; ++i)
      CR_CHECK(queue_copy(from_.data(), to_.data(), from_.bytes(), blocks_, stream_));
    return {};
  }
  Result<void> finish() override {
    return check(cudaStreamSynchronize(stream_), "wait for the copies beside the subject");
  }

 private:
  static constexpr int copies = 8;
  cuda::DeviceBuffer from_, to_;
  cudaStream_t stream_ = nullptr;
  int blocks_ = 1;
};

}  // namespace

Result<std::unique_ptr<Load>> load_on_device() {
  auto load = std::make_unique<DeviceLoad>();
  CR_CHECK(load->prepare());
  return load;
}

}  // namespace checkride::kernels::determinism
