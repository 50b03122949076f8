#include "kernels/nvml/nvml.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <thread>

#include "kernels/nvml/sampler.h"
#include "tests/unit/kernels/fake_nvml.h"

using namespace checkride;
using namespace checkride::kernels;
using tests::FakeNvml;

namespace {

constexpr const char* fake_uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef";

}  // namespace

TEST_CASE("a healthy device is told in full", "[nvml]") {
  const FakeNvml fake("healthy");
  const auto device = nvml::Device::open(fake_uuid);
  REQUIRE(device);
  const nvml::Facts facts = device->facts();
  CHECK(facts.name == "NVIDIA H200");
  CHECK(facts.uuid == fake_uuid);
  CHECK(facts.pci_bus_id == "00000000:1B:00.0");
  CHECK(facts.driver == "580.95.05");
  CHECK(facts.cuda_driver == 13000);
  CHECK(facts.mem_total_bytes == 150754820096ULL);
  CHECK(facts.mem_bus_bits == 6016);
  CHECK(facts.sm_clock_max_mhz == 1980);
  CHECK(facts.mem_clock_max_mhz == 3201);
  CHECK(facts.power_limit_w == 700.0);
  CHECK(facts.pcie_gen_now == 5);
  CHECK(facts.pcie_width_max == 16);
  CHECK(facts.ecc_mode == true);
  CHECK(facts.mig == false);
  REQUIRE(facts.rows);
  CHECK_FALSE(facts.rows->pending);
  const nvml::Sample sample = device->sample();
  CHECK(sample.power_w == 121.5);
  CHECK(sample.temp_c == 34);
  CHECK(sample.sm_clock_mhz == 1980);
  CHECK(sample.throttle_reasons == 0U);
  CHECK(sample.memory_free_bytes == 150754820096ULL - 600000000ULL);
  CHECK(sample.gpu_util_pct == 97);
  const nvml::EccCounts ecc = device->ecc();
  CHECK(ecc.corrected_aggregate == 3U);
  CHECK(ecc.uncorrected_aggregate == 0U);
  CHECK(ecc.corrected_volatile == 0U);
  const auto processes = device->processes();
  REQUIRE(processes);
  REQUIRE(processes->size() == 2);
  CHECK(processes->at(0).pid == 4242);
  CHECK(processes->at(0).bytes == 1073741824U);
  CHECK(processes->at(1).bytes == 0);  // not told
}

TEST_CASE("what a driver does not tell is absent, not zero", "[nvml]") {
  const FakeNvml fake;
  fake.say("uuid GPU-1\n");
  const auto device = nvml::Device::open();
  REQUIRE(device);
  CHECK(device->facts().name.empty());
  CHECK_FALSE(device->facts().ecc_mode);
  CHECK_FALSE(device->facts().rows);
  CHECK_FALSE(device->facts().power_limit_w);
  CHECK_FALSE(device->sample().power_w);
  CHECK_FALSE(device->sample().throttle_reasons);
  CHECK_FALSE(device->ecc().uncorrected_volatile);
  CHECK_FALSE(device->processes());
}

TEST_CASE("no library, no driver and no such device are unavailable", "[nvml]") {
  SECTION("library") {
    const FakeNvml fake("healthy");
    setenv("CHECKRIDE_NVML", "/nowhere/libnvidia-ml.so.1", 1);
    const auto device = nvml::Device::open();
    REQUIRE_FALSE(device);
    CHECK(device.error().code == ErrorCode::unavailable);
    CHECK(device.error().text().find("/nowhere/libnvidia-ml.so.1") != std::string::npos);
  }
  SECTION("driver") {
    const FakeNvml fake("no_driver");
    const auto device = nvml::Device::open();
    REQUIRE_FALSE(device);
    CHECK(device.error().code == ErrorCode::unavailable);
    CHECK(device.error().text().find("no NVIDIA driver") != std::string::npos);
  }
  SECTION("device") {
    const FakeNvml fake("healthy");
    const auto device = nvml::Device::open("GPU-2");
    REQUIRE_FALSE(device);
    CHECK(device.error().code == ErrorCode::unavailable);
  }
}

TEST_CASE("throttle reasons have names, unknown bits their value", "[nvml]") {
  CHECK(nvml::throttle_names(0).empty());
  CHECK(nvml::throttle_names(0x48) ==
        std::vector<std::string>{"hw_slowdown", "hw_thermal_slowdown"});
  CHECK(nvml::throttle_names(0x204) == std::vector<std::string>{"sw_power_cap", "0x200"});
}

TEST_CASE("a sampler sees what happens between its start and its end", "[nvml]") {
  const FakeNvml fake("healthy");
  const auto device = nvml::Device::open();
  REQUIRE(device);
  nvml::Sampler sampler(*device, std::chrono::milliseconds(1));
  fake.use("thermal_throttle");
  const auto samples = sampler.stop();
  REQUIRE(samples.size() >= 2);
  const nvml::Summary summary = nvml::summary_of(samples);
  CHECK(summary.throttled);
  CHECK(summary.temp_c_max == 93);
  CHECK(summary.sm_clock_mhz_min == 1095);
  CHECK(summary.power_w_max == 121.5);
}

TEST_CASE("a full sampler keeps the latest sample", "[nvml]") {
  const FakeNvml fake("healthy");
  const auto device = nvml::Device::open();
  REQUIRE(device);
  nvml::Sampler sampler(*device, std::chrono::milliseconds(1), 2);
  fake.use("thermal_throttle");
  const auto samples = sampler.stop();
  REQUIRE(samples.size() == 2);
  CHECK(samples.front().temp_c == 34);
  CHECK(samples.back().temp_c == 93);
}

TEST_CASE("a summary of nothing told has no figures and no throttling", "[nvml]") {
  const nvml::Summary summary = nvml::summary_of({nvml::Sample{}});
  CHECK_FALSE(summary.power_w_mean);
  CHECK_FALSE(summary.sm_clock_mhz_median);
  CHECK_FALSE(summary.throttled);
  nvml::Sample capped;
  capped.throttle_reasons = nvml::sw_power_cap;
  CHECK_FALSE(nvml::summary_of({capped}).throttled);
}
