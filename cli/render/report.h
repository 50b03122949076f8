// The filled checklist: the definition's sections and titles with marks, notes, answers and the
// evidence behind each, children as tables, and at the end the verdict and the chain head that
// anchors it. It is made of the log alone, not of the clock: the same log gives the same bytes.
#pragma once

#include <string>

#include "cli/render/checklist.h"
#include "cli/render/evidence.h"

namespace checkride::cli {

// "accepted", "rejected", "aborted", "rolled-back" or "incomplete (why)".
std::string verdict_line(const RunTree& tree);

std::string report_markdown(const RunTree& tree, const TreeEvidence& evidence);
json::object report_json(const RunTree& tree, const TreeEvidence& evidence);

// How a child run came out, as a mark and a word.
struct ChildResult {
  Verdict verdict = Verdict::none;
  std::string word;   // "in progress", "failed", ...; empty where the mark says it all
  std::string notes;  // its lines' notes, joined
};
ChildResult child_result(const RunTree& child);

}  // namespace checkride::cli
