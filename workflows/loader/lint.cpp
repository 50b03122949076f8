#include "workflows/loader/lint.h"

#include <algorithm>

#include "workflows/loader/entry_set.h"
#include "workflows/loader/events.h"
#include "workflows/loader/paths.h"
#include "workflows/loader/ways_out.h"

namespace checkride::loader {
namespace {

using statechart::root_state;
using statechart::StateIndex;
using statechart::TransitionIndex;

class Linter {
 public:
  Linter(const Definition& definition, Reporter& reporter)
      : definition_(definition),
        chart_(definition.chart),
        reporter_(reporter),
        paths_(definition),
        events_(definition),
        ways_out_(paths_, events_),
        reached_(chart_) {}

  void run() {
    check_reachable();
    check_events();
    check_unheard();
    for (std::uint32_t i = 1; i < definition_.states.size(); ++i) {
      const StateIndex state(i);
      if (chart_.is_history(state)) continue;
      const StateSpec& spec = definition_.states[i];
      if (spec.invoke) check_invocation(state, *spec.invoke);
      if (!spec.invoke && chart_.is_atomic(state) && !chart_.is_final(state)) check_dead_end(state);
      check_end(state);
      if (spec.reports() && spec.required) check_verdict(state);
      if (spec.budget) check_budget(state);
    }
  }

 private:
  std::string name(StateIndex state) const { return "state '" + chart_.state(state).id + "'"; }
  Place place(StateIndex state) const { return definition_.states[state.value].place; }
  bool guarded(TransitionIndex t) const { return chart_.transition(t).cond.has_value(); }

  void check_reachable() {
    reached_.mark(root_state);
    for (const StateIndex target : chart_.transition(*chart_.state(root_state).initial).targets)
      reached_.enter(target);
    while (const auto state = reached_.next())
      for (const TransitionIndex t : chart_.state(*state).transitions)
        for (const StateIndex target : chart_.transition(t).targets) reached_.enter(target);
    for (std::uint32_t i = 1; i < chart_.states.size(); ++i)
      if (!reached_.has(StateIndex(i)) && reached_.has(chart_.states[i].parent))
        reporter_.warning(
            place(StateIndex(i)), "unreachable",
            "no transition leads to " + name(StateIndex(i)) + "; remove it or give it a way in");
  }

  // Nobody but the definition and the engine raises events, so an unknown name is a slip.
  void check_events() {
    std::vector<std::string> known = {"done", "error", "answer"};
    for (const PossibleEvent& event : events_.all()) known.push_back(event.name);
    for (const auto& node : chart_.states) {
      for (const TransitionIndex t : node.transitions) {
        for (const std::string& descriptor : chart_.transition(t).events) {
          // Errors of actions park the run; listening for them as well is harmless.
          if (descriptor == "*" || descriptor.starts_with("error") ||
              events_.matched(descriptor).any())
            continue;
          if (descriptor.starts_with(message_prefix)) {
            check_message(definition_.transitions[t.value].place, descriptor);
            continue;
          }
          reporter_.warning(definition_.transitions[t.value].place, "event-never-raised",
                            "nothing raises the event '" + descriptor + "'",
                            reporter_.did_you_mean(descriptor, known));
        }
      }
    }
  }

  void check_message(Place place, const std::string& descriptor) {
    const std::string name = descriptor.substr(message_prefix.size());
    if (message_names_.empty())
      for (const MessageSpec& message : definition_.messages)
        message_names_.push_back(message.name);
    reporter_.error(place, "unknown-message",
                    "there is no message '" + name + "'; declare it under 'messages'",
                    reporter_.did_you_mean(name, message_names_));
  }

  void check_unheard() {
    const Listeners listeners(chart_);
    for (const MessageSpec& message : definition_.messages) {
      const std::string event = std::string(message_prefix) + message.name;
      if (!listeners.hear(event))
        reporter_.warning(message.place, "unused-message",
                          "nothing listens to the message '" + message.name + "'; add '" + event +
                              "' under 'on' of a state");
    }
  }

  void check_invocation(StateIndex state, const InvokeSpec& invoke) {
    if (is_gate(invoke)) {
      check_gate(state, invoke);
    } else {
      check_ending(state, "done.invoke." + invoke.id, "done", "no-done-handler");
      check_ending(state, "error.invoke." + invoke.id, "error", "no-error-handler");
    }
    if (!chart_.is_atomic(state)) return;
    // Handled, but without leaving: then something else must be able to.
    for (const std::string& event : ending_events(invoke)) {
      const auto candidates = paths_.candidates(state, event);
      const bool stays = !candidates.empty() &&
                         std::any_of(candidates.begin(), candidates.end(), [&](TransitionIndex t) {
                           return chart_.transition(t).targets.empty();
                         });
      if (!stays || ways_out_.of(state, ending_events(invoke)).any) continue;
      reporter_.error(place(state), "dead-end",
                      "after the event '" + event + "' " + name(state) +
                          " could stay for ever; give that transition a target");
    }
  }

  void check_ending(StateIndex state, const std::string& event, const std::string& key,
                    std::string_view rule) {
    const auto candidates = paths_.candidates(state, event);
    if (candidates.empty()) {
      reporter_.error(place(state), rule,
                      "nothing handles '" + key + "' of " + name(state) + "; add it under 'on'");
    } else if (guarded(candidates.back())) {
      reporter_.error(definition_.transitions[candidates.back().value].place, "missing-fallback",
                      "when no guard holds, '" + key + "' of " + name(state) +
                          " goes nowhere; end the branches with one without guard");
    }
  }

