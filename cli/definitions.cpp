#include "cli/definitions.h"

#include <algorithm>

#include "cli/given_file.h"

namespace checkride::cli {

Result<std::pair<std::string, std::string>> find_source(const std::string& name_or_path) {
  for (const Shipped& shipped : shipped_definitions())
    if (shipped.name == name_or_path)
      return std::pair(std::string(shipped.source), std::string(shipped.name) + ".yaml");
  if (name_or_path.find('/') == std::string::npos && !name_or_path.ends_with(".yaml") &&
      !name_or_path.ends_with(".yml")) {
    std::string known;
    for (const Shipped& shipped : shipped_definitions())
      known += (known.empty() ? "" : ", ") + std::string(shipped.name);
    return fail(ErrorCode::not_found, "there is no workflow '" + name_or_path +
                                          "'; shipped are " + known +
                                          ", or name a file ending in .yaml");
  }
  CR_TRY(std::string text, read_given(name_or_path, document_bytes_max));
  return std::pair(std::move(text), name_or_path);
}

namespace {

LoadOptions options_for(const JobCatalog& catalog) {
  LoadOptions options;
  options.signatures = catalog.signatures();
  options.find_machine = [](const std::string& name) -> Result<std::string> {
    CR_TRY(auto found, find_source(name));
    return std::move(found.first);
  };
  return options;
}

Result<std::shared_ptr<const Definition>> accept(LoadResult loaded) {
  if (loaded.definition) return loaded.definition;
  std::string all;
  for (const LoadDiagnostic& diagnostic : loaded.diagnostics)
    if (diagnostic.severity == LoadDiagnostic::Severity::error)
      all += (all.empty() ? "" : "\n") + to_string(diagnostic);
  return fail(ErrorCode::invalid_argument, all);
}

}  // namespace

Result<std::shared_ptr<const Definition>> load_source(const std::string& text,
                                                      const std::string& source_name,
                                                      const JobCatalog& catalog) {
  return accept(load_definition(text, source_name, options_for(catalog)));
}

void StoredDefinitions::remember(const std::shared_ptr<const Definition>& definition) {
  loaded_[definition->hash] = definition;
  for (const auto& [hash, machine] : definition->machines) loaded_[hash] = machine;
}

Result<std::shared_ptr<const Definition>> StoredDefinitions::definition(const Digest& hash) {
  if (const auto found = loaded_.find(hash); found != loaded_.end()) return found->second;
  CR_TRY(const std::optional<StoredDefinition> stored, log_.definition(hash));
  if (!stored)
    return fail(ErrorCode::corrupt,
                "the definition " + to_hex(hash) + " is not in the store; run `checkride verify`");
  auto loaded =
      accept(load_stored(stored->name, stored->source, stored->source_name, options_for(catalog_)));
  if (!loaded) return fail(loaded.error(), "definition '" + stored->name + "'");
  if ((*loaded)->hash != hash)
    return fail(ErrorCode::unsupported,
                "definition '" + stored->name +
                    "' means something else to this program than to the one that stored it (a job "
                    "kind has another version); use that program to go on");
  remember(*loaded);
  return *loaded;
}

}  // namespace checkride::cli
