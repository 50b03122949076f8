// Loading runs for the reading verbs: states folded from the log, definitions found again by hash,
// secrets of the whole tree collected into one mask. One loader per verb; it keeps what it found.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/render/tree.h"

namespace checkride::cli {

class RunLoader {
 public:
  RunLoader(const Context& context, const LogReader& reader) : context_(context), reader_(reader) {}

  // The run and every run below it. not_found names `checkride ls`.
  Result<RunTree> tree(const RunId& run);
  // The run alone, as it stood after event `at_most` where that is given.
  Result<RunTree> alone(const RunId& run, std::optional<Sequence> at_most = std::nullopt);

  Result<std::shared_ptr<const Definition>> definition(const Digest& hash);
  // Who holds units of resources now.
  Result<std::shared_ptr<const std::vector<LeaseHolder>>> holders(
      const std::vector<RunHead>& heads);
  // Sentences about what could not be loaded and is shown by number instead.
  const std::vector<std::string>& notes() const { return notes_; }
  void print_notes() const;

 private:
  Result<RunTree> load(const RunHead& head, std::optional<Sequence> at_most);
  Result<std::shared_ptr<const JobIntended>> intent_of(const RunState& child);
  Result<Timestamp> ended(const RunState& state);
  // Secrets of the runs above.
  Result<Mask> mask_above(const RunState& run);

  const Context& context_;
  const LogReader& reader_;
  std::map<Digest, std::shared_ptr<const Definition>> definitions_;
  std::vector<std::string> notes_;
};

// What a person typed for a run: "RUN", "RUN@57", "RUN@state" or "RUN:state".
struct RunReference {
  RunId run;
  std::optional<Sequence> sequence;
  std::string state;
};
Result<RunReference> parse_reference(std::string_view text);

// The run of that id, or the only one whose id starts with the text; an error lists what there is.
Result<RunId> find_run(const LogReader& reader, const RunId& typed);

Style style_of(const Context& context);

}  // namespace checkride::cli
