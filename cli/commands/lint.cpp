#include "cli/commands/lint.h"

#include <algorithm>
#include <ostream>

#include "cli/commands/documents.h"
#include "cli/commands/load.h"
#include "workflows/loader/load.h"

namespace checkride::cli {

namespace {

json::object diagnostic_json(const LoadDiagnostic& diagnostic) {
  const bool error = diagnostic.severity == LoadDiagnostic::Severity::error;
  json::object object{
      {"source", diagnostic.source_name},  {"line", diagnostic.place.line},
      {"column", diagnostic.place.column}, {"severity", error ? "error" : "warning"},
      {"rule", diagnostic.rule},           {"message", diagnostic.message}};
  if (!diagnostic.suggestion.empty()) object["suggestion"] = diagnostic.suggestion;
  return object;
}

std::string summary(const Definition& definition) {
  std::size_t reporting = 0;
  for (const StateSpec& state : definition.states)
    if (state.reports()) ++reporting;
  std::string text = "workflow " + definition.name + ", " +
                     counted(definition.states.size() - 1, "state") + " (" +
                     std::to_string(reporting) + " report), " +
                     counted(definition.transitions.size(), "transition") + ", " +
                     counted(definition.conditions.size(), "guard");
  if (!definition.machines.empty()) text += ", " + counted(definition.machines.size(), "machine");
  return text + ", hash " + to_hex(definition.hash).substr(0, 12);
}

}  // namespace

int cmd_lint(const Context& context, const LintOptions& options) {
  const Style style = style_of(context);
  bool failed = false;
  json::array all;
  for (const std::string& name : options.sources) {
    const auto source = context.find_source(name);
    if (!source) return report_error(context, source.error());
    const LoadResult result =
        load_definition(source->first, source->second, load_options(context));
    if (result.definition == nullptr) failed = true;
    if (context.json) {
      json::array diagnostics;
      for (const LoadDiagnostic& diagnostic : result.diagnostics)
        diagnostics.push_back(diagnostic_json(diagnostic));
      json::object object{{"source", source->second},
                          {"ok", result.definition != nullptr},
                          {"diagnostics", std::move(diagnostics)}};
      if (result.definition) {
        object["workflow"] = result.definition->name;
        object["hash"] = as_json(result.definition->hash);
      }
      all.push_back(std::move(object));
      continue;
    }
    for (const LoadDiagnostic& diagnostic : result.diagnostics)
      context.out << to_string(diagnostic) << "\n";
    const auto errors =
        std::count_if(result.diagnostics.begin(), result.diagnostics.end(),
                      [](const auto& d) { return d.severity == LoadDiagnostic::Severity::error; });
    if (result.definition)
      context.out << source->second << ": " << style(Tone::good, "ok") << ", "
                  << summary(*result.definition) << "\n";
    else
      context.out << source->second << ": "
                  << style(Tone::bad, counted(static_cast<std::uint64_t>(errors), "error"))
                  << "; the definition is refused\n";
  }
  if (context.json) context.out << document(json::object{{"definitions", std::move(all)}});
  return failed ? exit_usage : exit_ok;
}

}  // namespace checkride::cli