  void check_gate(StateIndex state, const InvokeSpec& gate) {
    std::string missing;
    const std::vector<std::string> answers = answers_of(gate);
    std::size_t handled = 0;
    for (const std::string& answer : answers) {
      const std::string event = "answer." + answer + "." + gate.id;
      if (paths_.candidates(state, event).empty()) {
        missing += (missing.empty() ? "" : ", ") + answer;
        continue;
      }
      ++handled;
      check_ending(state, event, "answer." + answer, "missing-answer");
    }
    if (handled == 0)
      reporter_.error(place(state), "gate-unanswerable",
                      "nothing handles an answer to the gate of " + name(state) +
                          "; add 'answer.approve' and the others under 'on'");
    else if (!missing.empty())
      reporter_.error(place(state), "missing-answer",
                      "a person may answer the gate of " + name(state) + " with " + missing +
                          ", which nothing handles; add it, or 'answer' last for all the others");
  }

  void check_dead_end(StateIndex state) {
    const Ways ways = ways_out_.of(state);
    if (!ways.any) {
      reporter_.error(
          place(state), "dead-end",
          name(state) + " can never be left; add a transition, or make it 'type: final'");
      return;
    }
    if (!ways.lasting && !paths_.in_parallel(state))
      reporter_.error(place(state), "missing-fallback",
                      "when no guard holds, " + name(state) +
                          " can never be left; end its branches with one without guard");
  }

  // The final children in which a state is done: one of a compound state's, one of each region of a
  // parallel state. Nothing where it is never done, or no run gets there.
  std::vector<StateIndex> ends_of(StateIndex state) const {
    std::vector<StateIndex> ends;
    for (const StateIndex child : chart_.state(state).children) {
      if (!chart_.is_parallel(state)) {
        if (chart_.is_final(child) && reached_.has(child)) return {child};
        continue;
      }
      if (chart_.is_history(child)) continue;
      const std::vector<StateIndex> below = ends_of(child);
      if (below.empty()) return {};
      ends.insert(ends.end(), below.begin(), below.end());
    }
    return ends;
  }

  // A state that is done is left by nothing of its own: `done`, or something around it, must go on.
  void check_end(StateIndex state) {
    const StateIndex parent = chart_.state(state).parent;
    if (chart_.is_parallel(parent)) return;  // a region waits for the others
    const std::vector<StateIndex> ends = ends_of(state);
    bool leads_on = false;
    for (const StateIndex end : ends) {
      // The parallel state's own end, and that of each region in it.
      for (StateIndex done = chart_.state(end).parent; done != parent;
           done = chart_.state(done).parent) {
        const auto candidates = paths_.candidates(end, "done.state." + chart_.state(done).id);
        for (const TransitionIndex t : candidates) {
          const bool leaves = !chart_.transition(t).targets.empty();
          if (leaves && !guarded(t)) return;
          leads_on = leads_on || leaves;
        }
      }
      const Ways ways = ways_out_.of(end);
      leads_on = leads_on || ways.any;
      if (ways.lasting || (ways.any && paths_.in_parallel(end))) return;
    }
    if (ends.empty()) return;
    const std::string when = "when '" + chart_.state(ends.front()).id + "' is reached";
    if (!leads_on)
      reporter_.error(
          place(state), "dead-end",
          when + ", nothing leads on from " + name(state) + "; add 'done: TARGET' under its 'on'");
    else if (!paths_.in_parallel(state))
      reporter_.error(place(state), "missing-fallback",
                      when + " and no guard holds, " + name(state) +
                          " can never be left; end its branches with one without guard");
  }

  // A required line of the report that nothing ever ticks makes every run incomplete.
  void check_verdict(StateIndex state) {
    const StateSpec& spec = definition_.states[state.value];
    if (spec.verdict) return;
    std::vector<std::string> endings;
    if (spec.invoke) endings = ending_events(*spec.invoke);
    for (const TransitionIndex t : chart_.state(state).transitions) {
      if (definition_.transitions[t.value].verdict) return;
      for (const std::string& d : chart_.transition(t).events)
        for (const std::string& ending : endings)
          if (!ending.starts_with("error.") && statechart::matches(d, ending)) return;
    }
    reporter_.error(place(state), "no-verdict",
                    name(state) +
                        " reports and is required, but nothing of its own gives it a verdict; add "
                        "'verdict' to it or to its transitions, or 'optional: true'");
  }

  void check_budget(StateIndex state) {
    for (const TransitionIndex t : chart_.state(state).transitions)
      if (chart_.transition(t).events.empty())
        reporter_.error(definition_.transitions[t.value].place, "budget",
                        name(state) +
                            " has a budget, and its 'always' would be taken before 'exhausted'; "
                            "put the budget on a state that waits for something");
  }

  const Definition& definition_;
  const statechart::Chart& chart_;
  Reporter& reporter_;
  Paths paths_;
  PossibleEvents events_;
  WaysOut ways_out_;
  EntrySet reached_;
  std::vector<std::string> message_names_;
};

}  // namespace

void lint(const Definition& definition, Reporter& reporter) {
  Linter(definition, reporter).run();
  check_loops(definition, reporter);
  check_uses(definition, reporter);
}

}  // namespace checkride::loader
