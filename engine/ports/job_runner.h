// Starts attempts, watches them, finds them again after a crash. A runner never decides what a job
// means; it reports. docs/decisions/0004-claims.md. Implementations: engine/runners/local,
// and a scripted one for tests; one behaviour suite runs over both (tests/support).
#pragma once

#include <string>

#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

// Told what happens to attempts; called on the engine's thread, never from within a call into the
// runner.
class JobListener {
 public:
  virtual ~JobListener() = default;
  virtual void on_started(const Token& token, const ProcessIdentity& identity, bool adopted) = 0;
  virtual void on_finished(const Token& token, const JobOutcome& outcome) = 0;
  // Its end cannot be proved; `findings` says what was looked at.
  virtual void on_unknown(const Token& token, const std::string& findings) = 0;
};

// What a look at an attempt found; looking changes nothing.
enum class AttemptTrace : std::uint8_t {
  absent,    // no claim: it never started
  voided,    // claimed by an engine so that it never can start
  running,   // its supervisor lives
  finished,  // a result manifest lies there
  lost,      // it ran and is provably gone, no manifest
  unknown,   // it ran; whether it still does cannot be told
};
std::string_view to_string(AttemptTrace trace);

class JobRunner {
 public:
  virtual ~JobRunner() = default;
  // Starts a new attempt. Called only after its JobIntended is durable. Ends in exactly one
  // on_finished or on_unknown.
  virtual void start(const JobSpec& spec) = 0;
  // Takes up an attempt that an earlier engine asked for: adopts it if it runs (on_started with
  // adopted), collects it if it finished, reports it lost, unknown, or never started (after voiding
  // its claim). Ends like start().
  virtual void recover(const JobSpec& spec) = 0;
  // Asks an attempt to end (TERM, then KILL after its grace); its on_finished follows with
  // cancelled set. Unknown tokens are ignored.
  virtual void cancel(const Token& token) = 0;
  virtual AttemptTrace look(const Token& token) const = 0;
  // Stops watching without touching the jobs; no callback comes after it.
  virtual void detach() = 0;
};

}  // namespace checkride
