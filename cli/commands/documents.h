// What the verbs that work on definitions share: loading one by name or path.
#pragma once

#include <memory>
#include <string>

#include "cli/context.h"
#include "workflows/loader/load.h"

namespace checkride::cli {

// How a definition is loaded here: the program's kinds, other workflows by name or path.
LoadOptions load_options(const Context& context);
// The definition; else the exit code, after its diagnostics (or the error) were printed.
tl::expected<std::shared_ptr<const Definition>, int> load_document(const Context& context,
                                                                   const std::string& source);

}  // namespace checkride::cli
