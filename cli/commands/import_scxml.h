// `checkride import-scxml FILE`: an SCXML document as a definition, on the output.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct ImportScxmlOptions {
  std::string file;
};
// exit_usage when a part that matters could not be carried over; the definition is printed anyway.
int cmd_import_scxml(const Context& context, const ImportScxmlOptions& options);

}  // namespace checkride::cli
