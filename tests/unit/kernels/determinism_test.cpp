#include <unistd.h>

#include <bit>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <random>
#include <set>

#include "kernels/determinism/divergence.h"
#include "kernels/determinism/fresh_process.h"
#include "kernels/hash/position_hash.h"
#include "kernels/subjects/builtin.h"
#include "tests/unit/kernels/run_catalog_job.h"
#ifdef CR_CUDA
#include "kernels/cuda/check.h"
#include "kernels/hash/device_hash.h"
#include "kernels/measure/graph_timer.h"
#endif

namespace checkride::kernels {
namespace {

using determinism::steps_between;

std::vector<std::byte> random_bytes(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// First in this file: the child must start before this process touches the device.
TEST_CASE("determinism on the device, across processes and beside a load", "[.gpu]") {
  const JobReport copy =
      test::run_job("determinism", R"({"backend": "cuda", "subject": "copy", "runs": 60,
                         "subject_inputs": {"bytes": 1048576}})");
  INFO(copy.message);
  REQUIRE(copy.status == Status::pass);
  CHECK(copy.backend == Backend::cuda);
  CHECK(copy.fields.at("unique_hashes") == 1);
  CHECK(copy.fields.at("cross_process_equal") == true);
  CHECK(copy.fields.at("perturbed_runs") == 30);
  // The host's copy of the same seed has the same bytes.
  const JobReport host =
      test::run_job("determinism", R"({"backend": "cpu", "subject": "copy", "runs": 2,
                         "subject_inputs": {"bytes": 1048576}})");
  CHECK(copy.fields.at("hash_first") == host.fields.at("hash_first"));

  const JobReport flaky = test::run_job(
      "determinism", R"({"backend": "cuda", "subject": "flaky", "cross_process": false})");
  CHECK(flaky.status == Status::fail);
  CHECK(flaky.fields.at("unique_hashes").as_int64() > 1);
  CHECK(flaky.fields.at("diverging_elements").as_int64() >= 1);
  CHECK(flaky.fields.at("max_ulp_between_runs") == 1);
}

TEST_CASE("comparisons and quantisers repeat on the device", "[.gpu]") {
  for (const std::string subject :
       {R"("subject": "tensor.compare", "subject_inputs": {"sample_elements": 20000003})",
        R"("subject": "quant.e4m3", "subject_inputs": {"shape": [2, 8, 512, 64]})"}) {
    const JobReport repeated =
        test::run_job("determinism", R"({"backend": "cuda", "runs": 40, "cross_process": false, )" +
                                         subject + "}");
    INFO(subject << repeated.message);
    CHECK(repeated.status == Status::pass);
    CHECK(repeated.fields.at("unique_hashes") == 1);
    const JobReport host = test::run_job(
        "determinism", R"({"backend": "cpu", "runs": 2, "cross_process": false, )" + subject + "}");
    CHECK(repeated.fields.at("hash_first") == host.fields.at("hash_first"));
    const JobReport timed = test::run_job(
        "latency.measure", R"({"backend": "cuda", "timing_mode": "graph_hot", "criterion": "stdrel",
                               "timeout_s": 3, )" +
                               subject + "}");
    INFO(timed.message);
    CHECK(timed.status == Status::pass);
    // Both clear counters first, which the floor of empty kernels leaves out.
    CHECK(timed.fields.at("floor_shape_known") == false);
    CHECK(timed.fields.at("floor_us").as_double() > 0.0);
  }
}

TEST_CASE("inputs of a subject that are not of their types are refused") {
  for (const std::string shape : {"5", "\"5\"", "[1, 1.5]", "[[1]]"}) {
    INFO(shape);
    for (const std::string cross : {"true", "false"}) {
      const JobReport report = test::run_job(
          "determinism", R"({"backend": "cpu", "subject": "quant.e4m3", "cross_process": )" +
                             cross + R"(, "subject_inputs": {"shape": )" + shape + "}}");
      CHECK(report.reasons == std::vector<std::string>{"invalid_input"});
      CHECK(report.message.find("shape of quant.e4m3 is not list<int>") != std::string::npos);
    }
  }
}

TEST_CASE("the hash knows every bit, its place and the length") {
  std::vector<std::byte> bytes = random_bytes(1003, 3);
  const std::uint64_t hash = position_hash(bytes);
  for (const std::size_t at : {std::size_t{0}, std::size_t{511}, std::size_t{1002}}) {
    for (int bit = 0; bit < 8; ++bit) {
      bytes[at] ^= static_cast<std::byte>(1 << bit);
      CHECK(position_hash(bytes) != hash);
      bytes[at] ^= static_cast<std::byte>(1 << bit);
    }
  }
  CHECK(position_hash(bytes) == hash);
  std::vector<std::byte> swapped = bytes;
  std::swap_ranges(swapped.begin(), swapped.begin() + 8, swapped.begin() + 64);
  CHECK(position_hash(swapped) != hash);
  std::vector<std::byte> longer = bytes;
  longer.push_back(std::byte{0});
  CHECK(position_hash(longer) != hash);
  CHECK(position_hash({}) != position_hash(std::vector<std::byte>(8)));
}

