#include "workflows/jobs/catalog.h"

#include "workflows/jobs/kind.h"

namespace checkride {

JobCatalog builtin_jobs() {
  JobCatalog catalog;
  jobs::add_process_kinds(catalog);
  jobs::add_person_kinds(catalog);
  jobs::add_text_kinds(catalog);
  jobs::add_toolbox_kinds(catalog);
  jobs::add_status_kinds(catalog);
  jobs::add_upstream_kinds(catalog);
  jobs::add_branch_kinds(catalog);
  jobs::add_worktree_kinds(catalog);
  jobs::add_export_kinds(catalog);
  jobs::add_patch_kinds(catalog);
  jobs::add_apply_kinds(catalog);
  jobs::add_residue_kinds(catalog);
  jobs::add_python_kinds(catalog);
  return catalog;
}

}  // namespace checkride
