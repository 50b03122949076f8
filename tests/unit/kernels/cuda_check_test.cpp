// What CUDA's errors become in a job's report.
#include <cuda_runtime_api.h>

#include <catch2/catch.hpp>

#include "kernels/cuda/check.h"
#include "kernels/job/job.h"
#include "tests/unit/kernels/spin.h"

namespace checkride::kernels {
namespace {

JobReport report_for(cudaError_t code) {
  const Result<void> checked = cuda::check(code, "multiply");
  REQUIRE_FALSE(checked);
  return report_of(checked.error());
}

TEST_CASE("a missing driver is unavailable, full memory and faults are errors of their own name") {
  CHECK(cuda::check(cudaSuccess, "multiply"));
  for (const cudaError_t code :
       {cudaErrorNoDevice, cudaErrorInsufficientDriver, cudaErrorInitializationError,
        cudaErrorSystemDriverMismatch, cudaErrorStubLibrary, cudaErrorDevicesUnavailable,
        cudaErrorNoKernelImageForDevice}) {
    INFO(cudaGetErrorName(code));
    CHECK(report_for(code).status == Status::unavailable);
  }
  struct Row {
    cudaError_t code;
    const char* reason;
  };
  for (const Row& row :
       {Row{cudaErrorMemoryAllocation, "out_of_memory"},
        Row{cudaErrorIllegalAddress, "device_fault"}, Row{cudaErrorLaunchFailure, "device_fault"},
        Row{cudaErrorLaunchTimeout, "device_fault"}, Row{cudaErrorECCUncorrectable, "device_fault"},
        Row{cudaErrorAssert, "device_fault"}, Row{cudaErrorInvalidConfiguration, "device_fault"}}) {
    const JobReport report = report_for(row.code);
    INFO(cudaGetErrorName(row.code));
    CHECK(report.status == Status::error);
    CHECK(report.reasons == std::vector<std::string>{row.reason});
    CHECK(report.message.find(cudaGetErrorName(row.code)) != std::string::npos);
    CHECK(report.message.find("multiply") == 0);
  }
}

TEST_CASE("memory is filled, and written from the host, when the call returns", "[.gpu]") {
  constexpr std::size_t bytes = std::size_t{1} << 30;  // a fill of a quarter of a millisecond
  auto buffer = cuda::DeviceBuffer::allocate(bytes);
  REQUIRE(buffer);
  REQUIRE(buffer->fill(0xff));
  CHECK(cudaStreamQuery(nullptr) == cudaSuccess);
  const std::vector<char> host(bytes, 1);
  REQUIRE(buffer->upload(host.data()));
  CHECK(cudaStreamQuery(nullptr) == cudaSuccess);
}

// The last one here: the fault stays with the process.
TEST_CASE("full memory leaves the device usable, a fault does not", "[.gpu]") {
  const auto most = cuda::DeviceBuffer::allocate(std::size_t{1} << 50);
  REQUIRE_FALSE(most);
  CHECK(report_of(most.error()).reasons == std::vector<std::string>{"out_of_memory"});
  auto some = cuda::DeviceBuffer::allocate(1 << 20);
  REQUIRE(some);
  CHECK(some->fill(0xff));
  CHECK(cuda::synchronize());

  const Result<void> faulted = write_nowhere();
  REQUIRE_FALSE(faulted);
  CHECK(report_of(faulted.error()).reasons == std::vector<std::string>{"device_fault"});
  const Result<void> after = some->fill(0);
  REQUIRE_FALSE(after);
  CHECK(report_of(after.error()).reasons == std::vector<std::string>{"device_fault"});
}

}  // namespace
}  // namespace checkride::kernels
