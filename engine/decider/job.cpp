#include "engine/decider/job.h"

#include <array>

namespace checkride {

namespace {

constexpr std::array<std::string_view, 5> status_names = {"pass", "fail", "error", "unavailable",
                                                          "skipped"};
constexpr std::array<std::string_view, 8> failure_names = {
    "none", "code", "infra", "flaky", "resource", "timeout", "lost", "unavailable"};

}  // namespace

std::string_view to_string(JobStatus status) {
  return status_names[static_cast<std::size_t>(status)];
}
std::string_view to_string(FailureClass failure) {
  return failure_names[static_cast<std::size_t>(failure)];
}
std::string_view to_string(Repeat repeat) {
  switch (repeat) {
    case Repeat::safe: return "safe";
    case Repeat::probe: return "probe";
    case Repeat::ask: return "ask";
  }
  return "ask";
}

Result<JobStatus> parse_job_status(std::string_view text) {
  for (std::size_t i = 0; i < status_names.size(); ++i)
    if (status_names[i] == text) return static_cast<JobStatus>(i);
  return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is no job status");
}
Result<FailureClass> parse_failure_class(std::string_view text) {
  for (std::size_t i = 0; i < failure_names.size(); ++i)
    if (failure_names[i] == text) return static_cast<FailureClass>(i);
  return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is no failure class");
}

Digest schema_digest(const JobSignature& signature) {
  return sha256(signature.name + "\n" + std::to_string(signature.version) + "\n" +
                cel::to_string(signature.inputs) + "\n" + cel::to_string(signature.result) + "\n" +
                std::string(to_string(signature.repeat)) + (signature.supervised ? "\ns" : "\ni"));
}

Digest spec_digest(const JobSpec& spec) {
  std::string text = spec.token.value + "\n" + spec.kind + "\n" +
                     std::to_string(spec.kind_version) + "\n" +
                     cel::to_cel(cel::Value(spec.inputs)) + "\n" + spec.folder + "\n";
  for (const std::int64_t code : spec.expect.exit_codes) text += std::to_string(code) + " ";
  for (const auto* list :
       {&spec.expect.log_contains, &spec.expect.log_lacks, &spec.expect.files, &spec.secrets}) {
    text += "\n";
    for (const std::string& item : *list) text += cel::to_cel(cel::Value(item)) + " ";
  }
  for (const ParseRule& rule : spec.parse)
    text += "\n" + rule.name + " " + cel::to_string(rule.type) + " " +
            cel::to_cel(cel::Value(rule.regex)) + " " + cel::to_cel(cel::Value(rule.file)) + " " +
            cel::to_cel(cel::Value(rule.pointer));
  text += "\n" + std::to_string(spec.limits.run_timeout ? spec.limits.run_timeout->count() : -1) +
          " " + std::to_string(spec.limits.grace.count()) + " " +
          std::to_string(spec.limits.output_bytes_max);
  return sha256(text);
}

}  // namespace checkride
