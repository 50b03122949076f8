// One place where CUDA's error codes become Results, and the device memory and facts the kernels'
// callers need, without CUDA's headers: callers compile with any compiler. Plain cudaMalloc memory
// only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/result.h"

struct CUstream_st;

namespace checkride::kernels::cuda {

// `code` is a cudaError_t. Success for 0, else "doing: CUDA's words" as unavailable (no device, no
// driver or one too old, no kernel for it), no_space (device memory), or internal: the device or a
// kernel faulted, and this process can do no more with it.
Result<void> check(int code, std::string_view doing);

struct DeviceFacts {
  std::string name;
  std::string uuid;  // "GPU-0123..."
  int sm = 0;  // compute capability, 90 for an H200
  int multiprocessors = 0;
  std::size_t l2_bytes = 0;
  int driver = 0;   // CUDA version of the driver, e.g. 13000
  int runtime = 0;  // CUDA version linked
};
// Facts of the current device. Error: unavailable where there is no device or no driver.
Result<DeviceFacts> device_facts();

// Memory on the current device, freed with the object.
class DeviceBuffer {
 public:
  static Result<DeviceBuffer> allocate(std::size_t bytes);
  DeviceBuffer() = default;
  DeviceBuffer(DeviceBuffer&& other) noexcept;
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  ~DeviceBuffer();

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  // Each returns when the device has done it, so that any stream may use the memory then.
  Result<void> upload(const void* host);
  Result<void> download(void* host) const;
  // Every byte becomes `value`.
  Result<void> fill(int value);

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

// Waits for everything queued on the device.
Result<void> synchronize();

}  // namespace checkride::kernels::cuda
