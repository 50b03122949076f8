// Which branches a run created. A branch and the run's note of it are made in one ref transaction,
// so that a repetition after a crash, and the rollback that may delete only its own, cannot be
// mistaken.
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
