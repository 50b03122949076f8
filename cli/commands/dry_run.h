// `checkride run --dry-run`: what the run would do. Parameters are resolved, the expected path is
// told step by step, and only looks that change nothing are made (JobKind::look). No store is
// opened; nothing is written.
#pragma once

#include <memory>

#include "cli/context.h"

namespace checkride::cli {

// `params` as given, checked against the definition. exit_failed when what the looks found already
// leads to an end that is no success.
int dry_run(const Context& context, const std::shared_ptr<const Definition>& definition,
            const cel::Map& params);

}  // namespace checkride::cli
