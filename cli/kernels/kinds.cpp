#include "cli/kernels/kinds.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "cli/parameters.h"
#include "engine/base/assert.h"
#include "kernels/catalog/catalog.h"
#include "kernels/job/envelope.h"
#include "workflows/jobs/catalog.h"

namespace checkride::cli {

namespace {

constexpr std::size_t output_kept_bytes = 64 << 10;  // ProcessEnd::stdout_tail

// Without a result: the class by the first reason, as the frame and the jobs name them.
JobOutcome ended_without_result(const cel::Value& report) {
  const std::string status = report.string_or("status", "error");
  const cel::Value* reasons = report.field("reasons");
  std::string reason;
  if (reasons != nullptr && reasons->kind() == cel::Kind::list && !reasons->as_list().empty() &&
      reasons->as_list().front().kind() == cel::Kind::string)
    reason = reasons->as_list().front().as_string();
  const std::string message = (reason.empty() || reason == status ? "" : reason + ": ") +
                              report.string_or("message", "no message");
  if (status == "unavailable")
    return not_completed(JobStatus::unavailable, FailureClass::unavailable, message);
  if (status == "skipped")
    return not_completed(JobStatus::skipped, FailureClass::unavailable, message);
  FailureClass failure = FailureClass::code;
  if (reason == "out_of_memory") failure = FailureClass::resource;
  if (reason == "timeout") failure = FailureClass::timeout;
  if (reason == "io" || reason == "device_fault" || reason == "killed")
    failure = FailureClass::infra;
  return not_completed(JobStatus::error, failure, message);
}

constexpr std::size_t regressions_told_max = 4;

// What a finding of a regression says, of one metric of one thing measured.
constexpr std::array<const char*, 26> regression_fields = {
    "metric",        "unit",         "direction",         "timing_mode",         "cell",
    "shape",         "n_blocks",     "samples_per_block", "base_median",         "cand_median",
    "ratio",         "ratio_ci99",   "theta_sd_pct",      "p_one_sided",         "holm_p",
    "hl_ratio",      "cliffs_delta", "cycles_ratio",      "clock_ratio",         "discarded",
    "verdict",       "scope",        "margins",           "confirmed_in_cycles", "base_artifacts",
    "cand_artifacts"};

std::vector<JobFact> facts_of(const cel::Value& result) {
  cel::Map judged;
  for (const char* name : {"job", "status", "backend"})
    judged.set(name, result.string_or(name, ""));
  std::vector<JobFact> facts{{"kernel.judged", judged}};
  const cel::Value* cells = result.field("cells");
  if (cells == nullptr || cells->kind() != cel::Kind::list) return facts;
  for (const cel::Value& cell : cells->as_list()) {
    if (cell.string_or("verdict", "") != "regressed") continue;
    if (facts.size() > regressions_told_max) break;
    cel::Map fields = judged;
    for (const char* name : regression_fields)
      if (const cel::Value* value = cell.field(name)) fields.set(name, *value);
    facts.push_back({"regression.found", std::move(fields)});
  }
  return facts;
}

bool is_answer(std::string_view status) {
  return status == "pass" || status == "fail";
}

// The result of an answer, null fields absent.
Result<cel::Value> result_of(const cel::Value& report, const cel::Type& type) {
  CR_TRY(cel::Value fitted, fit(report, type));
  CR_CHECK(cel::conforms(fitted, type));
  return fitted;
}
std::string not_of_its_type(const Error& error) {
  return "its report is not of its type: " + error.text();
}

class KernelKind final : public JobKind {
 public:
  KernelKind(const kernels::Job& job, std::string program)
      : signature_(cli::signature_of(job)), program_(std::move(program)) {}
  const JobSignature& signature() const override { return signature_; }

  std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                const JobContext& context) const override {
    ProcessCommand command;
    command.argv = {
        program_,   "kernel", "run",         signature_.name, "--json",
        "--inputs", "-",      "--exit-zero", "--folder",      "kernels/" + spec.token.value};
    // Where the attempt has a limit that rules; a job that hangs never goes without one.
    if (spec.limits.run_timeout) command.argv.insert(command.argv.end(), {"--timeout", "0"});
    command.folder = context.run_folder;
    command.input = cel::to_json(cel::Value(spec.inputs));
    return Result<ProcessCommand>(std::move(command));
  }

  JobOutcome finish(const JobSpec& spec, const ProcessEnd& end) const override {
    static_cast<void>(spec);
    if (end.signal)
      return not_completed(JobStatus::error, FailureClass::infra,
                           "signal " + std::to_string(*end.signal) + " ended it");
    const auto report = cel::from_json(end.stdout_tail);
    if (end.stdout_tail.size() >= output_kept_bytes)
      return not_completed(JobStatus::error, FailureClass::code,
                           "its report is larger than the 64 KiB kept of a job's output; give it "
                           "less to judge at once");
    if (!report || report->kind() != cel::Kind::map)
      return not_completed(
          JobStatus::error, FailureClass::code,
          "it printed no report" +
              (end.stderr_tail.empty() ? "" : ": " + end.stderr_tail.substr(0, 500)));
    const std::string status = report->string_or("status", "error");
    if (!is_answer(status)) return ended_without_result(*report);
    const auto result = result_of(*report, signature_.result);
    if (!result)
      return not_completed(JobStatus::error, FailureClass::code, not_of_its_type(result.error()));
    JobOutcome outcome =
        completed(result->as_map(), status == "pass" ? JobStatus::pass : JobStatus::fail);
    outcome.facts = facts_of(*result);
    return outcome;
  }

 private:
  JobSignature signature_;
  std::string program_;
};

cel::Type type_of(std::string_view record, std::string_view shared, const kernels::Job& job) {
  auto type = cel::parse_type(kernels::joined_record(record, shared));
  CR_ASSERT(type.has_value(), std::string(job.name), type ? "" : type.error().text());
  return *std::move(type);
}

}  // namespace

JobSignature signature_of(const kernels::Job& job) {
  JobSignature signature;
  signature.name = std::string(job.name);
  signature.version = static_cast<std::uint32_t>(job.version);
  signature.title = std::string(job.title);
  signature.inputs = type_of(job.inputs, kernels::shared_inputs, job);
  signature.result = type_of(job.result, kernels::shared_result, job);
  signature.repeat = Repeat::safe;
  return signature;
}

kernels::json::object held_to_type(kernels::json::object report, const cel::Type& result) {
  if (!is_answer(std::string(report.at("status").as_string()))) return report;
  const auto value = cel::from_json(kernels::json::serialize(report));
  const auto answer = value ? result_of(*value, result) : value;
  if (answer) return report;
  report["status"] = "error";
  report["reasons"] = kernels::json::array{"wrong_type"};
  report["message"] = not_of_its_type(answer.error());
  return report;
}

JobCatalog all_jobs(const std::string& program) {
  JobCatalog catalog = builtin_jobs();
  for (const kernels::Job& job : kernels::jobs())
    catalog.add(std::make_unique<KernelKind>(job, program));
  return catalog;
}

}  // namespace checkride::cli
