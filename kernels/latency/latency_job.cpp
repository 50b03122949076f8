#include "kernels/latency/latency_job.h"

#include <boost/json/serialize.hpp>
#include <chrono>

#include "kernels/job/device.h"
#include "kernels/job/envelope.h"
#include "kernels/job/inputs.h"
#include "kernels/latency/sampling.h"
#include "kernels/latency/source.h"
#include "kernels/statistics/samples.h"
#include "kernels/subjects/named.h"

namespace checkride::kernels {

namespace {

using latency::Sampled;
using latency::Source;
using latency::TimingMode;
using Seconds = std::chrono::duration<double>;

constexpr int nodes_max = 16384;  // a graph has four times as many
constexpr std::string_view samples_name = "samples.json";
constexpr std::int64_t discarded_share = 10;  // more than one in so many: the device throttled

Seconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::steady_clock::now() - begin;
}

// A few samples and a tenth of a second, whichever is longer, for caches, clocks and first use.
Result<void> warm_up(Source& source, Seconds most) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; (i < 5 || since(begin) < Seconds(0.1)) && since(begin) < most; ++i)
    CR_CHECK(source.sample());
  return {};
}

// Launches in a sample, from the time of a few.
Result<int> chosen_nodes(Subject& subject, TimingMode mode, int sets) {
  int nodes = sets;
  for (int round = 0; round < 3; ++round) {
    CR_TRY(const auto source, latency::subject_source(subject, mode, nodes));
    double us = 0.0;
    for (int i = 0; i < 3; ++i) {
      CR_TRY(const latency::TimedSample sample, source->sample());
      us = sample.us;
    }
    const int wanted = latency::nodes_for(us, sets);
    if (wanted <= nodes) return nodes;
    nodes = wanted;
  }
  return nodes;
}

Result<double> median_of(Source& source) {
  CR_CHECK(warm_up(source, Seconds(1.0)));
  latency::Count count;
  const auto begin = std::chrono::steady_clock::now();
  CR_TRY(const Sampled sampled,
         latency::take_samples([&] { return source.sample(); }, count, {50, Seconds(5.0)},
                               [&] { return since(begin); }));
  return latency::summary_of(sampled.samples).median_us;
}

Result<void> write_artifact(const JobRequest& request, const Sampled& sampled, TimingMode mode,
                            bool perf_valid) {
  const std::string subject = text(request.inputs, "subject");
  const auto* inputs = request.inputs.if_contains("subject_inputs");
  const bool given = inputs != nullptr && inputs->is_object();
  statistics::SampleFile file;
  file.metric = "latency_us_per_launch";
  file.unit = "us";
  // Samples are compared with those of the same cell: two makes of one thing are given its name.
  const std::string shape =
      text(request.inputs, "cell", given ? json::serialize(*inputs) : std::string("{}"));
  file.cell = has(request.inputs, "cell") ? shape : subject + " " + shape;
  const bool on_device = mode != TimingMode::host && device();
  file.conditions = {{"timing_mode", std::string(to_string(mode))},
                     {"subject", subject},
                     {"shape", shape},
                     {"dtype", given ? text(inputs->get_object(), "dtype") : ""},
                     {"inputs_sha256", ""},
                     {"seed", std::to_string(request.seed)},
                     {"device_uuid", on_device ? device()->uuid : ""},
                     {"driver", on_device ? std::to_string(device()->driver) : ""}};
  file.perf_valid = perf_valid && !under_a_tool();
  statistics::SampleBlock block;
  for (const latency::TimedSample& sample : sampled.samples) {
    block.samples.push_back(sample.us);
    if (sample.sm_clock_mhz) block.clock_mhz.push_back(*sample.sm_clock_mhz);
  }
  if (block.clock_mhz.size() != block.samples.size()) block.clock_mhz.clear();
  block.discarded = sampled.throttled_discarded;
  block.start_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  file.blocks.push_back(std::move(block));
  return statistics::write_samples(request.folder / samples_name, file);
}

