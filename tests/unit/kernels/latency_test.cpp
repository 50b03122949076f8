#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

#include "kernels/latency/criterion.h"
#include "kernels/latency/sampling.h"
#include "kernels/statistics/samples.h"
#include "tests/unit/kernels/run_catalog_job.h"

namespace checkride::kernels {
namespace {

using namespace latency;
using Seconds = std::chrono::duration<double>;

// Feeds a stream of samples and counts the clock's seconds by their number.
struct Stream {
  std::vector<TimedSample> samples;
  std::size_t at = 0;
  double seconds_a_sample = 0.001;

  Result<Sampled> take(Criterion& criterion, SamplingPlan plan = {}) {
    return take_samples(
        [this]() -> Result<TimedSample> {
          if (at == samples.size()) return fail(ErrorCode::internal, "the stream is over");
          return samples[at++];
        },
        criterion, plan, [this] { return Seconds(static_cast<double>(at) * seconds_a_sample); });
  }
};

Stream noisy_stream(std::size_t count, double sd, double step, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(0.0, sd);
  Stream stream;
  for (std::size_t i = 0; i < count; ++i)
    stream.samples.push_back({std::round((10.0 + noise(random)) / step) * step, 1980.0});
  return stream;
}

TEST_CASE("a line through points is the least squares one") {
  const Line exact = line_through({1.0, 3.0, 5.0, 7.0});
  CHECK(exact.slope == Approx(2.0));
  CHECK(exact.r2 == Approx(1.0));
  const Line level = line_through({4.0, 4.0, 4.0});
  CHECK(level.slope == 0.0);
  CHECK(level.r2 == 1.0);
  // y = 1, 2, 1, 2: slope 0.2, r2 0.2.
  const Line loose = line_through({1.0, 2.0, 1.0, 2.0});
  CHECK(loose.slope == Approx(0.2));
  CHECK(loose.r2 == Approx(0.2));
}

TEST_CASE("entropy is that of the exact values") {
  Entropy criterion;
  for (const double sample : {1.0, 1.0, 2.0, 2.0}) criterion.add(sample);
  CHECK(criterion.entropy() == Approx(1.0));
  for (const double sample : {3.0, 3.0, 4.0, 4.0}) criterion.add(sample);
  CHECK(criterion.entropy() == Approx(2.0));
}

TEST_CASE("entropy stops where new samples repeat old ones, and only at even counts") {
  Entropy constant;
  constant.add(5.0);
  CHECK_FALSE(constant.met());  // odd
  constant.add(5.0);
  CHECK(constant.met());  // a level line
  constant.add(5.0);
  CHECK_FALSE(constant.met());

  // Every value new: entropy is log2 n, whose slope at n is 1.44 / n of the line over 299 values,
  // so the angle falls below 0.048 degrees (a slope of 0.00084) only after some 1850 samples.
  Entropy growing;
  int count = 0;
  do growing.add(10.0 + 1e-6 * ++count);
  while (!growing.met() && count < 10'000);
  CHECK(count > 1700);
  CHECK(count < 2000);
}

TEST_CASE("entropy wants more of noisy samples than of quiet ones") {
  Stream quiet = noisy_stream(20'000, 0.005, 0.01);
  Stream noisy = noisy_stream(20'000, 1.0, 0.001);
  Entropy first, second;
  const auto few = quiet.take(first, {50, Seconds(60.0)});
  const auto many = noisy.take(second, {50, Seconds(60.0)});
  REQUIRE(few);
  REQUIRE(many);
  CHECK(few->converged);
  CHECK(few->samples.size() >= 50);
  CHECK(few->samples.size() % 2 == 0);
  CHECK(many->samples.size() > 2 * few->samples.size());
}

TEST_CASE("the relative deviation is at most half a percent, or has settled") {
  RelativeDeviation quiet;
  for (int i = 0; i < 50; ++i) quiet.add(i % 2 == 0 ? 100.0 : 100.2);
  CHECK(quiet.relative_deviation() == Approx(0.00101).epsilon(0.02));
  CHECK(quiet.met());

  RelativeDeviation wide;
  int count = 0;
  do wide.add(count % 2 == 0 ? 100.0 : 110.0);
  while (++count < 5000 && !wide.met());
  CHECK(wide.relative_deviation() > 0.04);  // settled, not small
  CHECK(count > 64);
  CHECK(count < 200);

  // Ever further from the mean: neither.
  RelativeDeviation drifting;
  for (int i = 0; i < 400; ++i) drifting.add(100.0 + std::exp(0.02 * i));
  CHECK_FALSE(drifting.met());
}

TEST_CASE("sampling ends by the criterion, by time, and never before the least number") {
  Stream stream = noisy_stream(1000, 0.5, 1e-9);
  Count count;
  const auto counted = stream.take(count, {70, Seconds(15.0)});
  REQUIRE(counted);
  CHECK(counted->samples.size() == 70);
  CHECK(counted->converged);
  CHECK(counted->stop_reason == "criterion");

  Stream slow = noisy_stream(1000, 0.5, 1e-9);
  Entropy entropy;
  const auto timed = slow.take(entropy, {50, Seconds(0.4)});
  REQUIRE(timed);
  CHECK_FALSE(timed->converged);
  CHECK(timed->stop_reason == "timeout");
  CHECK(timed->samples.size() == 400);
}

TEST_CASE("no sample is an error, and so is a sample of no time") {
  Stream stream = noisy_stream(10, 0.1, 0.01);
  Count count;
  const auto none = stream.take(count, {50, Seconds(0.0)});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::timeout);

  for (const double broken : {0.0, -1.0, std::nan("")}) {
    Stream bad;
    bad.samples.push_back({broken, 1980.0});
    const auto refused = bad.take(count);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::internal);
  }
}

TEST_CASE("samples under 95 % of the run's median clock are discarded and counted") {
  Stream stream;
  for (int i = 0; i < 100; ++i) {
    const bool slow = i % 10 == 7;
    stream.samples.push_back({slow ? 14.0 : 10.0, slow ? 1400.0 : 1980.0});
  }
  Count count;
  const auto sampled = stream.take(count, {90, Seconds(15.0)});
  REQUIRE(sampled);
  CHECK(sampled->throttled_discarded == 10);
  CHECK(sampled->samples.size() == 90);
  const Summary summary = summary_of(sampled->samples);
  CHECK(summary.median_us == 10.0);
  CHECK(summary.p95_us == 10.0);
  CHECK(*summary.sm_clock_mhz_median == 1980.0);

  // A run that begins slow: known to be slow only in the end, so too few are left.
  Stream late;
  for (int i = 0; i < 100; ++i) late.samples.push_back({10.0, i < 40 ? 1400.0 : 1980.0});
  const auto dropped = late.take(count, {100, Seconds(15.0)});
  REQUIRE(dropped);
  CHECK(dropped->throttled_discarded == 40);
  CHECK_FALSE(dropped->converged);
  CHECK(dropped->stop_reason == "throttled");
}

TEST_CASE("samples without a clock all count") {
  Stream stream;
  for (int i = 1; i <= 100; ++i) stream.samples.push_back({static_cast<double>(i), std::nullopt});
  Count count;
  const auto sampled = stream.take(count, {100, Seconds(15.0)});
  REQUIRE(sampled);
  const Summary summary = summary_of(sampled->samples);
  CHECK(summary.median_us == 50.0);
  CHECK(summary.p05_us == 5.0);
  CHECK(summary.p95_us == 95.0);
  CHECK(summary.mad_pct == Approx(50.0));
  CHECK_FALSE(summary.sm_clock_mhz_median);
}

TEST_CASE("a sample of as many launches as take 200 us, in whole rounds of the input sets") {
  CHECK(nodes_for(4.0, 1) == 50);
  CHECK(nodes_for(0.55, 1) == 364);
  CHECK(nodes_for(1500.0, 1) == 1);
  CHECK(nodes_for(4.0, 8) == 56);
  CHECK(nodes_for(1e-9, 1) == 4096);
}

TEST_CASE("streams recorded on an H200 end by entropy at the sample they ended at there") {
  for (const char* mode : {"graph_hot", "eager"}) {
    INFO(mode);
    const auto file = statistics::read_samples(
        test::h200_fixture("latency.measure.samples." + std::string(mode) + ".json"));
    REQUIRE(file);
    const statistics::SampleBlock& block = file->blocks.at(0);
    REQUIRE(block.clock_mhz.size() == block.samples.size());
    Stream stream;
    for (std::size_t i = 0; i < block.samples.size(); ++i)
      stream.samples.push_back({block.samples[i], block.clock_mhz[i]});
    const std::size_t recorded = stream.samples.size();
    Entropy entropy;
    const auto sampled = stream.take(entropy, {50, Seconds(15.0)});
    REQUIRE(sampled);
    CHECK(sampled->converged);
    CHECK(sampled->samples.size() == recorded);
    CHECK(sampled->throttled_discarded == 0);
    for (const json::object& report : test::recorded_reports("latency.measure")) {
      const json::object& fields = report.at("fields").as_object();
      if (fields.at("timing_mode") != mode || fields.at("subject") != "copy") continue;
      const Summary summary = summary_of(sampled->samples);
      CHECK(summary.median_us == Approx(fields.at("latency_us_per_launch").as_double()));
      CHECK(summary.mad_pct == Approx(fields.at("mad_pct").as_double()));
      CHECK(fields.at("samples") == recorded);
    }
  }
}

TEST_CASE("latencies recorded on an H200 keep the order of their modes") {
  double hot = 0.0, cold = 0.0, kernel = 0.0;
  for (const json::object& report : test::recorded_reports("latency.measure")) {
    const json::object& fields = report.at("fields").as_object();
    CHECK(report.at("status") == "pass");
    CHECK(report.at("perf_valid") == true);
    CHECK(fields.at("converged") == true);
    const double us = fields.at("latency_us_per_launch").as_double();
    CHECK(us == Approx(fields.at("floor_us").as_double() + fields.at("body_us").as_double()));
    if (fields.at("subject") != "copy") continue;
    if (fields.at("timing_mode") == "graph_hot") hot = us;
    if (fields.at("timing_mode") == "graph_cold") cold = us;
    if (fields.at("timing_mode") == "cupti") kernel = us;
  }
  CHECK(kernel > 0.0);
  CHECK(kernel < hot);
  CHECK(hot < cold);
}

TEST_CASE("more work takes longer") {
  const auto measured = [](int bytes) {
    const JobReport report = test::run_job(
        "latency.measure", R"({"backend": "cpu", "subject": "copy", "criterion": "count",
                               "subject_inputs": {"bytes": )" +
                               std::to_string(bytes) + "}}");
    REQUIRE(report.fields.contains("latency_us_per_launch"));
    return report.fields.at("latency_us_per_launch").as_double();
  };
  CHECK(measured(8 << 20) > 4.0 * measured(1 << 16));
}

TEST_CASE("latency.measure on the host: a result of the declared type and a sample file") {
  const JobReport report =
      test::run_job("latency.measure",
                    R"({"backend": "cpu", "subject": "copy", "subject_inputs": {"bytes": 65536},
          "criterion": "count", "min_samples": 60, "timeout_s": 20})");
  INFO(report.message);
  CHECK(report.status == Status::pass);
  CHECK(report.backend == Backend::cpu);
  CHECK_FALSE(report.perf_valid);
  CHECK(report.fields.at("timing_mode") == "host");
  CHECK(report.fields.at("samples") == 60);
  CHECK(report.fields.at("nodes").as_int64() > 1);
  const double latency = report.fields.at("latency_us_per_launch").as_double();
  CHECK(latency > 0.0);
  CHECK(report.fields.at("floor_us").as_double() > 0.0);
  CHECK(report.fields.at("body_us").as_double() ==
        Approx(latency - report.fields.at("floor_us").as_double()));
  const auto file = statistics::read_samples(test::scratch_folder() / "samples.json");
  REQUIRE(file);
  REQUIRE(file->blocks.size() == 1);
  CHECK(file->blocks[0].samples.size() == 60);
  CHECK(file->metric == "latency_us_per_launch");
  CHECK(file->conditions.at("timing_mode") == "host");
  CHECK_FALSE(file->perf_valid);
}

TEST_CASE("latency.measure fails where the samples do not settle in time") {
  const JobReport report = test::run_job(
      "latency.measure", R"({"backend": "cpu", "subject": "copy", "min_samples": 100000,
                             "timeout_s": 0.2})");
  CHECK(report.status == Status::fail);
  CHECK(report.reasons == std::vector<std::string>{"not_converged"});
  CHECK(report.fields.at("converged") == false);
  CHECK(report.fields.at("stop_reason") == "timeout");
}

TEST_CASE("latency.measure refuses what it cannot do") {
  const auto reason = [](const std::string& inputs) {
    const JobReport report = test::run_job("latency.measure", inputs);
    CHECK(report.status == Status::error);
    return report.message;
  };
  using Catch::Contains;
  CHECK_THAT(reason(R"({"subject": "nothing"})"), Contains("'nothing' is no job"));
  CHECK_THAT(reason(R"({"subject": "latency.measure"})"), Contains("has nothing to repeat"));
  CHECK_THAT(reason(R"({"subject": "copy", "subject_inputs": {"size": 3}})"),
             Contains("no input 'size'"));
  CHECK_THAT(reason(R"({"subject": "copy", "subject_inputs": {"bytes": "many"}})"),
             Contains("is not int"));
  CHECK_THAT(reason(R"({"subject": "copy", "timing_mode": "host"})"), Contains("timing_mode"));
  CHECK_THAT(reason(R"({"subject": "copy", "criterion": "mood"})"), Contains("criterion"));
}

TEST_CASE("latency.measure on the device, little", "[.gpu][small]") {
  for (const char* subject : {"empty", "copy", "flaky"}) {
    const JobReport report = test::run_job(
        "latency.measure", R"({"backend": "cuda", "criterion": "count", "min_samples": 5,
                               "nodes": 4, "subject": ")" +
                               std::string(subject) + "\"}");
    INFO(subject << " " << report.message);
    CHECK(report.fields.contains("latency_us_per_launch"));
  }
}

TEST_CASE("latency.measure on the device", "[.gpu]") {
  const JobReport empty =
      test::run_job("latency.measure", R"({"backend": "cuda", "subject": "empty"})");
  INFO(empty.message);
  REQUIRE(empty.status == Status::pass);
  CHECK(empty.perf_valid);
  const double floor = empty.fields.at("floor_us").as_double();
  CHECK(floor > 0.2);
  CHECK(floor < 3.0);
  // The subject is its own floor.
  CHECK(std::fabs(empty.fields.at("body_us").as_double()) < 0.1 * floor);
  CHECK_FALSE(empty.fields.at("pdl").as_bool());
  const double mhz = empty.fields.at("sm_clock_mhz_median").as_double();
  CHECK(mhz > 300.0);
  CHECK(mhz < 2500.0);

  double hot = 0.0;
  for (const char* mode : {"graph_hot", "graph_cold", "single_graph", "eager", "cupti"}) {
    const JobReport copy =
        test::run_job("latency.measure", R"({"backend": "cuda", "subject": "copy", "subject_inputs":
            {"bytes": 4194304}, "timeout_s": 5, "timing_mode": ")" +
                                             std::string(mode) + "\"}");
    WARN(mode << " " << boost::json::serialize(copy.fields) << " " << copy.message);
    if (std::string(mode) == "cupti" && copy.status == Status::unavailable) continue;
    REQUIRE(copy.fields.contains("latency_us_per_launch"));
    const double us = copy.fields.at("latency_us_per_launch").as_double();
    if (std::string(mode) == "graph_hot") hot = us;
    test::record_samples(std::string("copy.") + mode);
    if (std::string(mode) == "graph_cold") CHECK(us > hot);
    if (std::string(mode) == "single_graph") CHECK(us > hot);
  }
}

}  // namespace
}  // namespace checkride::kernels
