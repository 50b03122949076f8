#include "engine/decider/job.h"

#include <array>

namespace checkride {

namespace {

constexpr std::array<std::string_view, 5> status_names = {"pass", "fail", "error", "unavailable",
                                                          "skipped"};
constexpr std::array<std::string_view, 8> failure_names = {
    "none", "code", "infra", "flaky", "resource", "timeout", "lost", "unavailable"};
constexpr std::array<std::string_view, 5> limit_names = {"none", "queue", "start", "run",
                                                         "silence"};

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

std::string_view to_string(TimeLimit limit) {
  return limit_names[static_cast<std::size_t>(limit)];
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
Result<TimeLimit> parse_time_limit(std::string_view text) {
  for (std::size_t i = 0; i < limit_names.size(); ++i)
    if (limit_names[i] == text) return static_cast<TimeLimit>(i);
  return fail(ErrorCode::invalid_argument, "'" + std::string(text) + "' is no time limit");
}

bool needs_lease(const JobSpec& spec) {
  return !spec.needs.units.empty() || spec.limits.queue_timeout.has_value();
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
  // What older versions did not have counts only where it is used.
  const auto limit = [&](const char* name, const std::optional<Duration>& value) {
    if (value) text += std::string("\n") + name + " " + std::to_string(value->count());
  };
  limit("queue", spec.limits.queue_timeout);
  limit("start", spec.limits.start_timeout);
  limit("silence", spec.limits.silence_timeout);
  for (const auto& [resource, count] : spec.needs.units)
    text += "\nneeds " + resource + " " + std::to_string(count);
  if (spec.needs.exclusive) text += "\nexclusive";
  return sha256(text);
}

}  // namespace checkride
