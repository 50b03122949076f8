#include <algorithm>
#include <chrono>

#include "engine/base/assert.h"
#include "engine/ports/clock.h"
#include "engine/ports/job_kind.h"
#include "engine/ports/job_runner.h"

namespace checkride {

Timestamp SystemClock::now() const {
  return Timestamp{std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count()};
}

Duration SystemClock::monotonic() const {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

std::string_view to_string(AttemptTrace trace) {
  switch (trace) {
    case AttemptTrace::absent: return "absent";
    case AttemptTrace::voided: return "voided";
    case AttemptTrace::running: return "running";
    case AttemptTrace::finished: return "finished";
    case AttemptTrace::lost: return "lost";
    case AttemptTrace::unknown: return "unknown";
  }
  return "unknown";
}

void JobCatalog::add(std::unique_ptr<JobKind> kind) {
  const auto place = std::lower_bound(
      kinds_.begin(), kinds_.end(), kind->signature().name,
      [](const auto& a, const std::string& name) { return a->signature().name < name; });
  CR_ASSERT(place == kinds_.end() || (*place)->signature().name != kind->signature().name,
            kind->signature().name);
  kinds_.insert(place, std::move(kind));
}

const JobKind* JobCatalog::find(std::string_view name) const {
  for (const auto& kind : kinds_)
    if (kind->signature().name == name) return kind.get();
  return nullptr;
}

std::vector<const JobSignature*> JobCatalog::signatures() const {
  std::vector<const JobSignature*> all;
  for (const auto& kind : kinds_) all.push_back(&kind->signature());
  return all;
}

JobOutcome completed(cel::Map result, JobStatus status) {
  JobOutcome outcome;
  outcome.status = status;
  outcome.completed = true;
  outcome.result = cel::Value(std::move(result));
  return outcome;
}

JobOutcome not_completed(JobStatus status, FailureClass failure, std::string message) {
  JobOutcome outcome;
  outcome.status = status;
  outcome.failure = failure;
  outcome.message = std::move(message);
  return outcome;
}

}  // namespace checkride
