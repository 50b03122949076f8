// The checklist inside a run: the definition's sections and titled states in document order, with
// what the run says about each. `status` and `report` show the same lines.
#pragma once

#include <string>
#include <vector>

#include "cli/render/tree.h"

namespace checkride::cli {

struct ChecklistLine {
  statechart::StateIndex state;
  std::string title;      // its holes filled; empty for untitled machines and gates
  std::size_t depth = 0;  // titled states around it within the section
  bool required = true;
  bool machine = false;  // invokes child runs: they belong under this line
  bool gate = false;     // asks a person
  bool active = false;
  Verdict verdict = Verdict::none;
  std::string note;
  Sequence given_at;  // of the verdict; 0 without one
};

struct ChecklistSection {
  std::string heading;  // empty: before the first section
  std::vector<ChecklistLine> lines;
};

// Empty without a definition.
std::vector<ChecklistSection> checklist(const RunTree& run);

// The line as one row of text behind its mark: title, word, note.
std::string line_text(const ChecklistLine& line);
json::object as_json(const View& view, const ChecklistLine& line);

// Verdicts of a run counted, for a one-line summary: "3 of 5 lines satisfied". Optional lines count
// once they have a verdict.
struct ChecklistCount {
  std::size_t lines = 0;
  std::size_t satisfied = 0;
  std::size_t failed = 0;
  std::size_t warned = 0;  // every ⚠️
};
ChecklistCount count_lines(const std::vector<ChecklistSection>& sections);

}  // namespace checkride::cli
