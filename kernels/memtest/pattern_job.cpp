#include "kernels/memtest/pattern_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "kernels/job/device.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#include "kernels/nvml/nvml.h"

namespace checkride::kernels {

namespace memtest {

namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016llx", static_cast<unsigned long long>(value));
  return text;
}

json::object object_of(const FirstError& error) {
  const std::uint64_t different = error.mismatch.expected ^ error.mismatch.actual;
  json::array bits;
  for (int bit = 0; bit < 64; ++bit)
    if (((different >> bit) & 1) != 0) bits.emplace_back(bit);
  json::object object;
  object["addr"] = hex(error.mismatch.address);
  object["pattern"] = error.pattern;
  object["expected"] = hex(error.mismatch.expected);
  object["actual"] = hex(error.mismatch.actual);
  object["xor"] = hex(different);
  object["bits"] = std::move(bits);
  object["reread"] = json::array{hex(error.reread[0]), hex(error.reread[1])};
  object["class"] = std::string(to_string(error.fault));
  return object;
}

}  // namespace

JobReport report_of(const Outcome& outcome) {
  JobReport report;
  report.status = Status::pass;
  json::array first;
  for (const FirstError& error : outcome.first) first.push_back(object_of(error));
  json::array bits;
  for (const std::uint64_t count : outcome.bit_hist) bits.emplace_back(count);
  json::array patterns;
  for (const std::string& name : outcome.patterns_run) patterns.emplace_back(name);
  report.fields["errors"] = static_cast<std::int64_t>(outcome.errors);
  report.fields["first_errors"] = std::move(first);
  report.fields["bit_hist"] = std::move(bits);
  report.fields["class"] = std::string(to_string(outcome.fault));
  report.fields["patterns"] = std::move(patterns);
  report.fields["write_GBps"] =
      outcome.write_GBps > 0.0 ? finite(outcome.write_GBps) : json::value(nullptr);
  report.fields["read_GBps"] =
      outcome.read_GBps > 0.0 ? finite(outcome.read_GBps) : json::value(nullptr);
  if (outcome.errors > 0) {
    const FirstError& error = outcome.first.front();
    report.fail_with("memory_errors");
    report.message = std::to_string(outcome.errors) + " words read wrong, the first at " +
                     hex(error.mismatch.address) + " by " +
                     hex(error.mismatch.expected ^ error.mismatch.actual) + " (" +
                     std::string(to_string(error.fault)) + "); take the device out of use";
  }
  return report;
}

}  // namespace memtest

