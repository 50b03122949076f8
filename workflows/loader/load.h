// From a YAML document to a checked Definition: the only way a workflow enters the engine.
// Everything that can be known before a run starts is checked here (names, types of guards and
// inputs, loops, dead ends), so that a definition that could get stuck is refused with file, line
// and column instead of stopping a run at night. docs/guides/write-a-procedure.md
// shows the language.
//
// Pure: the same text, options and machines give the same definition and the same diagnostics.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/definition.h"
#include "engine/decider/job.h"

namespace checkride {

inline constexpr std::size_t document_bytes_max = 1 << 20;
inline constexpr std::size_t document_depth_max = 64;  // nested YAML collections
inline constexpr std::size_t definition_states_max = 10'000;
inline constexpr std::size_t diagnostics_max = 200;  // further ones are counted, not kept

struct LoadDiagnostic {
  enum class Severity : std::uint8_t { error, warning };
  std::string source_name;  // the document it stands in: machines may come from another one
  Place place;
  Severity severity = Severity::error;
  std::string rule;        // "unknown-state", "loop-without-budget", ...: stable, for tools
  std::string message;     // one sentence: what is wrong and what to write instead
  std::string suggestion;  // "did you mean 'backup'?", or empty
  bool operator==(const LoadDiagnostic& other) const;
};
// "rebase.yaml:12:7: error: there is no state 'bakcup'; did you mean 'backup'? [unknown-state]"
std::string to_string(const LoadDiagnostic& diagnostic);

struct LoadOptions {
  // The job kinds of this program. `machine` and `gate` need not be among them.
  std::vector<const JobSignature*> signatures;
  // The text of a workflow invoked by `machine:` that the document itself does not hold. Absent:
  // there is none. Its error becomes part of the diagnostic at the invocation.
  std::function<Result<std::string>(const std::string& name)> find_machine;
  // Not empty: load this entry of the document's `machines` instead of the workflow itself.
  std::string machine;
};

struct LoadResult {
  std::shared_ptr<const Definition> definition;  // null when any diagnostic is an error
  std::vector<LoadDiagnostic> diagnostics;       // by source, then place
};

// `source_name` stands in diagnostics and in the definition. A machine of a document has the name
// "workflow/machine" and the whole document as its source, so that it can be loaded again:
// load_stored() does that from a definition's name and source.
LoadResult load_definition(std::string_view text, std::string source_name,
                           const LoadOptions& options);
LoadResult load_stored(std::string_view name, std::string_view text, std::string source_name,
                       LoadOptions options);

// The kind `gate` where LoadOptions names none.
const JobSignature& default_gate();

}  // namespace checkride
