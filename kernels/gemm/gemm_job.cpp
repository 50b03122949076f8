#include "kernels/gemm/gemm_job.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "kernels/gemm/gemm_subject.h"
#include "kernels/gemm/runs.h"
#include "kernels/job/device.h"
#include "kernels/job/inputs.h"

namespace checkride::kernels {

namespace {

using gemm::Outcome;
using gemm::Problem;

constexpr std::int64_t size_max = 65536;
constexpr std::int64_t device_bytes_max = std::int64_t{48} << 30;  // of all three matrices
constexpr std::int64_t host_products_max = std::int64_t{1} << 34;  // multiplications in one C
constexpr double baseline_share_min = 0.95;

Result<Problem> problem_of(const JobRequest& request, Backend backend, std::int64_t host_size) {
  const json::object& inputs = request.inputs;
  const std::int64_t otherwise = backend == Backend::cuda ? 8192 : host_size;
  Problem problem;
  CR_TRY(problem.element, gemm::element_named(text(inputs, "dtype", "bf16")));
  CR_TRY(problem.m, whole_within(inputs, "m", otherwise, 16, size_max));
  CR_TRY(problem.n, whole_within(inputs, "n", otherwise, 16, size_max));
  CR_TRY(problem.k, whole_within(inputs, "k", otherwise, 16, size_max));
  problem.seed = request.seed;
  if (problem.m % 16 != 0 || problem.n % 16 != 0 || problem.k % 16 != 0)
    return fail(ErrorCode::invalid_argument, "m, n and k are not all multiples of 16");
  const auto bytes =
      static_cast<std::int64_t>(problem.a_bytes() + problem.b_bytes()) + problem.m * problem.n * 4;
  if (bytes > device_bytes_max)
    return fail(ErrorCode::invalid_argument, "the matrices take " + std::to_string(bytes) +
                                                 " bytes; at most " +
                                                 std::to_string(device_bytes_max) + " are used");
  return problem;
}

double quantile(std::vector<double> values, double fraction) {
  const auto at = static_cast<std::ptrdiff_t>(fraction * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

template <class Value>
json::value or_null(const std::optional<Value>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

// Verdicts in the order a person should read them; the first one's sentence is the message.
void fail_once(JobReport& report, std::string reason, std::string message) {
  report.fail_with(std::move(reason));
  if (report.message.empty()) report.message = std::move(message);
}

void judge(const Outcome& outcome, const Problem& problem, bool sdc, JobReport& report) {
  if (outcome.mismatch.count > 0)
    fail_once(report, "sdc_mismatch",
              "product " + std::to_string(outcome.mismatch_iteration.value_or(0)) +
                  " is wrong, first at row " + std::to_string(outcome.mismatch.row.value_or(-1)) +
                  ", column " + std::to_string(outcome.mismatch.column.value_or(-1)));
  if (outcome.nan_count + outcome.inf_count > 0)
    fail_once(report, "not_finite",
              std::to_string(outcome.nan_count) + " NaN and " + std::to_string(outcome.inf_count) +
                  " infinite elements in C");
  if (outcome.hash_changes > 0)
    fail_once(report, "hash_changes",
              std::to_string(outcome.hash_changes) + " of " + std::to_string(outcome.iterations) +
                  " products differ from the first in their bits");
  if (sdc && !(outcome.freivalds.value_or(INFINITY) <= gemm::freivalds_limit(problem)))
    fail_once(report, "freivalds", "the product of real numbers is wrong in some row");
}

Result<std::optional<double>> baseline_of(const json::object& inputs, bool sdc) {
  if (!has(inputs, "baseline_TFLOPs")) return std::optional<double>();
  const double baseline = number(inputs, "baseline_TFLOPs", 0.0);
  if (!(baseline > 0.0)) return fail(ErrorCode::invalid_argument, "baseline_TFLOPs is not above 0");
  if (sdc)
    return fail(ErrorCode::invalid_argument, "a baseline is compared in mode throughput only");
  return std::optional(baseline);
}

Result<JobReport> run(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  CR_TRY(const Backend backend, choose_backend(request));
  const bool on_device = backend == Backend::cuda;
  CR_TRY(const Problem problem, problem_of(request, backend, 512));
  CR_TRY(const std::string mode, choice(inputs, "mode", "throughput", {"throughput", "sdc"}));
  const bool sdc = mode == "sdc";
  const double seconds = number(inputs, "seconds", on_device ? 5.0 : 1.0);
  if (!(seconds >= 0.0 && seconds <= 200.0))
    return fail(ErrorCode::invalid_argument, "seconds is not within 0 to 200");

  CR_TRY(const std::optional<double> baseline, baseline_of(inputs, sdc));

  Outcome outcome;
  if (on_device) {
#ifdef CR_CUDA
    if (sdc) {
      CR_TRY(outcome, gemm::judge_on_device(problem, seconds));
    } else {
      CR_TRY(outcome, gemm::time_on_device(problem, seconds));
    }
#endif
  } else if (sdc) {
    CR_TRY(outcome, gemm::judge_on_host(problem, seconds));
  } else {
    CR_TRY(outcome, gemm::time_on_host(problem, seconds));
  }

  std::optional<double> median, p05, pct, pct_at_clock;
  if (!outcome.tflops.empty()) {
    median = quantile(outcome.tflops, 0.5);
    p05 = quantile(outcome.tflops, 0.05);
  }
  const auto peak = on_device && device() ? gemm::peak_tflops(problem.element, device()->sm,
                                                              device()->multiprocessors)
                                          : std::nullopt;
  if (median && peak) pct = 100.0 * *median / *peak;
  if (median && outcome.sm_clock_mhz && on_device && device()) {
    const auto at_clock = gemm::peak_tflops_at(problem.element, device()->sm,
                                               device()->multiprocessors, *outcome.sm_clock_mhz);
    if (at_clock) pct_at_clock = 100.0 * *median / *at_clock;
  }

  JobReport report;
  report.status = Status::pass;
  report.backend = backend;
  report.perf_valid = on_device && !sdc && !outcome.throttled;
  const bool freivalds_finite = outcome.freivalds && std::isfinite(*outcome.freivalds);
  report.fields = {
      {"mode", mode},
      {"dtype", std::string(to_string(problem.element))},
      {"m", problem.m},
      {"n", problem.n},
      {"k", problem.k},
      {"iters", outcome.iterations},
      {"TFLOPs_median", or_null(median)},
      {"TFLOPs_p05", or_null(p05)},
      {"peak_TFLOPs", or_null(peak)},
      {"pct_of_peak", or_null(pct)},
      {"pct_of_peak_at_clock", or_null(pct_at_clock)},
      {"sm_clock_mhz_median", or_null(outcome.sm_clock_mhz)},
      {"power_w_mean", or_null(outcome.power_w)},
      {"throttle_reasons", or_null(outcome.throttle_reasons)},
      {"hash_first", hex(outcome.hash_first)},
      {"hash_changes", outcome.hash_changes},
      {"nan_count", outcome.nan_count},
      {"inf_count", outcome.inf_count},
      {"rows_checked", outcome.rows_checked},
      {"sdc_mismatch", sdc ? json::value(outcome.mismatch.count) : json::value(nullptr)},
      {"sdc_iteration", or_null(outcome.mismatch_iteration)},
      {"sdc_row", or_null(outcome.mismatch.row)},
      {"sdc_col", or_null(outcome.mismatch.column)},
      {"freivalds_max_rel",
       freivalds_finite ? json::value(*outcome.freivalds) : json::value(nullptr)},
      {"freivalds_limit", sdc ? json::value(gemm::freivalds_limit(problem)) : json::value(nullptr)},
      {"cublaslt_version", static_cast<std::int64_t>(outcome.library_version)}};
  judge(outcome, problem, sdc, report);
  if (baseline && !(*median >= baseline_share_min * *baseline))
    fail_once(report, "below_baseline", "the median is below 95 % of baseline_TFLOPs");
  if (median && peak && *median > *peak) {
    report.status = Status::error;
    report.reasons.emplace_back("above_physical_limit");
    report.message = "the median is above what the device can do: the measurement is wrong";
  }
  return report;
}

Result<std::unique_ptr<Subject>> subject(const JobRequest& request) {
  CR_TRY(const Backend backend, choose_backend(request));
  CR_TRY(const Problem problem, problem_of(request, backend, 256));
#ifdef CR_CUDA
  if (backend == Backend::cuda) return gemm::subject_on_device(problem);
#endif
  if (problem.m * problem.n > host_products_max / problem.k)
    return fail(ErrorCode::invalid_argument, "this product is too large for the host");
  return gemm::subject_on_host(problem);
}

}  // namespace

Job gemm_tensor_job() {
  Job job;
  job.name = "gemm.tensor";
  job.title = "matrix products on tensor cores: speed, and silent errors";
  job.inputs =
      "{dtype?: string, m?: int, n?: int, k?: int, mode?: string, seconds?: double, "
      "baseline_TFLOPs?: double}";
  job.result =
      "{mode: string, dtype: string, m: int, n: int, k: int, iters: int, TFLOPs_median?: double, "
      "TFLOPs_p05?: double, peak_TFLOPs?: double, pct_of_peak?: double, "
      "pct_of_peak_at_clock?: double, "
      "sm_clock_mhz_median?: double, power_w_mean?: double, throttle_reasons?: int, hash_first: "
      "string, "
      "hash_changes: int, nan_count: int, inf_count: int, rows_checked: int, "
      "sdc_mismatch?: int, sdc_iteration?: int, sdc_row?: int, sdc_col?: int, "
      "freivalds_max_rel?: double, freivalds_limit?: double, cublaslt_version: int}";
  job.run = run;
  job.subject = subject;
  return job;
}

}  // namespace checkride::kernels
