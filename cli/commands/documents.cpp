#include "cli/commands/documents.h"

#include <ostream>

#include "cli/render/json.h"

namespace checkride::cli {

LoadOptions load_options(const Context& context) {
  LoadOptions load;
  load.signatures = context.catalog.signatures();
  load.find_machine = [&context](const std::string& machine) -> Result<std::string> {
    CR_TRY(auto found, context.find_source(machine));
    return std::move(found.first);
  };
  return load;
}

tl::expected<std::shared_ptr<const Definition>, int> load_document(const Context& context,
                                                                   const std::string& name) {
  const auto source = context.find_source(name);
  if (!source) return tl::unexpected(report_error(context, source.error()));
  LoadResult result = load_definition(source->first, source->second, load_options(context));
  if (result.definition != nullptr) return std::move(result.definition);
  std::string all;
  for (const LoadDiagnostic& diagnostic : result.diagnostics)
    if (diagnostic.severity == LoadDiagnostic::Severity::error)
      all += (all.empty() ? "" : "\n") + to_string(diagnostic);
  if (context.json)
    return tl::unexpected(report_error(context, Error{ErrorCode::invalid_argument, all, {}}));
  context.err << all << "\n";
  return tl::unexpected(static_cast<int>(exit_usage));
}

}  // namespace checkride::cli
