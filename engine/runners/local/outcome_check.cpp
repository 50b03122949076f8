#include "engine/runners/local/outcome_check.h"

#include "engine/ports/job_kind.h"

namespace checkride {

namespace {

constexpr std::size_t message_bytes_max = 4096;

// The outcome loses its result and says why.
void refuse(JobOutcome& outcome, JobStatus status, FailureClass failure, std::string message) {
  outcome.status = status;
  outcome.failure = failure;
  outcome.completed = false;
  outcome.result = cel::Value();
  outcome.message = std::move(message);
}

}  // namespace

void check_outcome(JobOutcome& outcome, const JobSignature& signature) {
  std::size_t bytes = cel::size_bytes(outcome.result);
  for (const JobFact& fact : outcome.facts) bytes += cel::size_bytes(cel::Value(fact.fields));
  if (bytes > result_bytes_max) {
    outcome.facts.clear();
    refuse(outcome, JobStatus::error, FailureClass::resource,
           "the result has " + std::to_string(bytes) + " bytes, more than the " +
               std::to_string(result_bytes_max) + " that a result may have");
  }
  if (outcome.completed) {
    if (const auto fits = cel::conforms(outcome.result, signature.result); !fits)
      refuse(outcome, JobStatus::error, FailureClass::code,
             "bug of the kind " + signature.name +
                 ": its result is not of the type it declares: " + fits.error().message);
  }
  if (outcome.message.size() > message_bytes_max) {
    std::size_t end = message_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(outcome.message[end]) & 0xC0) == 0x80) --end;
    outcome.message.resize(end);
    outcome.message += "...";
  }
}

void apply_unmet(JobOutcome& outcome, const std::vector<std::string>& unmet) {
  if (unmet.empty()) return;
  outcome.completed = false;
  if (outcome.status == JobStatus::pass) outcome.status = JobStatus::fail;
  // A kind that already says why (unavailable, skipped) knows better than a pattern.
  if (outcome.failure == FailureClass::none && outcome.status != JobStatus::skipped)
    outcome.failure =
        outcome.status == JobStatus::unavailable ? FailureClass::unavailable : FailureClass::code;
  std::string reasons;
  for (const std::string& sentence : unmet) reasons += (reasons.empty() ? "" : "; ") + sentence;
  // A kind that judges a process may have said the same.
  if (outcome.message.empty() || outcome.message == reasons)
    outcome.message = reasons;
  else
    outcome.message += " (" + reasons + ")";
}

std::vector<std::string> missing_files(const Expectation& expect,
                                       const std::filesystem::path& folder) {
  std::vector<std::string> missing;
  for (const std::string& name : expect.files) {
    std::error_code error;
    if (!std::filesystem::exists(folder / name, error))
      missing.push_back("the expected file '" + name + "' is not there");
  }
  return missing;
}

}  // namespace checkride
