// What the attention kernels compute on a device, judged as sdpa.forward judges them. Hidden: run
// with "[.gpu]" where there is one.
#include <catch2/catch.hpp>

#include "kernels/attention/sdpa_device.h"

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

TEST_CASE("e4m3 on the device is as far from fp64 as its emulation", "[.gpu]") {
  for (const bool causal : {false, true})
    for (const int seq : {512, 1, 16, 64, 65, 100, 128, 130, 256, 300, 511}) {
      SdpaCase sdpa;
      sdpa.problem.batch = seq < 200 ? 2 : 1;
      sdpa.problem.heads = seq == 512 ? 8 : 3;
      sdpa.problem.seq = seq;
      sdpa.problem.causal = causal;
      sdpa.e4m3 = true;
      const auto plan = plan_e4m3(sdpa.problem, 90);
      REQUIRE(plan);
      sdpa.plan = *plan;
      sdpa.tensors = random_tensors(sdpa.problem, 5);
      auto forward = DeviceForward::create(sdpa);
      INFO((forward ? std::string() : forward.error().text()));
      REQUIRE(forward);
      const auto out = computed(*forward);
      const auto reference = forward_reference(sdpa.problem, sdpa.tensors, threads).out;
      const auto emulated =
          forward_host(sdpa.problem, quantise(sdpa.problem, sdpa.tensors), {128, 4}, threads);
      std::vector<double> emulated_values;
      for (const std::uint16_t bits : emulated)
        emulated_values.push_back(static_cast<double>(float_from_f16(bits)));
      const double device = rel_fro(reference, out, Dtype::f16);
      const double model = rel_fro(reference, emulated, Dtype::f16);
      const double apart = rel_fro(emulated_values, out, Dtype::f16);
      WARN("seq " << seq << " causal " << causal << " rel_fro " << device << " model " << model
                  << " apart " << apart);
      CHECK(device <= 0.08);
      CHECK(device <= 1.05 * model);
      CHECK(apart <= 0.01);
      for (int run = 0; run < 10; ++run) CHECK(computed(*forward) == out);
    }
}
