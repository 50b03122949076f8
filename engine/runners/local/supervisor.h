// The supervisor: the small process between engine and job, and the body of the hidden verb
// `checkride supervise FOLDER`. It claims the attempt, starts the job, streams its output to disk,
// enforces its timeout, ends what it left behind, and writes the manifest. It outlives the engine;
// the engine may be killed and come back at any moment (docs/decisions/0004-claims.md).
#pragma once

#include <filesystem>

#include "engine/ports/job_kind.h"

namespace checkride {

// Carries out the attempt in `folder`. Blocks until its end. Call first thing in a process that has
// one thread and, best, blocks SIGTERM, SIGHUP, SIGINT, SIGQUIT and SIGCHLD (LocalRunner spawns it
// so; blocked here too). The calling process becomes the guard (guard_process.h) and the supervisor
// is its child, in a session of its own. SIGTERM to either cancels the attempt. When the job is
// about to run a line goes to standard output: what the engine waits for to read identity.json.
//
// Returns in both processes, with the exit code: 0 with a manifest written or the attempt claimed
// by another, 4 when neither was possible; complaints go to standard error.
int supervise(const std::filesystem::path& folder, const JobCatalog& catalog);

}  // namespace checkride
