// What became of an attempt, read from its folder and from the living processes. look_at_attempt()
// changes nothing; settle_attempt() makes the answer final where it can: it voids the claim of an
// attempt that never started and ends what a dead supervisor left running.
// docs/decisions/0004-claims.md.
//
// Blocking: call from a pool thread.
#pragma once

#include <filesystem>
#include <string>

#include "engine/base/files.h"
#include "engine/decider/job.h"
#include "engine/ports/job_runner.h"

namespace checkride {

struct AttemptFindings {
  AttemptTrace trace = AttemptTrace::absent;
  ProcessIdentity identity;  // running, lost, unknown: the best known; job_pid 0 before the job ran
  bool started = false;      // identity is that of identity.json
  JobOutcome outcome;        // finished: the manifest
  std::string text;          // unknown: what was looked at, one sentence
};
AttemptFindings look_at_attempt(const std::filesystem::path& folder, const Token& token);

struct Settlement {
  // adopt: `supervisor` watches it. ended: `outcome` tells how, also lost and never started.
  enum class Kind : std::uint8_t { adopt, ended, unknown } kind = Kind::unknown;
  FileDescriptor supervisor;  // pidfd
  ProcessIdentity identity;
  bool started = false;
  JobOutcome outcome;
  std::string findings;
};
Settlement settle_attempt(const std::filesystem::path& folder, const Token& token);

}  // namespace checkride
