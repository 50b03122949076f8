// `checkride schema`: the definition language, for editors (JSON Schema) or people (Markdown).
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct SchemaOptions {
  std::string format = "json";  // json or md
};
int cmd_schema(const Context& context, const SchemaOptions& options);

}  // namespace checkride::cli
