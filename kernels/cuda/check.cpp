#include "kernels/cuda/check.h"

#include <cuda_runtime_api.h>

#include <utility>

namespace checkride::kernels::cuda {

namespace {

ErrorCode kind_of(cudaError_t error) {
  switch (error) {
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary:
    case cudaErrorInitializationError:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorSystemNotReady:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorCompatNotSupportedOnDevice:
    case cudaErrorOperatingSystem: return ErrorCode::unavailable;
    case cudaErrorMemoryAllocation: return ErrorCode::no_space;
    default: return ErrorCode::internal;
  }
}

// As the driver's tools write it: GPU- and the bytes in five groups.
std::string text_of(const cudaUUID_t& uuid) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// For what CUDA may return from before the device has done it; streams that do not wait for the
// default one could overtake it.
Result<void> waited(int code, std::string_view doing) {
  CR_CHECK(check(code, doing));
  return check(cudaStreamSynchronize(nullptr), doing);
}

}  // namespace

Result<void> check(int code, std::string_view doing) {
  if (code == cudaSuccess) return {};
  // Told once: the next launch must not be taken for the one that failed.
  static_cast<void>(cudaGetLastError());
  const auto error = static_cast<cudaError_t>(code);
  return fail(kind_of(error), std::string(doing) + ": " + cudaGetErrorName(error) + " (" +
                                  cudaGetErrorString(error) + ")");
}

Result<DeviceFacts> device_facts() {
  DeviceFacts facts;
  int device = 0;
  cudaDeviceProp properties{};
  CR_CHECK(check(cudaGetDevice(&device), "no CUDA device can be used"));
  CR_CHECK(check(cudaGetDeviceProperties(&properties, device), "the CUDA device cannot be read"));
  CR_CHECK(check(cudaDriverGetVersion(&facts.driver), "the CUDA driver's version cannot be read"));
  CR_CHECK(
      check(cudaRuntimeGetVersion(&facts.runtime), "the CUDA runtime's version cannot be read"));
  facts.name = properties.name;
  facts.uuid = text_of(properties.uuid);
  facts.sm = properties.major * 10 + properties.minor;
  facts.multiprocessors = properties.multiProcessorCount;
  facts.l2_bytes = static_cast<std::size_t>(properties.l2CacheSize);
  return facts;
}

Result<DeviceBuffer> DeviceBuffer::allocate(std::size_t bytes) {
  DeviceBuffer buffer;
  CR_CHECK(
      check(cudaMalloc(&buffer.data_, bytes), std::to_string(bytes) + " bytes of device memory"));
  buffer.bytes_ = bytes;
  return buffer;
}

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceBuffer::~DeviceBuffer() {
  // An error here is that of an earlier launch, which its own check reports.
  if (data_ != nullptr) static_cast<void>(cudaFree(data_));
}

Result<void> DeviceBuffer::upload(const void* host) {
  return waited(cudaMemcpy(data_, host, bytes_, cudaMemcpyHostToDevice), "copy to the device");
}

Result<void> DeviceBuffer::download(void* host) const {
  return check(cudaMemcpy(host, data_, bytes_, cudaMemcpyDeviceToHost), "copy from the device");
}

Result<void> DeviceBuffer::fill(int value) {
  return waited(cudaMemset(data_, value, bytes_), "fill device memory");
}

Result<void> synchronize() {
  return check(cudaDeviceSynchronize(), "the device did not finish its work");
}

}  // namespace checkride::kernels::cuda
