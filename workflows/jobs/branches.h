// Which branches a run created. The run's note of a branch is made before it and counts only with
// it, so that a repetition after a crash, and the rollback that may delete only its own, cannot be
// mistaken. (Git writes the refs of one transaction one by one: killed in between it leaves some.)
#pragma once

#include <string>

#include "workflows/jobs/git.h"

namespace checkride::jobs {

struct BranchState {
  std::string commit;    // empty: there is no such branch
  bool created = false;  // by this run
};
// An error if `name` is no valid branch name.
Result<BranchState> look_at_branch(const Git& git, const RunId& root, const std::string& name);
// Creates the branch at `commit`; an error if it exists by now.
Result<void> create_branch(const Git& git, const RunId& root, const std::string& name,
                           const std::string& commit);
// Deletes a branch this run created, if it still stands at `tip`.
Result<void> delete_branch(const Git& git, const RunId& root, const std::string& name,
                           const std::string& tip);

}  // namespace checkride::jobs
