// The type of patch.apply's result, which patch.recover gives as well and patch.residue takes.
#pragma once

#include <string>

#include "workflows/jobs/conflict.h"

namespace checkride::jobs {

inline const std::string apply_type =
    std::string(
        "{class: string, ok: bool, conflict: bool, exit_code: int, check_exit: int, patch: string, "
        "patch_sha256: string, head: string, tree_before: string, tree_after: string, "
        "commit: string, ref: string, targets: list<string>, target_count: int, "
        "python: list<string>, conflicts: ") +
    conflicts_type +
    ", conflict_files: int, hunks: int, missing_blobs: list<string>, lock: string, note: string, "
    "log: string, log_tail: string}";

}  // namespace checkride::jobs
