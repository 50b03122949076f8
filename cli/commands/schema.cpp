#include "cli/commands/schema.h"

#include <ostream>

#include "cli/render/json.h"
#include "workflows/views/schema.h"

namespace checkride::cli {

int cmd_schema(const Context& context, const SchemaOptions& options) {
  const auto kinds = context.catalog.signatures();
  if (options.format == "json")
    context.out << json_schema(kinds);
  else if (context.json)
    context.out << document(json::object{{"markdown", language_reference(kinds)}});
  else
    context.out << language_reference(kinds);
  return exit_ok;
}

}  // namespace checkride::cli
