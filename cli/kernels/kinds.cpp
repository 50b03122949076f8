#include "cli/kernels/kinds.h"

#include "cli/parameters.h"
#include "engine/base/assert.h"
#include "kernels/catalog/catalog.h"
#include "kernels/job/envelope.h"
#include "workflows/jobs/catalog.h"

namespace checkride::cli {

namespace {

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

std::vector<JobFact> facts_of(const cel::Value& report) {
  cel::Map fields;
  for (const char* name : {"job", "status", "backend"})
    fields.set(name, report.string_or(name, ""));
  std::vector<JobFact> facts{{"kernel.judged", fields}};
  if (report.string_or("verdict", "") == "regressed")
    facts.push_back({"regression.found", std::move(fields)});
  return facts;
}

class KernelKind final : public JobKind {
 public:
  KernelKind(const kernels::Job& job, std::string program)
      : signature_(cli::signature_of(job)), program_(std::move(program)) {}
  const JobSignature& signature() const override { return signature_; }

  std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                const JobContext& context) const override {
    ProcessCommand command;
    // The job's own limit is for people at a terminal; here the attempt's timeouts rule.
    command.argv = {program_, "kernel",      "run",      signature_.name,
                    "--json", "--inputs",    "-",        "--timeout",
                    "0",      "--exit-zero", "--folder", "kernels/" + spec.token.value};
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
    if (!report || report->kind() != cel::Kind::map)
      return not_completed(
          JobStatus::error, FailureClass::code,
          "it printed no report" +
              (end.stderr_tail.empty() ? "" : ": " + end.stderr_tail.substr(0, 500)));
    const std::string status = report->string_or("status", "error");
    if (status != "pass" && status != "fail") return ended_without_result(*report);
    auto fitted = fit(*report, signature_.result);
    const auto fits = fitted ? cel::conforms(*fitted, signature_.result)
                             : Result<void>(tl::unexpected(fitted.error()));
    if (!fits)
      return not_completed(JobStatus::error, FailureClass::code,
                           "its report is not of its type: " + fits.error().text());
    JobOutcome outcome =
        completed(fitted->as_map(), status == "pass" ? JobStatus::pass : JobStatus::fail);
    outcome.facts = facts_of(*report);
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

JobCatalog all_jobs(const std::string& program) {
  JobCatalog catalog = builtin_jobs();
  for (const kernels::Job& job : kernels::jobs())
    catalog.add(std::make_unique<KernelKind>(job, program));
  return catalog;
}

}  // namespace checkride::cli
