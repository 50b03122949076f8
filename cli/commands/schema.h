// `checkride schema`: the definition language, for editors (JSON Schema) or people (Markdown); with
// --cases the language of rehearsal cases (JSON Schema).
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct SchemaOptions {
  std::string format = "json";  // json or md
  bool cases = false;
};
int cmd_schema(const Context& context, const SchemaOptions& options);

}  // namespace checkride::cli
