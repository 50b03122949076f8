// Which states and transitions of a definition, and of the machines it invokes, rehearsals have
// reached. Counted are what a document writes: states that can be active (no history states),
// transitions, `initial` where it is written, and the default of each history state. That of a
// history state is reached when there was nothing to remember.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/decider/event.h"

namespace checkride::rehearsal {

// What no case reached.
struct Unreached {
  std::string source_name;
  Place place;
  std::string what;  // "state 'merge'", "transition 'merge' -> 'residue' on answer.take-ours"
};

struct CoverageRow {
  std::string name;  // of the definition: "gh200-rebase/apply-one-patch"
  std::size_t states_reached = 0;
  std::size_t states_total = 0;
  std::size_t transitions_reached = 0;
  std::size_t transitions_total = 0;
  std::vector<Unreached> unreached;  // by place
};

class Coverage {
 public:
  explicit Coverage(std::shared_ptr<const Definition> definition);

  using History = std::map<statechart::StateIndex, std::vector<statechart::StateIndex>>;

  // `history`: what history states remember when the transitions enter; `start`: the initial entry
  // of a run.
  void add(const Definition& definition, const TransitionTaken& taken, const History& history,
           bool start);
  void add(const Coverage& other);  // of the same definition

  // The definition first, then its machines by name.
  std::vector<CoverageRow> rows() const;
  CoverageRow total() const;  // named as the definition, nothing in `unreached`

 private:
  struct Reached {
    std::shared_ptr<const Definition> definition;
    std::vector<bool> states;
    std::vector<bool> transitions;
  };
  std::shared_ptr<const Definition> definition_;
  std::map<Digest, Reached> reached_;
};

// Whether at least `percent` of both states and transitions are reached.
bool covers(const CoverageRow& total, double percent);

}  // namespace checkride::rehearsal
