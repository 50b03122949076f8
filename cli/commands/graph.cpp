#include "cli/commands/graph.h"

#include <ostream>

#include "cli/commands/load.h"
#include "workflows/loader/graph.h"
#include "workflows/loader/load.h"

namespace checkride::cli {

int cmd_graph(const Context& context, const GraphOptions& options) {
  const auto source = context.find_source(options.source);
  if (!source) return report_error(context, source.error());
  LoadOptions load;
  load.signatures = context.catalog.signatures();
  load.find_machine = [&](const std::string& machine) -> Result<std::string> {
    CR_TRY(auto found, context.find_source(machine));
    return std::move(found.first);
  };
  const LoadResult result = load_definition(source->first, source->second, load);
  if (result.definition == nullptr) {
    for (const LoadDiagnostic& diagnostic : result.diagnostics)
      context.err << to_string(diagnostic) << "\n";
    return exit_usage;
  }
  const std::string mermaid = to_mermaid(*result.definition);
  if (context.json)
    context.out << document(
        json::object{{"workflow", result.definition->name}, {"mermaid", mermaid}});
  else
    context.out << mermaid;
  return exit_ok;
}

}  // namespace checkride::cli
