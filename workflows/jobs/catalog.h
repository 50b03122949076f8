// The kinds of job this program has, but for those of the GPU kernels: programs and scripts, git,
// patches, Python sources, text checks, and the signatures of gates and child machines. What each
// of them takes and gives is tabled in README.md beside this file. Called once, by the composition
// root.
#pragma once

#include "engine/ports/job_kind.h"

namespace checkride {

JobCatalog builtin_jobs();

}  // namespace checkride