Result<JobReport> run(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  CR_TRY(TimingMode mode, latency::timing_mode_named(text(inputs, "timing_mode", "graph_hot")));
  const std::string rule = text(inputs, "criterion", "entropy");
  CR_TRY(const auto criterion, latency::criterion_named(rule));
  CR_TRY(const std::int64_t nodes_given, whole_within(inputs, "nodes", 0, 0, nodes_max));
  CR_TRY(const std::int64_t min_samples, whole_within(inputs, "min_samples", 50, 5, 100'000));
  const double timeout_s = number(inputs, "timeout_s", 15.0);
  if (!(timeout_s > 0.0 && timeout_s <= 250.0))
    return fail(ErrorCode::invalid_argument, "timeout_s is not above 0 and at most 250");

  CR_TRY(const std::unique_ptr<Subject> subject, named_subject(request));
  const bool on_device = subject->backend() == Backend::cuda;
  if (!on_device) mode = TimingMode::host;
  const int sets = mode == TimingMode::graph_cold ? subject->input_sets() : 1;
  if (mode == TimingMode::graph_cold && sets < 2)
    return fail(ErrorCode::invalid_argument,
                "this subject has one set of inputs; graph_cold needs several");
  if (sets > nodes_max)
    return fail(ErrorCode::invalid_argument,
                "graph_cold would need " + std::to_string(sets) +
                    " launches in a graph to leave the cache; give larger inputs");
  int nodes = static_cast<int>(nodes_given);
  if (nodes == 0) {
    CR_TRY(nodes, chosen_nodes(*subject, mode, sets));
  } else if (nodes % sets != 0) {
    nodes = (nodes + sets - 1) / sets * sets;
  }

  CR_TRY(auto source, latency::subject_source(*subject, mode, nodes));
  CR_CHECK(warm_up(*source, Seconds(timeout_s)));
  const auto begin = std::chrono::steady_clock::now();
  CR_TRY(const Sampled sampled,
         latency::take_samples([&] { return source->sample(); }, *criterion,
                               {min_samples, Seconds(timeout_s)}, [&] { return since(begin); }));
  const latency::Summary summary = latency::summary_of(sampled.samples);
  const bool overlapping = source->programmatic_launch();
  source.reset();  // of some sources there may be only one
  CR_TRY(const latency::Floor floor, latency::floor_of(*subject, mode, nodes));
  CR_TRY(const double floor_us, median_of(*floor.source));

  const auto taken = static_cast<std::int64_t>(sampled.samples.size());
  const bool throttled =
      sampled.throttled_discarded * discarded_share > taken + sampled.throttled_discarded;
  JobReport report;
  report.status = Status::pass;
  report.backend = on_device ? Backend::cuda : Backend::cpu;
  report.perf_valid = on_device && !throttled;
  report.artifacts.emplace_back(samples_name);
  CR_CHECK(write_artifact(request, sampled, mode, report.perf_valid));
  report.fields = {
      {"subject", text(inputs, "subject")},
      {"timing_mode", std::string(to_string(mode))},
      {"criterion", rule},
      {"latency_us_per_launch", summary.median_us},
      {"p05_us", summary.p05_us},
      {"p95_us", summary.p95_us},
      {"mad_pct", summary.mad_pct},
      {"samples", taken},
      {"nodes", nodes},
      {"input_sets", sets},
      {"converged", sampled.converged},
      {"stop_reason", std::string(sampled.stop_reason)},
      {"floor_us", floor_us},
      {"floor_shape_known", floor.whole},
      {"body_us", summary.median_us - floor_us},
      {"sm_clock_mhz_median",
       summary.sm_clock_mhz_median ? finite(*summary.sm_clock_mhz_median) : json::value(nullptr)},
      {"throttled_discarded", sampled.throttled_discarded},
      {"pdl", overlapping},
      {"samples_artifact", (request.folder / samples_name).string()}};
  if (!sampled.converged) {
    report.fail_with("not_converged");
    report.message = "the samples did not settle within timeout_s; give a longer one";
  }
  if (throttled) {
    report.fail_with("throttled");
    report.message = "the device throttled in more than a tenth of the samples; let it cool";
  }
  return report;
}

}  // namespace

Job latency_measure_job() {
  Job job;
  job.name = "latency.measure";
  job.title = "the time of one launch, the floor under it, and whether it settled";
  job.inputs =
      "{subject: string, subject_inputs?: dyn, timing_mode?: string, nodes?: int, "
      "criterion?: string, min_samples?: int, timeout_s?: double, cell?: string}";
  job.result =
      "{subject: string, timing_mode: string, criterion: string, latency_us_per_launch: double, "
      "p05_us: double, p95_us: double, mad_pct: double, samples: int, nodes: int, "
      "input_sets: int, converged: bool, stop_reason: string, floor_us: double, "
      "floor_shape_known: bool, body_us: double, sm_clock_mhz_median?: double, "
      "throttled_discarded: int, pdl: bool, samples_artifact: string}";
  job.run = run;
  return job;
}

}  // namespace checkride::kernels