namespace {

using memtest::DeviceSpace;

constexpr std::int64_t mebibyte = 1LL << 20;
constexpr std::int64_t host_bytes_most = 64 * mebibyte;
constexpr double default_fraction = 0.9;

// Free and total bytes of the host's RAM.
Result<DeviceSpace> host_space() {
  std::ifstream file("/proc/meminfo");
  DeviceSpace space;
  std::string key;
  std::uint64_t kibibytes = 0;
  std::string unit;
  for (int line = 0; line < 64 && file >> key >> kibibytes; ++line) {
    std::getline(file, unit);
    if (key == "MemTotal:") space.total_bytes = kibibytes * 1024;
    if (key == "MemAvailable:") space.free_bytes = kibibytes * 1024;
  }
  if (space.free_bytes == 0) return fail(ErrorCode::unavailable, "/proc/meminfo tells no memory");
  return space;
}

Result<DeviceSpace> space_on([[maybe_unused]] Backend backend) {
#ifdef CR_CUDA
  if (backend == Backend::cuda) return memtest::device_space();
#endif
  return host_space();
}

Result<std::unique_ptr<memtest::Memory>> memory_on([[maybe_unused]] Backend backend,
                                                   std::uint64_t bytes) {
#ifdef CR_CUDA
  if (backend == Backend::cuda) return memtest::device_memory(bytes);
#endif
  return memtest::host_memory(bytes, host_threads());
}

Result<memtest::Plan> plan_of(const JobRequest& request) {
  memtest::Plan plan;
  plan.patterns = texts(request.inputs, "patterns");
  for (const std::string& name : plan.patterns)
    if (std::ranges::find(memtest::pattern_names, name) == std::end(memtest::pattern_names)) {
      std::string all;
      for (const std::string_view known : memtest::pattern_names)
        all += (all.empty() ? "" : ", ") + std::string(known);
      return fail(ErrorCode::invalid_argument,
                  "patterns names '" + name + "'; give some of " + all);
    }
  if (plan.patterns.empty())
    for (const std::string_view name : memtest::pattern_names)
      if (name != "bit_fade") plan.patterns.emplace_back(name);
  CR_TRY(const std::int64_t passes, whole_within(request.inputs, "passes", 1, 1, 100));
  CR_TRY(const std::int64_t fade, whole_within(request.inputs, "fade_seconds", 60, 0, 3600));
  plan.passes = static_cast<int>(passes);
  plan.fade = std::chrono::seconds(fade);
  plan.stop_on_error = flag(request.inputs, "stop_on_error", false);
  plan.seed = request.seed;
  return plan;
}

json::value increase(const std::optional<std::uint64_t>& before,
                     const std::optional<std::uint64_t>& after) {
  if (!before || !after) return nullptr;
  return static_cast<std::int64_t>(*after - *before);
}

// Rounded down to hundredths: a share is never shown as more than it is.
double pct(std::uint64_t part, std::uint64_t whole_bytes) {
  return std::floor(10000.0 * static_cast<double>(part) / static_cast<double>(whole_bytes)) / 100.0;
}

Result<JobReport> run(const JobRequest& request) {
  CR_TRY(const Backend backend, choose_backend(request));
  CR_TRY(const memtest::Plan plan, plan_of(request));
  const double fraction = number(request.inputs, "fraction", default_fraction);
  if (!(fraction > 0.0 && fraction <= 0.98))
    return fail(ErrorCode::invalid_argument, "fraction is not above 0 and at most 0.98");
  CR_TRY(const std::int64_t most,
         whole_within(request.inputs, "max_bytes",
                      backend == Backend::cuda ? INT64_MAX : host_bytes_most, mebibyte, INT64_MAX));
  CR_TRY(const DeviceSpace space, space_on(backend));
  const std::uint64_t wanted =
      std::min(static_cast<std::uint64_t>(fraction * static_cast<double>(space.free_bytes)),
               static_cast<std::uint64_t>(most)) /
      16 * 16;
  CR_TRY(const auto tested, memory_on(backend, wanted));

  const auto watched = backend == Backend::cuda
                           ? nvml::Device::open(device()->uuid)
                           : fail(ErrorCode::unavailable, "the host is tested");
  const nvml::EccCounts before = watched ? watched->ecc() : nvml::EccCounts{};
  CR_TRY(const memtest::Outcome outcome, memtest::march(*tested, plan));
  const nvml::EccCounts after = watched ? watched->ecc() : nvml::EccCounts{};

  JobReport report = memtest::report_of(outcome);
  report.backend = backend;
  report.perf_valid = backend == Backend::cuda;
  const std::uint64_t bytes = tested->words() * 8;
  report.fields["bytes_tested"] = static_cast<std::int64_t>(bytes);
  report.fields["coverage_of_total_pct"] = pct(bytes, space.total_bytes);
  report.fields["coverage_of_free_pct"] = pct(bytes, space.free_bytes);
  report.fields["passes"] = plan.passes;
  report.fields["ecc_corrected_delta"] =
      increase(before.corrected_volatile, after.corrected_volatile);
  report.fields["ecc_uncorrected_delta"] =
      increase(before.uncorrected_volatile, after.uncorrected_volatile);
  const json::value& uncorrected = report.fields["ecc_uncorrected_delta"];
  if (uncorrected.is_int64() && uncorrected.get_int64() != 0) {
    report.fail_with("ecc_uncorrected");
    if (report.message.empty())
      report.message = "ECC met errors it could not correct; take the device out of use";
  }
  // Less than was asked for could be had: what was not tested is not known to be good.
  if (static_cast<double>(bytes) < 0.99 * static_cast<double>(wanted)) {
    report.fail_with("coverage_low");
    if (report.message.empty())
      report.message = "only " + std::to_string(bytes) + " of " + std::to_string(wanted) +
                       " bytes could be had; end what else uses the device";
  }
  return report;
}

}  // namespace

Job memory_pattern_job() {
  Job job;
  job.name = "mem.pattern";
  job.version = 1;
  job.title = "memory test by patterns: where, which bit, what kind of fault; ECC counts beside";
  job.inputs =
      "{fraction?: double, patterns?: list<string>, passes?: int, stop_on_error?: bool, "
      "max_bytes?: int, fade_seconds?: int}";
  job.result =
      "{bytes_tested: int, coverage_of_total_pct: double, coverage_of_free_pct: double, "
      "passes: int, patterns: list<string>, errors: int, first_errors: list<{addr: string, "
      "pattern: string, expected: string, actual: string, xor: string, bits: list<int>, "
      "reread: list<string>, class: string}>, bit_hist: list<int>, class: string, "
      "ecc_corrected_delta?: int, ecc_uncorrected_delta?: int, write_GBps?: double, "
      "read_GBps?: double}";
  job.timeout = std::chrono::seconds(600);
  job.run = run;
  return job;
}

}  // namespace checkride::kernels
