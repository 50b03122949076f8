// `checkride export-scxml NAME-or-FILE`: a definition as an SCXML document, on the output.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct ExportScxmlOptions {
  std::string source;  // shipped name or path
};
int cmd_export_scxml(const Context& context, const ExportScxmlOptions& options);

}  // namespace checkride::cli
