// What random charts did, counted by chart, to know that the comparison with the oracle was about
// something. Every feature has a share of the charts that it must occur in.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/properties/statechart/scenario.h"

namespace checkride::statechart {

enum class Feature : std::uint8_t {
  several_transitions,    // in one microstep, in different regions
  preempted,              // a transition lost against a conflicting one
  eventless,              //
  targetless,             //
  several_targets,        //
  internal_stays,         // an internal transition does not leave its compound source
  internal_leaves,        // an internal transition that is external after all
  from_parallel,          // the source of a transition that moves is a parallel state
  from_root,              //
  leaves_parallel,        //
  leaves_final,           // a final state below the top is exited
  history_shallow,        // a transition leads to a history state that remembers something
  history_deep,           //
  history_default,        // a transition leads to one that does not
  history_recorded,       //
  done_state,             // an event done.state.ID enabled a transition
  error_execution,        // so did error.execution
  internal_event,         // so did a raised one
  wildcard,               // so did a descriptor "*"
  prefix_descriptor,      // so did a descriptor shorter than the event's name
  dotted_descriptor,      // so did one that ends in ".*" or "."
  several_descriptors,    // so did one of several of a transition
  guard_fails_as_event,   //
  guard_fails_and_parks,  //
  content_fails_as_event,
  content_fails_and_parks,
  microsteps_bound,       // a macrostep that would not end
  internal_events_bound,  // more raised events than may wait
  goes_on_after_discard,  // another event was taken after a macrostep thrown away
  delayed_event,          // a delayed send was delivered
  sent_event,             // a send without delay was
  cancelled,              // a delayed send was cancelled
  jumped,                 //
  restarted,              //
  finished,               //
  count
};

class Coverage {
 public:
  static constexpr std::size_t features = static_cast<std::size_t>(Feature::count);

  void begin_chart() { seen_.reset(); }
  void note(Feature feature) { seen_.set(static_cast<std::size_t>(feature)); }
  void note(const Microstep& step, const Interpreter& interpreter);
  void end_chart();

  // A sentence for each feature that occurred in too few charts.
  std::vector<std::string> gaps() const;
  // One line a feature: name, charts with it, per mille of all.
  std::string table() const;

 private:
  std::bitset<features> seen_;
  std::array<std::size_t, features> charts_with_{};
  std::size_t charts_ = 0;
  std::size_t microsteps_ = 0;
};

}  // namespace checkride::statechart
