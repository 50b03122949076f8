// The files in conflict that a gate carries among its inputs, as `patch.apply` describes them: a
// list of maps with `path` and `hunks`, each hunk with `ours`, `base` and `theirs`. Known by that
// shape, wherever a definition puts it. A person who is asked to resolve a conflict sees the
// conflict; the bounds keep a large one from hiding the question.
#pragma once

#include <string>

#include "cli/render/text.h"
#include "cli/render/view.h"

namespace checkride::cli {

inline constexpr std::size_t conflict_lines_max = 40;  // shown of each file
inline constexpr std::size_t conflict_files_max = 10;

// Among the inputs, or inside a map among them; null where there is none.
const cel::Value* find_conflicts(const cel::Map& inputs);
bool is_conflicts(const cel::Value& value);

// Each file with its hunks between git's own markers; of a longer one "… N more lines in FILE".
std::string conflict_text(const View& view, const cel::Value& conflicts, std::string_view indent,
                          const Style& style);

}  // namespace checkride::cli
