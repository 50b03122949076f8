#include "kernels/attention/sdpa_job.h"

#include <set>
#include <span>

#include "engine/base/digest.h"
#include "kernels/attention/sdpa_judge.h"
#include "kernels/attention/sdpa_subject.h"
#include "kernels/attention/sdpa_timing.h"
#include "kernels/job/inputs.h"

namespace checkride::kernels {
namespace attention {
namespace {

constexpr std::string_view inputs_type =
    "{q?: path, k?: path, v?: path, q_tensor?: string, k_tensor?: string, v_tensor?: string, "
    "distribution?: string, batch?: int, heads?: int, kv_heads?: int, seq?: int, kv_seq?: int, "
    "head_dim?: int, causal?: bool, dtype?: string, scale?: double, impl?: string, repeats?: int, "
    "invariants?: bool, timing?: bool}";

constexpr std::string_view result_type =
    "{impl_used: string, num_ctas?: int, splits: int, dtype: string, oracle: string, "
    "oracle_rows: int, n: int, mismatch: int, mismatch_pct: double, max_abs?: double, "
    "max_abs_index?: int, max_rel?: double, mean_abs?: double, rel_fro?: double, cosine?: double, "
    "ref_rms?: double, ref_max_abs?: double, nan_actual: int, nan_expected?: int, inf_actual: int, "
    "inf_expected?: int, nan_position_mismatch?: int, unwritten: int, ulp_p50?: int, "
    "ulp_p99?: int, ulp_max?: int, ulp_hist?: list<int>, "
    "worst?: list<{index: int, a?: double, b?: double}>, hash_actual?: string, "
    "hash_expected?: string, "
    "err_max?: double, err_budget?: double, rel_fro_model?: double, err_over_model?: double, "
    "lse_max_abs?: double, deterministic: bool, runs: int, unique_hashes: int, "
    "output_sha256: string, invariants: map<string, string>, v_one_max_abs?: double, "
    "causal_first_row_exact?: bool, linear_in_v_max_abs?: double, permutation_max_abs?: double, "
    "extreme_not_finite?: int, extreme_max_abs?: double, timing_mode: string, pdl: bool, "
    "latency_us_per_launch?: double, latency_cold_us_per_launch?: double, p05_us?: double, "
    "p95_us?: double, floor_us?: double, body_us?: double, TFLOPs?: double, bound_us?: double, "
    "bound_by?: string, attained_of_bound_pct?: double, nodes?: int}";

Digest digest_of(const std::vector<std::uint16_t>& bits) {
  return sha256(std::as_bytes(std::span(bits)));
}

std::string inputs_digest(const HostTensors& tensors) {
  Sha256 all;
  for (const auto* bits : {&tensors.q, &tensors.k, &tensors.v})
    all.update(std::as_bytes(std::span(*bits)));
  return to_hex(all.finish());
}

void take(JobReport& report, const Judgement& judged) {
  for (const auto& [name, value] : judged.fields) report.fields[name] = value;
  for (const std::string& reason : judged.reasons) report.fail_with(reason);
}

Result<JobReport> run(const JobRequest& request) {
  SdpaOptions options;
  options.seed = request.seed;
  options.invariants = flag(request.inputs, "invariants", true);
  CR_TRY(const SdpaCase sdpa, sdpa_case(request));
  const bool on_device = sdpa.backend == Backend::cuda;
  options.timed = on_device && flag(request.inputs, "timing", true);
  CR_TRY(const std::int64_t repeats,
         whole_within(request.inputs, "repeats", on_device ? 20 : 2, 1, 1000));
  options.repeats = static_cast<int>(repeats);
  CR_TRY(const auto pass, forward_pass(sdpa));
  return judge_case(sdpa, *pass, options);
}

}  // namespace

void judge_time(JobReport& report) {
  const json::value* attained = report.fields.if_contains("attained_of_bound_pct");
  const json::value* by = report.fields.if_contains("bound_by");
  // What lies in the cache may well be read faster than memory delivers.
  if (attained == nullptr || !attained->is_double() || attained->get_double() <= 100.0 ||
      by == nullptr || *by == "memory")
    return;
  report.reasons.emplace_back("above_physical_limit");
  if (report.status == Status::fail) return;
  report.status = Status::error;
  report.message = "the time is below what the device can do: the measurement is wrong";
}

Result<JobReport> judge_case(const SdpaCase& sdpa, ForwardPass& pass, const SdpaOptions& options) {
  JobReport report;
  report.status = Status::pass;
  report.backend = sdpa.backend;
  report.perf_valid = options.timed;
  report.inputs_sha256 = inputs_digest(sdpa.tensors);
  json::object& fields = report.fields;
  fields["impl_used"] = sdpa.impl_used;
  fields["dtype"] = sdpa.e4m3 ? "e4m3" : to_string(sdpa.problem.dtype);
  fields["num_ctas"] = nullptr;
  if (sdpa.backend == Backend::cuda) fields["num_ctas"] = sdpa.plan.num_ctas();
  fields["splits"] = sdpa.tiling.parts;
  fields["timing_mode"] = options.timed ? "graph_hot" : "none";
  fields["pdl"] = false;

  std::set<Digest> hashes;
  std::vector<std::uint16_t> out;
  for (int i = 0; i < options.repeats; ++i) {
    CR_TRY(auto again, pass.compute(sdpa.tensors));
    hashes.insert(digest_of(again));
    if (i == 0) {
      fields["output_sha256"] = to_hex(digest_of(again));
      out = std::move(again);
    }
  }
  const Judgement judged = judge_output(sdpa, out, options.seed);
  take(report, judged);
  if (options.invariants) {
    CR_TRY(const Judgement invariants,
           judge_invariants(sdpa, pass, out, judged.err_budget, options.seed));
    take(report, invariants);
  } else {
    fields["invariants"] = json::object();
    for (const char* name : {"v_one_max_abs", "causal_first_row_exact", "linear_in_v_max_abs",
                             "permutation_max_abs", "extreme_not_finite", "extreme_max_abs"})
      fields[name] = nullptr;
  }
  fields["runs"] = options.repeats;
  fields["unique_hashes"] = static_cast<std::int64_t>(hashes.size());
  fields["deterministic"] = hashes.size() == 1;
  if (hashes.size() != 1) report.fail_with("not_deterministic");
  CR_TRY(const json::object timing, timing_fields(sdpa, options.timed));
  for (const auto& [name, value] : timing) fields[name] = value;
  judge_time(report);
  if (report.status == Status::fail)
    report.message = "The " + sdpa.impl_used +
                     " attention kernel's output is wrong: " + report.reasons.front() +
                     " is the first of the reasons.";
  return report;
}

}  // namespace attention

Job sdpa_forward_job() {
  Job job;
  job.name = "sdpa.forward";
  job.version = 2;  // 2: all that tensor.compare finds
  job.title = "attention, forward: judged by fp64, invariants and repetition, and timed";
  job.inputs = attention::inputs_type;
  job.result = attention::result_type;
  job.run = attention::run;
  job.subject = attention::sdpa_subject;
  return job;
}

}  // namespace checkride::kernels
