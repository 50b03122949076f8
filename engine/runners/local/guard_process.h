// A supervisor that is killed takes its job with it: the kernel kills the job itself (parent-death
// signal), and the guard, the supervisor's parent, ends what the job had started. As the subreaper
// above both, the guard inherits every orphan, so nothing escapes it by a session of its own or a
// wiped environment, and an attempt whose engine and supervisor both died leaves nothing running.
// A guard that is killed is not missed: the supervisor does the same for its job.
#pragma once

#include <optional>

#include "engine/base/result.h"

namespace checkride {

// Splits the calling process, which has one thread, in two. Returns nothing in the child, the
// supervisor-to-be, leader of a new session. In the parent, the guard, it returns only after the
// child and all that descends from it have ended: with the child's exit code, or 4 if it was
// killed. SIGTERM to the guard is passed on to the child.
Result<std::optional<int>> split_off_guard();

}  // namespace checkride
