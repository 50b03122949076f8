#include "kernels/bandwidth/bandwidth_job.h"

#include <algorithm>

#include "kernels/bandwidth/datasheet.h"
#include "kernels/bandwidth/memory_facts.h"
#include "kernels/bandwidth/stream_math.h"
#include "kernels/job/device.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#include "kernels/nvml/sampler.h"

namespace checkride::kernels {

namespace {

using bandwidth::Figure;
using bandwidth::Kernel;

constexpr std::int64_t mebibyte = 1LL << 20;
constexpr std::int64_t device_bytes = 4096 * mebibyte;
constexpr std::int64_t host_bytes = 64 * mebibyte;
constexpr std::int64_t most_bytes = 64 * 1024 * mebibyte;
constexpr std::int64_t l2_multiple = 8;

// In the order they run; copy is always among them.
Result<std::vector<Kernel>> kernels_of(const JobRequest& request, Backend backend) {
  const std::vector<std::string> names = texts(request.inputs, "kernels");
  for (const std::string& name : names)
    if (std::ranges::none_of(bandwidth::all_kernels,
                             [&](Kernel kernel) { return to_string(kernel) == name; }))
      return fail(
          ErrorCode::invalid_argument,
          "kernels names '" + name + "'; give some of copy, scale, triad, read, write, l2_read");
  std::vector<Kernel> kernels;
  for (const Kernel kernel : bandwidth::all_kernels) {
    const bool wanted = names.empty() || kernel == Kernel::copy ||
                        std::ranges::find(names, to_string(kernel)) != names.end();
    if (wanted && !(backend == Backend::cpu && kernel == Kernel::l2_read))
      kernels.push_back(kernel);
  }
  return kernels;
}

Result<std::int64_t> bytes_of(const JobRequest& request, Backend backend) {
  const bool device_used = backend == Backend::cuda;
  CR_TRY(const std::int64_t bytes,
         whole_within(request.inputs, "bytes", device_used ? device_bytes : host_bytes, mebibyte,
                      most_bytes));
  const auto l2 = device_used ? static_cast<std::int64_t>(device()->l2_bytes) : 0;
  if (bytes < l2_multiple * l2)
    return fail(ErrorCode::invalid_argument, "bytes is " + std::to_string(bytes) +
                                                 ", of which the cache of " + std::to_string(l2) +
                                                 " bytes would hold too much; give at least " +
                                                 std::to_string(l2_multiple * l2));
  return bytes / 8 * 8;
}

Result<std::unique_ptr<bandwidth::Streams>> streams_on(Backend backend, std::int64_t bytes) {
#ifdef CR_CUDA
  if (backend == Backend::cuda) return bandwidth::device_streams(static_cast<std::uint64_t>(bytes));
#endif
  static_cast<void>(backend);
  return bandwidth::host_streams(static_cast<std::uint64_t>(bytes), host_threads());
}

json::value rounded(double GBps) {
  return finite(std::round(GBps * 10.0) / 10.0);
}

void write_figures(const std::vector<Figure>& figures,
                   const std::optional<bandwidth::Datasheet>& datasheet, json::object& fields) {
  double largest_error = 0.0;
  json::object all;
  for (const Kernel kernel : bandwidth::all_kernels)
    fields[std::string(to_string(kernel)) + "_GBps"] = nullptr;
  fields["pct_of_datasheet"] = nullptr;
  for (const Figure& figure : figures) {
    const std::string name(to_string(figure.kernel));
    largest_error = std::max(largest_error, figure.verify_max_rel);
    fields[name + "_GBps"] = rounded(figure.median());
    json::object one;
    one["min_GBps"] = rounded(figure.least());
    one["median_GBps"] = rounded(figure.median());
    one["max_GBps"] = rounded(figure.most());
    one["verify_max_rel"] = finite(figure.verify_max_rel);
    one["pct_of_datasheet"] = nullptr;
    if (datasheet && figure.kernel != Kernel::l2_read) {
      one["pct_of_datasheet"] = rounded(100.0 * figure.median() / datasheet->GBps);
      if (figure.kernel == Kernel::copy) fields["pct_of_datasheet"] = one["pct_of_datasheet"];
    }
    all[name] = std::move(one);
  }
  fields["figures"] = std::move(all);
  fields["verify_max_rel"] = finite(largest_error);
}

// A speed to be held against: against 0 everything would pass.
Result<std::optional<double>> above_0(const json::object& inputs, const char* name) {
  if (!has(inputs, name)) return std::optional<double>();
  const double given = number(inputs, name, 0.0);
  if (!(given > 0.0))
    return fail(ErrorCode::invalid_argument, std::string(name) + " is not above 0");
  return std::optional(given);
}

Result<std::optional<bandwidth::Datasheet>> datasheet_for(const JobRequest& request,
                                                          Backend backend) {
  CR_TRY(const auto given, above_0(request.inputs, "datasheet_GBps"));
  if (given) return std::optional(bandwidth::Datasheet{*given, "given"});
  if (backend != Backend::cuda) return std::optional<bandwidth::Datasheet>();
  CR_TRY(const bandwidth::MemoryFacts facts, bandwidth::memory_facts());
  const auto datasheet = bandwidth::datasheet_of(facts);
  if (!datasheet)
    return fail(ErrorCode::unsupported,
                "the driver does not tell the memory's clock and width; give datasheet_GBps");
  return datasheet;
}

Result<JobReport> run(const JobRequest& request) {
  CR_TRY(const Backend backend, choose_backend(request));
  CR_TRY(const std::int64_t bytes, bytes_of(request, backend));
  CR_TRY(const std::vector<Kernel> kernels, kernels_of(request, backend));
  CR_TRY(const std::int64_t reps, whole_within(request.inputs, "reps", 20, 20, 100));
  CR_TRY(const auto datasheet, datasheet_for(request, backend));
  CR_TRY(const auto baseline, above_0(request.inputs, "baseline_copy_GBps"));
  CR_TRY(const auto streams, streams_on(backend, bytes));

  nvml::Summary seen;
  std::vector<Figure> figures;
  if (const auto watched = backend == Backend::cuda
                               ? nvml::Device::open(device()->uuid)
                               : fail(ErrorCode::unavailable, "the host is measured")) {
    nvml::Sampler sampler(*watched, std::chrono::milliseconds(20));
    CR_TRY(figures,
           bandwidth::measure(*streams, kernels, static_cast<int>(reps), bandwidth::stream_scalar));
    seen = nvml::summary_of(sampler.stop());
  } else {
    CR_TRY(figures,
           bandwidth::measure(*streams, kernels, static_cast<int>(reps), bandwidth::stream_scalar));
  }

  JobReport report;
  report.backend = backend;
  report.status = Status::pass;
  report.perf_valid = backend == Backend::cuda && !seen.throttled;
  report.fields["bytes"] = bytes;
  report.fields["reps"] = reps;
  write_figures(figures, datasheet, report.fields);
  report.fields["datasheet_GBps"] = datasheet ? finite(datasheet->GBps) : json::value(nullptr);
  report.fields["datasheet_source"] = datasheet ? datasheet->source : "none";
  const auto told = [](const auto& value) {
    return value ? json::value(*value) : json::value(nullptr);
  };
  report.fields["sm_clock_mhz_median"] = told(seen.sm_clock_mhz_median);
  report.fields["mem_clock_mhz_median"] = told(seen.mem_clock_mhz_median);
  report.fields["power_w_mean"] = told(seen.power_w_mean);
  report.fields["throttle_reasons"] = static_cast<std::int64_t>(seen.throttle_reasons);

  const bandwidth::Judgement judgement = bandwidth::judge(figures, datasheet, baseline);
  for (const std::string& reason : judgement.reasons) report.fail_with(reason);
  if (judgement.impossible) report.status = Status::error;
  report.message = judgement.message;
  return report;
}

}  // namespace

Job bandwidth_device_job() {
  Job job;
  job.name = "bw.device";
  job.version = 1;
  job.title = "memory bandwidth of the device: read, write, copy, scale, triad, L2; data checked";
  job.inputs =
      "{bytes?: int, kernels?: list<string>, reps?: int, datasheet_GBps?: double, "
      "baseline_copy_GBps?: double}";
  job.result =
      "{bytes: int, reps: int, copy_GBps: double, scale_GBps?: double, triad_GBps?: double, "
      "read_GBps?: double, write_GBps?: double, l2_read_GBps?: double, pct_of_datasheet?: double, "
      "datasheet_GBps?: double, datasheet_source: string, verify_max_rel: double, "
      "figures: map<string, {min_GBps: double, median_GBps: double, max_GBps: double, "
      "verify_max_rel: double, pct_of_datasheet?: double}>, sm_clock_mhz_median?: int, "
      "mem_clock_mhz_median?: int, power_w_mean?: double, throttle_reasons: int}";
  job.timeout = std::chrono::seconds(120);
  job.run = run;
  return job;
}

}  // namespace checkride::kernels