TEST_CASE("the hash does not depend on how many threads add it up") {
  const std::vector<std::byte> bytes = random_bytes((std::size_t{5} << 20) + 5, 4);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < (bytes.size() + 7) / 8; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i * 8, std::min<std::size_t>(8, bytes.size() - i * 8));
    sum += mixed_word(word, i);
  }
  CHECK(position_hash(bytes) == finished_hash(sum, bytes.size()));
}

TEST_CASE("steps between floating values") {
  const auto f32 = [](float a, float b) {
    return steps_between(std::bit_cast<std::uint32_t>(a), std::bit_cast<std::uint32_t>(b), 4);
  };
  CHECK(f32(1.0f, 1.0f) == 0);
  CHECK(f32(1.0f, std::nextafter(1.0f, 2.0f)) == 1);
  CHECK(f32(0.0f, -0.0f) == 0);
  CHECK(f32(std::nextafter(0.0f, 1.0f), std::nextafter(0.0f, -1.0f)) == 2);
  CHECK(f32(1.0f, 2.0f) == 1 << 23);
  CHECK(steps_between(0x3c00, 0x3c01, 2) == 1);
  CHECK(steps_between(0x7f, 0xff, 1) == 254);
  CHECK(steps_between(0x7fffffffffffffff, 0xffffffffffffffff, 8) == INT64_MAX);
}

TEST_CASE("differences are gathered over outputs") {
  determinism::Divergence divergence(std::vector<std::byte>(16), 4);
  std::vector<std::byte> other(16);
  other[4] = std::byte{3};
  divergence.add(other);
  other[4] = std::byte{1};
  other[12] = std::byte{9};
  divergence.add(other);
  CHECK(divergence.elements() == 4);
  CHECK(divergence.diverging_elements() == 2);
  CHECK(divergence.max_steps() == 9);
  CHECK(divergence.poisoned_elements() == 0);
}

TEST_CASE("a fault in 3 % of launches is caught by 100 runs in 95 of 100 cases, by two in 3") {
  int by_hundred = 0, by_two = 0;
  constexpr int cases = 4000;
  for (int seed = 0; seed < cases; ++seed) {
    FlakyFaults faults(static_cast<std::uint64_t>(seed), 0.03, 1000);
    bool caught = false;
    for (int run = 0; run < 100; ++run) {
      caught = faults.next() >= 0 || caught;
      if (run == 1 && caught) ++by_two;
    }
    by_hundred += caught ? 1 : 0;
  }
  // 1 - 0.97^99 = 0.951; five standard deviations of the count are 0.017.
  CHECK(by_hundred / double{cases} == Approx(0.951).margin(0.017));
  CHECK(by_two / double{cases} == Approx(0.03).margin(0.014));
}

TEST_CASE("determinism catches seeded faults, and says where") {
  const JobReport report =
      test::run_job("determinism", R"({"backend": "cpu", "subject": "flaky", "seed": 1})");
  INFO(boost::json::serialize(report.fields));
  CHECK(report.status == Status::fail);
  CHECK(report.reasons == std::vector<std::string>{"nondeterministic"});
  CHECK(report.fields.at("runs") == 100);
  CHECK(report.fields.at("perturbed_runs") == 50);
  // The same draws as the subject's.
  FlakyFaults faults(1, 0.03, 65536 / 4);
  std::set<std::int64_t> places;
  std::int64_t first = -1;
  for (int run = 0; run < 100; ++run) {
    const std::int64_t at = faults.next();
    if (at >= 0 && first < 0) first = run;
    if (at >= 0) places.insert(at);
  }
  REQUIRE(places.size() <= 8);
  CHECK(report.fields.at("first_divergent_run") == first);
  CHECK(report.fields.at("diverging_elements") == static_cast<std::int64_t>(places.size()));
  CHECK(report.fields.at("unique_hashes") == static_cast<std::int64_t>(places.size()) + 1);
  CHECK(report.fields.at("max_ulp_between_runs") == 1);
  CHECK(report.fields.at("cross_process_equal") == true);
}

TEST_CASE("determinism passes what repeats") {
  const JobReport report =
      test::run_job("determinism", R"({"backend": "cpu", "subject": "copy", "runs": 10,
                         "subject_inputs": {"bytes": 65536}})");
  INFO(report.message);
  CHECK(report.status == Status::pass);
  CHECK(report.fields.at("unique_hashes") == 1);
  CHECK(report.fields.at("first_divergent_run").is_null());
  CHECK(report.fields.at("cross_process_equal") == true);
  CHECK(report.fields.at("unwritten") == 0);
  CHECK_FALSE(report.perf_valid);
}

