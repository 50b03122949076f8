// Rehearsals as the verbs `test` and `run --rehearse` have them: a case played into a log in
// memory, with the report that a real run would give. No store is opened and nothing is written.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cli/context.h"
#include "store/memory/memory_log.h"
#include "workflows/rehearsal/rehearse.h"

namespace checkride::cli {

struct PlayedCase {
  rehearsal::Rehearsed rehearsed;
  std::string report;  // Markdown, or JSON with --json; empty where it never started
};

// The context with definitions taken from `definition` instead of a log.
Context rehearsing(const Context& context, std::shared_ptr<const Definition> definition);

// Plays the case into `log`; `moved` hears of each run with new records.
Result<PlayedCase> play_case(const Context& context,
                             const std::shared_ptr<const Definition>& definition,
                             const rehearsal::CaseFile& file, const rehearsal::Case& one,
                             MemoryLog& log, rehearsal::Coverage& coverage,
                             std::function<void(const RunId&)> moved = {});

// Reads a document of cases; an error carries every diagnostic, one per line.
Result<std::shared_ptr<const rehearsal::CaseFile>> load_cases(const std::string& text,
                                                              const std::string& source_name,
                                                              const Definition& definition);

// `run --rehearse`: the live lines of the rehearsed run, then its report, both marked. `name`
// chooses a case where there are several. `params` win over the case's own.
int run_rehearsal(const Context& context, const std::shared_ptr<const Definition>& definition,
                  const std::string& path, const std::string& name, const cel::Map& params);

}  // namespace checkride::cli
