// What the attention kernels compute on a device, judged as sdpa.forward judges them. Hidden: run
// with "[.gpu]" where there is one.
#include <catch2/catch.hpp>

#include "kernels/attention/sdpa_compute.h"
#include "kernels/attention/sdpa_device.h"
#include "kernels/attention/sdpa_job.h"
#include "tests/unit/kernels/run_job.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::attention;

namespace {

constexpr int threads = 8;

double rel_fro(const std::vector<double>& reference, const std::vector<std::uint16_t>& bits,
               Dtype dtype) {
  double difference = 0.0, norm = 0.0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double error = static_cast<double>(float_from_bits(dtype, bits[i])) - reference[i];
    difference += error * error;
    norm += reference[i] * reference[i];
  }
  return std::sqrt(difference / norm);
}

std::vector<std::uint16_t> computed(DeviceForward& forward) {
  REQUIRE(forward.poison());
  const auto launched = forward.launch(nullptr);
  INFO((launched ? std::string() : launched.error().text()));
  REQUIRE(launched);
  auto out = forward.output();
  INFO((out ? std::string() : out.error().text()));
  REQUIRE(out);
  return *std::move(out);
}

}  // namespace

namespace {

// Largest differences over one problem in e4m3: from fp64, of the emulation from fp64, between
// both.
void check_e4m3(int batch, int heads, int seq, bool causal) {
  SdpaCase sdpa;
  sdpa.problem.batch = batch;
  sdpa.problem.heads = heads;
  sdpa.problem.seq = seq;
  sdpa.problem.causal = causal;
  sdpa.e4m3 = true;
  const auto plan = plan_e4m3(sdpa.problem, 90);
  REQUIRE(plan);
  sdpa.plan = *plan;
  sdpa.tiling = {128, 4};
  sdpa.tensors = random_tensors(sdpa.problem, 5);
  auto forward = DeviceForward::create(sdpa);
  INFO((forward ? std::string() : forward.error().text()));
  REQUIRE(forward);
  const auto out = computed(*forward);
  const auto reference = forward_reference(sdpa.problem, sdpa.tensors, threads).out;
  const auto emulated = compute_on_host(sdpa, sdpa.tensors);
  std::vector<double> emulated_values;
  for (const std::uint16_t bits : emulated)
    emulated_values.push_back(static_cast<double>(float_from_f16(bits)));
  const double device = rel_fro(reference, out, Dtype::f16);
  const double model = rel_fro(reference, emulated, Dtype::f16);
  const double apart = rel_fro(emulated_values, out, Dtype::f16);
  INFO("heads " << heads << " seq " << seq << " causal " << causal << " rel_fro " << device
                << " model " << model << " apart " << apart);
  CHECK(device <= 0.08);
  CHECK(device <= 1.05 * model);
  CHECK(apart <= 0.01);
  for (int run = 0; run < 10; ++run) CHECK(computed(*forward) == out);
}

}  // namespace

TEST_CASE("e4m3 on the device is as far from fp64 as its emulation", "[.gpu]") {
  for (const bool causal : {false, true})
    for (const int seq : {512, 1, 16, 64, 65, 100, 128, 130, 256, 300, 511})
      check_e4m3(seq < 200 ? 2 : 1, seq == 512 ? 8 : 3, seq, causal);
}

TEST_CASE("e4m3 with keys in one, two, three and all four ranges", "[.gpu][small]") {
  for (const bool causal : {false, true})
    for (const int seq : {64, 200, 300, 400}) check_e4m3(1, 1, seq, causal);
}

TEST_CASE("every 16-bit kernel on few rows", "[.gpu][small]") {
  for (const Variant variant : {Variant::split, Variant::stream, Variant::mma})
    for (const bool causal : {false, true})
      for (const int seq : {100, 300}) {
        SdpaCase sdpa;
        sdpa.problem.heads = 1;
        sdpa.problem.seq = seq;
        sdpa.problem.causal = causal;
        const auto plan = plan_forward(sdpa.problem, 90, variant);
        REQUIRE(plan);
        sdpa.plan = *plan;
        sdpa.tensors = random_tensors(sdpa.problem, 5);
        auto forward = DeviceForward::create(sdpa);
        INFO((forward ? std::string() : forward.error().text()));
        REQUIRE(forward);
        const auto out = computed(*forward);
        INFO(to_string(variant) << " seq " << seq << " causal " << causal);
        CHECK(error_budget(sdpa.problem, forward_reference(sdpa.problem, sdpa.tensors, threads).out,
                           forward_rounded(sdpa.problem, sdpa.tensors, threads), out)
                  .passes());
      }
}

TEST_CASE("the job passes on the device for every type, and times what it judged", "[.gpu]") {
  for (const char* dtype : {"f16", "bf16", "e4m3"})
    for (const bool causal : {false, true}) {
      const auto report = testing::run_job(
          sdpa_forward_job(), {{"backend", "cuda"}, {"dtype", dtype}, {"causal", causal}});
      INFO((report ? report->message : report.error().text()));
      REQUIRE(report);
      CHECK(report->status == Status::pass);
      CHECK(report->perf_valid);
      CHECK(report->fields.at("num_ctas").as_int64() == 128);
      CHECK(report->fields.at("latency_us_per_launch").as_double() >
            report->fields.at("floor_us").as_double());
      CHECK(report->fields.at("attained_of_bound_pct").as_double() < 100.0);
    }
}

TEST_CASE("what the kernels do not cover is unsupported, not computed elsewhere", "[.gpu]") {
  for (const json::object& inputs :
       {json::object{{"head_dim", 128}}, json::object{{"heads", 8}, {"kv_heads", 2}},
        json::object{{"kv_seq", 100}}, json::object{{"dtype", "e4m3"}, {"seq", 1024}}}) {
    const auto report = testing::run_job(sdpa_forward_job(), inputs);
    REQUIRE_FALSE(report);
    CHECK(report.error().code == ErrorCode::unsupported);
  }
}