TEST_CASE("verdicts recorded on an H200 follow from their fields") {
  std::size_t caught = 0;
  for (const json::object& report : test::recorded_reports("determinism")) {
    const json::object& fields = report.at("fields").as_object();
    const bool same = fields.at("unique_hashes") == 1;
    CHECK((report.at("status") == "pass") == same);
    CHECK(fields.at("first_divergent_run").is_null() == same);
    CHECK((fields.at("diverging_elements").as_int64() == 0) == same);
    caught += fields.at("subject") == "flaky" && !same ? 1 : 0;
    if (fields.at("subject") != "copy") continue;
    // The host computes the hash the device did.
    const JobReport host =
        test::run_job("determinism", R"({"backend": "cpu", "subject": "copy", "runs": 2,
                           "subject_inputs": {"bytes": 1048576}})");
    CHECK(fields.at("hash_first") == host.fields.at("hash_first"));
  }
  CHECK(caught == 1);
}

TEST_CASE("comparisons and quantisers are subjects: they repeat bit for bit and can be timed") {
  for (
      const std::string subject :
      {R"("subject": "tensor.compare", "subject_inputs": {"sample_elements": 70001})",
       R"("subject": "quant.e4m3", "subject_inputs": {"shape": [2, 3, 33, 40], "transpose": true})"}) {
    const JobReport repeated =
        test::run_job("determinism", R"({"backend": "cpu", "runs": 6, )" + subject + "}");
    INFO(subject << repeated.message);
    CHECK(repeated.status == Status::pass);
    CHECK(repeated.fields.at("cross_process_equal") == true);
    const JobReport timed = test::run_job(
        "latency.measure",
        R"({"backend": "cpu", "criterion": "count", "min_samples": 5, )" + subject + "}");
    INFO(timed.message);
    CHECK(timed.status == Status::pass);
    CHECK(timed.fields.at("latency_us_per_launch").as_double() > 0.0);
  }
}

TEST_CASE("determinism refuses a subject without an output") {
  const JobReport report =
      test::run_job("determinism", R"({"backend": "cpu", "subject": "empty"})");
  CHECK(report.status == Status::error);
  CHECK_THAT(report.message, Catch::Contains("no output to compare"));
}

TEST_CASE("a second process answers, fails, dies or hangs") {
  using determinism::in_fresh_process;
  using std::chrono::milliseconds;
  const auto answered =
      in_fresh_process([] { return Result<std::uint64_t>(42); }, milliseconds(10'000));
  REQUIRE(answered);
  CHECK(*answered == 42);
  const auto failed = in_fresh_process(
      []() -> Result<std::uint64_t> { return fail(ErrorCode::unavailable, "no device"); },
      milliseconds(10'000));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == ErrorCode::unavailable);
  CHECK_THAT(failed.error().text(), Catch::Contains("in the second process: no device"));
  const auto died = in_fresh_process(
      []() -> Result<std::uint64_t> {
        ::raise(SIGKILL);
        return 0;
      },
      milliseconds(10'000));
  REQUIRE_FALSE(died);
  CHECK_THAT(died.error().text(), Catch::Contains("died of signal 9"));
  const auto hung = in_fresh_process(
      []() -> Result<std::uint64_t> {
        ::pause();
        return 0;
      },
      milliseconds(100));
  REQUIRE_FALSE(hung);
  CHECK(hung.error().code == ErrorCode::timeout);
}

#ifdef CR_CUDA
TEST_CASE("the device's hash is the host's, for every tail", "[.gpu][small]") {
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{24},
                                  std::size_t{4099}, (std::size_t{12} << 20) + 13}) {
    const std::vector<std::byte> bytes = random_bytes(count, 5);
    auto buffer = cuda::DeviceBuffer::allocate(count);
    REQUIRE(buffer);
    REQUIRE(buffer->upload(bytes.data()));
    const auto hash = device_hash(buffer->data(), count, nullptr);
    REQUIRE(hash);
    CHECK(*hash == position_hash(bytes));
  }
}

TEST_CASE("the device's hash reads near the memory's speed", "[.gpu]") {
  constexpr std::size_t count = std::size_t{2} << 30;
  auto buffer = cuda::DeviceBuffer::allocate(count);
  auto sum = cuda::DeviceBuffer::allocate(8);
  REQUIRE(buffer);
  REQUIRE(sum);
  REQUIRE(buffer->fill(0x35));
  const auto timing = measure::time_graph(
      [&](CUstream_st* stream, int) {
        return queue_device_hash(buffer->data(), count, static_cast<std::uint64_t*>(sum->data()),
                                 stream);
      },
      4, 20);
  REQUIRE(timing);
  const double gbps = static_cast<double>(count) / timing->us_per_launch * 1e-3;
  WARN("hash of 2 GiB: " << gbps << " GB/s read");
  CHECK(gbps > 1000.0);
  CHECK(gbps < 4800.0);  // more is not the memory's
}
#endif

}  // namespace
}  // namespace checkride::kernels
