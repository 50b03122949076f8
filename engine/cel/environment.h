// What an Environment holds; shared between copies, never changed once a Program was compiled.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/cel/functions.h"
#include "engine/cel/program.h"

namespace checkride::cel {

// The states that In() may ask for. One environment for each of thousands of states shares them.
struct StateNames {
  std::vector<std::string> listed;
  std::unordered_set<std::string> known;
};

struct Environment::Data {
  std::vector<std::pair<std::string, Type>> variables;
  bool in = false;
  std::shared_ptr<const StateNames> states;  // In() takes these alone; null: any
  bool named_zones = false;
  bool macros = true;
  std::string container;
  std::vector<Function> functions;  // declared, beside the library

  const Type* find(std::string_view name) const {
    for (const auto& [variable, type] : variables)
      if (variable == name) return &type;
    return nullptr;
  }
  const Function* find_declared(std::string_view name) const {
    for (const Function& function : functions)
      if (function.name == name) return &function;
    return nullptr;
  }
};

// The data of an environment; the empty one where nothing was declared.
const Environment::Data& data_of(const Environment& environment);

}  // namespace checkride::cel
