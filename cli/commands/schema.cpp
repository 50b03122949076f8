#include "cli/commands/schema.h"

#include <ostream>

#include "cli/render/json.h"
#include "workflows/rehearsal/cases.h"
#include "workflows/views/schema.h"

namespace checkride::cli {

int cmd_schema(const Context& context, const SchemaOptions& options) {
  const auto kinds = context.catalog.signatures();
  if (options.cases && options.format == "md")
    return report_error(context,
                        Error{ErrorCode::invalid_argument,
                              "the cases are described in docs/guides/test-a-procedure.md; "
                              "--cases gives JSON Schema alone",
                              {}});
  if (options.cases)
    context.out << rehearsal::cases_schema();
  else if (options.format == "json")
    context.out << json_schema(kinds);
  else if (context.json)
    context.out << document(json::object{{"markdown", language_reference(kinds)}});
  else
    context.out << language_reference(kinds);
  return exit_ok;
}

}  // namespace checkride::cli
