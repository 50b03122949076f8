// Every expression and every block of actions of a definition, with the state it belongs to and
// when it is evaluated: what rules about expressions walk over. Titles and sections are left out;
// they are evaluated by views, from params alone.
#pragma once

#include <string>
#include <vector>

#include "engine/cel/lexer.h"
#include "engine/decider/definition.h"

namespace checkride::loader {

enum class Moment : std::uint8_t {
  entering,  // when the state is entered: entry actions, inputs, budget, output
  active,    // while it is active or left: guards and actions of its transitions, exit actions
};

struct Use {
  std::string expression;  // CEL
  statechart::StateIndex state;
  Moment moment = Moment::active;
  Place place;
};
std::vector<Use> uses_of(const Definition& definition);

struct BlockUse {
  const ContentBlock* block = nullptr;  // lives as long as the definition
  statechart::StateIndex state;
  Moment moment = Moment::active;
  Place place;
};
std::vector<BlockUse> blocks_of(const Definition& definition);

// The tokens of an expression; it was compiled, so there is no error among them.
std::vector<cel::LexedToken> tokens_of(const std::string& expression);

}  // namespace checkride::loader
