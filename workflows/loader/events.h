// Which events can occur in runs of a definition, and who listens to them. Nobody but the
// definition and the engine raises events, so both are known before a run starts. Descriptors match
// as SCXML 3.12.1 says: "done" matches "done.invoke.build". Everything here is found by name, so
// that a document of 1 MiB is judged in the time it takes to read it.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/decider/definition.h"

namespace checkride::loader {

// A descriptor without its ending: "done.*" and "done." are "done"; "*" stays.
std::string_view bare_descriptor(std::string_view descriptor);

// Calls `visit` with every bare descriptor that matches the event, until it returns false: "*",
// "done", "done.invoke", "done.invoke.build".
template <typename Visit>
void for_each_match(std::string_view event, Visit visit) {
  if (!visit(std::string_view("*"))) return;
  for (std::size_t dot = event.find('.'); dot != std::string_view::npos;
       dot = event.find('.', dot + 1))
    if (!visit(event.substr(0, dot))) return;
  visit(event);
}

// An event that some part of the definition or the engine can raise.
struct PossibleEvent {
  std::string name;
  // The state that must be active for it; absent: an action of any state raises it.
  std::optional<statechart::StateIndex> owner;
};

class PossibleEvents {
 public:
  explicit PossibleEvents(const Definition& definition);

  const std::vector<PossibleEvent>& all() const { return events_; }
  const std::vector<std::uint32_t>& owned_by(statechart::StateIndex state) const {
    return owned_[state.value];
  }

  // What a descriptor matches.
  struct Matched {
    bool anywhere = false;                       // an event that needs no state
    std::vector<statechart::StateIndex> owners;  // of the others, sorted
    // The same without done.state.*, which cannot come while a state below its owner waits.
    std::vector<statechart::StateIndex> waiting_owners;
    bool any() const { return anywhere || !owners.empty(); }
  };
  // Worked out when first asked for; the reference stays good.
  const Matched& matched(std::string_view descriptor);

 private:
  void collect(const Definition& definition);
  void collect_raised(const ContentBlock& block);

  std::vector<PossibleEvent> events_;
  std::vector<std::uint32_t> by_name_;              // positions in events_, sorted by name
  std::vector<std::vector<std::uint32_t>> owned_;   // by state: positions in events_
  std::unordered_map<std::string, Matched> known_;  // by bare descriptor
};

// The descriptors of all transitions of a chart.
class Listeners {
 public:
  explicit Listeners(const statechart::Chart& chart);
  bool hear(std::string_view event) const;
  // As written, in document order.
  const std::vector<std::string>& descriptors() const { return descriptors_; }

 private:
  std::vector<std::string> descriptors_;
  std::unordered_set<std::string> bare_;
};

}  // namespace checkride::loader
