#include "kernels/latency/kernel_times.h"

#if __has_include(<cupti.h>)
#include <cuda_runtime_api.h>
#include <cupti.h>
#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <string>

#include "kernels/cuda/check.h"

namespace checkride::kernels::latency {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{4} << 20;
constexpr std::size_t buffer_alignment = 8;

// CUPTI calls back into plain functions: what they count lies here.
struct Counted {
  decltype(&cuptiActivityGetNextRecord) next = nullptr;
  std::uint64_t ns = 0;
  std::uint64_t kernels = 0;
  bool lost = false;
};
Counted counted;

void give_buffer(std::uint8_t** buffer, std::size_t* bytes, std::size_t* records_max) {
  *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(buffer_alignment, buffer_bytes));
  *bytes = *buffer == nullptr ? 0 : buffer_bytes;
  *records_max = 0;
}

void take_buffer(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t, std::size_t valid) {
  CUpti_Activity* record = nullptr;
  while (valid > 0 && counted.next(buffer, valid, &record) == CUPTI_SUCCESS) {
    if (record->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) continue;
    // Begin and end lie at the same place in every version of the record.
    const auto* kernel = reinterpret_cast<const CUpti_ActivityKernel9*>(record);
    if (kernel->start == 0 || kernel->end < kernel->start) counted.lost = true;
    counted.ns += kernel->end - kernel->start;
    ++counted.kernels;
  }
  std::free(buffer);
}

class Cupti final : public KernelTimes {
 public:
  ~Cupti() override {
    if (enabled_) disable_(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
    // The library stays loaded: CUPTI cannot be unloaded safely.
  }

  Result<void> load() {
    const char* named = std::getenv("CHECKRIDE_CUPTI");
    const std::array<const char*, 4> places{
        named != nullptr ? named : "libcupti.so.13", "libcupti.so",
        "/usr/local/cuda/extras/CUPTI/lib64/libcupti.so", "/usr/local/cuda/lib64/libcupti.so"};
    void* library = nullptr;
    for (const char* place : places) {
      library = dlopen(place, RTLD_NOW | RTLD_LOCAL);
      if (library != nullptr || named != nullptr) break;
    }
    if (library == nullptr)
      return fail(ErrorCode::unavailable,
                  "CUPTI was not found (libcupti.so); choose another timing_mode, or name the "
                  "file in CHECKRIDE_CUPTI");
    const auto find = [&](auto& function, const char* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    if (!find(enable_, "cuptiActivityEnable") || !find(disable_, "cuptiActivityDisable") ||
        !find(register_, "cuptiActivityRegisterCallbacks") ||
        !find(flush_, "cuptiActivityFlushAll") || !find(words_, "cuptiGetResultString") ||
        !find(counted.next, "cuptiActivityGetNextRecord"))
      return fail(ErrorCode::unavailable, "this CUPTI lacks a function of its activity interface");
    CR_CHECK(check(register_(give_buffer, take_buffer), "register with CUPTI"));
    CR_CHECK(check(enable_(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL), "enable CUPTI's records"));
    enabled_ = true;
    return cuda::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking),
                       "create a stream");
  }

  Result<double> of(const std::function<Result<void>(CUstream_st*, int)>& launch,
                    int nodes) override {
    CR_CHECK(settle());
    counted.ns = 0;
    counted.kernels = 0;
    counted.lost = false;
    for (int node = 0; node < nodes; ++node) CR_CHECK(launch(stream_, node));
    CR_CHECK(settle());
    if (counted.lost || counted.kernels < static_cast<std::uint64_t>(nodes))
      return fail(ErrorCode::unavailable, "CUPTI recorded " + std::to_string(counted.kernels) +
                                              " kernels of " + std::to_string(nodes) +
                                              " launches; choose another timing_mode");
    return static_cast<double>(counted.ns) / 1000.0;
  }

 private:
  Result<void> settle() {
    CR_CHECK(cuda::check(cudaStreamSynchronize(stream_), "wait for the launches"));
    return check(flush_(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED), "read CUPTI's records");
  }
  Result<void> check(CUptiResult result, const std::string& doing) const {
    if (result == CUPTI_SUCCESS) return {};
    const char* text = nullptr;
    words_(result, &text);
    return fail(ErrorCode::unavailable, doing + ": " + (text == nullptr ? "refused" : text));
  }

  decltype(&cuptiActivityEnable) enable_ = nullptr;
  decltype(&cuptiActivityDisable) disable_ = nullptr;
  decltype(&cuptiActivityRegisterCallbacks) register_ = nullptr;
  decltype(&cuptiActivityFlushAll) flush_ = nullptr;
  decltype(&cuptiGetResultString) words_ = nullptr;
  cudaStream_t stream_ = nullptr;
  bool enabled_ = false;
};

}  // namespace

Result<std::unique_ptr<KernelTimes>> KernelTimes::open() {
  auto cupti = std::make_unique<Cupti>();
  CR_CHECK(cupti->load());
  return cupti;
}

}  // namespace checkride::kernels::latency
#else
namespace checkride::kernels::latency {

Result<std::unique_ptr<KernelTimes>> KernelTimes::open() {
  return fail(ErrorCode::unavailable,
              "this program was built without CUPTI's headers; choose another timing_mode");
}

}  // namespace checkride::kernels::latency
#endif
