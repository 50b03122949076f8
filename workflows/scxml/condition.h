// ECMAScript conditions and values of SCXML documents as CEL, where they are simple: names of the
// data model, _event.name and _event.data, literals, In(), comparisons, + - *, ! && || and
// parentheses. Everything else is refused with the part that is not understood; nothing is guessed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace checkride::scxml {

struct Names {
  std::set<std::string> data;                 // fields of the data model
  std::map<std::string, std::string> states;  // the document's id -> the definition's
};

Result<std::string> to_cel(std::string_view ecmascript, const Names& names);

}  // namespace checkride::scxml
