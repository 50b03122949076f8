// Where definitions come from: shipped with the program, named by path, or kept in the log by hash.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/ports/event_log.h"
#include "engine/ports/job_kind.h"
#include "engine/runtime/runtime.h"
#include "workflows/definitions/shipped.h"
#include "workflows/loader/load.h"

namespace checkride::cli {

// The text behind a name or a path, and the name messages use for it.
Result<std::pair<std::string, std::string>> find_source(const std::string& name_or_path);

// Loads a document; an error carries every diagnostic, one per line.
Result<std::shared_ptr<const Definition>> load_source(const std::string& text,
                                                      const std::string& source_name,
                                                      const JobCatalog& catalog);

// Definitions by hash, from what the log keeps; loaded once each.
class StoredDefinitions final : public DefinitionSource {
 public:
  StoredDefinitions(const LogReader& log, const JobCatalog& catalog)
      : log_(log), catalog_(catalog) {}
  // A definition at hand, and its machines, need no loading.
  void remember(const std::shared_ptr<const Definition>& definition);
  Result<std::shared_ptr<const Definition>> definition(const Digest& hash) override;

 private:
  const LogReader& log_;
  const JobCatalog& catalog_;
  std::map<Digest, std::shared_ptr<const Definition>> loaded_;
};

}  // namespace checkride::cli
