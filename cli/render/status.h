// `ls` and `status`: where runs stand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/render/checklist.h"

namespace checkride::cli {

// Whether an owner drives the tree of this root run now; nothing where that is not known.
using Driven = std::function<std::optional<bool>(const RunId& root)>;

struct RunRow {
  const RunHead* head = nullptr;
  TreeCounts counts;
  Activity activity = Activity::running;
};
// Newest first; children only where asked for, after their parent. Borrows the heads.
std::vector<RunRow> run_rows(const std::vector<RunHead>& heads, bool children,
                             const Driven& driven);
std::string list_text(const std::vector<RunRow>& rows, Timestamp now, const Style& style);
json::object as_json(const RunRow& row);

// The whole tree: checklist, active states, jobs, timers, children, and what it asks.
std::string status_text(const RunTree& tree, Timestamp now, std::optional<bool> driven,
                        const Style& style);
json::object status_json(const RunTree& tree, std::optional<bool> driven);

// Counts over a loaded tree, exact where a head's are not (attempts whose end is unknown).
Activity activity_of(const RunTree& tree, std::optional<bool> driven);

}  // namespace checkride::cli
