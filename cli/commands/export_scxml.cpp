#include "cli/commands/export_scxml.h"

#include <ostream>

#include "cli/commands/load.h"
#include "cli/commands/scxml_remarks.h"
#include "workflows/loader/load.h"
#include "workflows/scxml/scxml.h"

namespace checkride::cli {

int cmd_export_scxml(const Context& context, const ExportScxmlOptions& options) {
  const auto source = context.find_source(options.source);
  if (!source) return report_error(context, source.error());
  LoadOptions load;
  load.signatures = context.catalog.signatures();
  load.find_machine = [&](const std::string& machine) -> Result<std::string> {
    CR_TRY(auto found, context.find_source(machine));
    return std::move(found.first);
  };
  const LoadResult loaded = load_definition(source->first, source->second, load);
  if (loaded.definition == nullptr) {
    for (const LoadDiagnostic& diagnostic : loaded.diagnostics)
      context.err << to_string(diagnostic) << "\n";
    return exit_usage;
  }
  const auto exported = export_scxml(source->first, source->second);
  if (!exported) return report_error(context, exported.error());
  if (context.json) {
    context.out << document(json::object{{"workflow", loaded.definition->name},
                                         {"scxml", exported->scxml},
                                         {"remarks", remarks_json(exported->remarks)}});
  } else {
    context.out << exported->scxml;
    print_remarks(context, source->second, exported->remarks);
  }
  return exit_ok;
}

}  // namespace checkride::cli
