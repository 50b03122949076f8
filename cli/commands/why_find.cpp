#include "cli/commands/why_find.h"

#include <algorithm>
#include <functional>

#include "cli/render/event_line.h"
#include "engine/decider/activation.h"

namespace checkride::cli {

using statechart::ChartEvent;
using statechart::StateIndex;

namespace {

// Guards and the transition they led to, as positions in a record.
struct Moment {
  std::optional<std::size_t> guards;
  std::optional<std::size_t> transition;
  std::optional<std::size_t> incident;
};

std::vector<Moment> moments_of(const Record& record) {
  std::vector<Moment> all;
  Moment open;
  const auto close = [&] {
    if (open.guards || open.transition) all.push_back(open);
    open = {};
  };
  for (std::size_t i = 0; i < record.events.size(); ++i) {
    if (std::holds_alternative<GuardEvaluated>(record.events[i])) {
      close();
      open.guards = i;
    } else if (std::holds_alternative<TransitionTaken>(record.events[i])) {
      open.transition = i;
      close();
    } else if (std::holds_alternative<IncidentRaised>(record.events[i]) && open.guards) {
      open.incident = i;
      close();
    }
  }
  close();
  return all;
}

bool touches(const Record& record, const Moment& moment, StateIndex state) {
  if (!moment.transition) return false;
  const auto& taken = std::get<TransitionTaken>(record.events[*moment.transition]);
  const auto has = [&](const std::vector<StateIndex>& list) {
    return std::find(list.begin(), list.end(), state) != list.end();
  };
  return has(taken.exited) || has(taken.entered);
}

struct Found {
  Record record;
  Moment moment;
};

Result<Found> at_event(const LogReader& reader, const RunTree& run, Sequence at) {
  std::optional<Record> record;
  CR_CHECK(reader.read(run.state.run, at, [&](const Record& found) {
    record = found;
    return false;
  }));
  if (!record || at < record->first || at > record->last())
    return fail(ErrorCode::not_found, "run '" + run.state.run.value + "' has no event " +
                                          to_string(at) + "; its last one is " +
                                          to_string(run.head.last));
  const std::size_t position = at.value - record->first.value;
  const std::vector<Moment> moments = moments_of(*record);
  if (moments.empty()) {
    EventLines lines(run.view);
    const std::string line = lines.line(record->events[position]);
    return fail(ErrorCode::not_found, "event " + to_string(at) + " of run '" + run.state.run.value +
                                          "' is " +
                                          std::string(event_name(record->events[position])) + " (" +
                                          line + "); no branch was decided in its step");
  }
  const auto fits = [&](const Moment& moment) {
    return moment.guards == position || moment.transition == position;
  };
  auto chosen = std::find_if(moments.begin(), moments.end(), fits);
  // An event between: the branch it led to, else the last one of its step.
  if (chosen == moments.end())
    chosen = std::find_if(moments.begin(), moments.end(), [&](const Moment& moment) {
      return moment.transition.value_or(moment.guards.value_or(0)) >= position;
    });
  const Moment moment = chosen == moments.end() ? moments.back() : *chosen;
  return Found{*std::move(record), moment};
}

Result<Found> last_such(const LogReader& reader, const RunTree& run,
                        const std::function<bool(const Record&, const Moment&)>& fits,
                        const std::string& otherwise) {
  std::optional<Found> found;
  CR_CHECK(reader.read(run.state.run, Sequence(1), [&](const Record& record) {
    std::optional<Moment> last;
    for (const Moment& moment : moments_of(record))
      if (fits(record, moment)) last = moment;
    if (last) found = Found{record, *last};
    return true;
  }));
  if (!found) return fail(ErrorCode::not_found, otherwise);
  return *std::move(found);
}

cel::Value message_value(const std::string& message) {
  cel::Map map;
  map.set("message", cel::Value(message));
  return cel::Value(std::move(map));
}

// What the event's data may have been: everything that the step's inputs brought along.
std::vector<cel::Value> data_candidates(const Record& record, std::size_t until,
                                        const RunState& before) {
  std::vector<cel::Value> all;
  for (std::size_t i = 0; i <= until && i < record.events.size(); ++i) {
    const Event& event = record.events[i];
    if (const auto* finished = std::get_if<JobFinished>(&event)) {
      all.push_back(finished->command.outcome.result);
      all.push_back(message_value(finished->command.outcome.message));
    } else if (const auto* ended = std::get_if<InvocationFinished>(&event)) {
      if (ended->result) all.push_back(*ended->result);
    } else if (const auto* answered = std::get_if<GateAnswered>(&event)) {
      cel::Map map;
      map.set("decision", cel::Value(answered->command.decision));
      map.set("reason", cel::Value(answered->command.reason));
      map.set("actor", cel::Value(record.actor.name));
      all.push_back(cel::Value(std::move(map)));
    } else if (const auto* message = std::get_if<MessageReceived>(&event)) {
      all.push_back(message->command.data);
    } else if (const auto* resolved = std::get_if<IncidentResolved>(&event)) {
      if (resolved->command.outcome) {
        all.push_back(resolved->command.outcome->result);
        all.push_back(message_value(resolved->command.outcome->message));
      }
    } else if (const auto* fired = std::get_if<TimerFired>(&event)) {
      if (const auto timer = before.timers.find(fired->command.timer); timer != before.timers.end())
        all.push_back(timer->second.data);
    }
  }
  for (const QueuedEvent& queued : before.queue) all.push_back(queued.data);
  for (const MessageRecord& message : before.messages) all.push_back(message.data);
  for (const auto& [state, result] : before.results) all.push_back(result.value);
  return all;
}

// Finds the values behind facts that were recorded by digest.
class FactFinder {
 public:
  FactFinder(const Definition& definition, const RunState& state, Timestamp now,
             std::string trigger, std::vector<cel::Value> candidates)
      : definition_(definition),
        state_(state),
        now_(now),
        trigger_(std::move(trigger)),
        candidates_(std::move(candidates)) {}

  std::optional<cel::Value> find(const RecordedFact& fact) const {
    if (fact.value) return fact.value;
    const auto path =
        cel::Program::compile(fact.path, cel::Environment(), cel::Program::Checking::untyped);
    if (!path) return std::nullopt;
    if (const auto value = tried(*path, nullptr, fact.digest)) return value;
    for (const cel::Value& data : candidates_) {
      const ChartEvent event{trigger_, ChartEvent::Type::external, data};
      if (const auto value = tried(*path, &event, fact.digest)) return value;
    }
    return std::nullopt;
  }

 private:
  std::optional<cel::Value> tried(const cel::Program& path, const ChartEvent* event,
                                  const Digest& digest) const {
    const RunActivation values(state_, definition_, now_, event);
    cel::EvalResult value = path.evaluate(values);
    if (!value || sha256(cel::to_cel(*value)) != digest) return std::nullopt;
    return *std::move(value);
  }

  const Definition& definition_;
  const RunState& state_;
  Timestamp now_;
  std::string trigger_;
  std::vector<cel::Value> candidates_;
};

ExplainedGuard explain_guard(const Definition& definition, const GuardCandidate& candidate,
                             const FactFinder& finder) {
  ExplainedGuard guard;
  guard.transition = candidate.transition;
  guard.holds = candidate.holds;
  guard.error = candidate.error;
  std::vector<cel::Fact> facts;
  bool complete = true;
  for (const RecordedFact& recorded : candidate.facts) {
    ExplainedFact fact{recorded.path, finder.find(recorded), recorded.digest, {}};
    if (!recorded.value) fact.stands_at = recorded.stands_at;
    if (fact.value)
      facts.push_back({fact.path, *fact.value});
    else
      complete = false;
    guard.facts.push_back(std::move(fact));
  }
  if (candidate.transition.value >= definition.chart.transitions.size()) return guard;
  const auto cond = definition.chart.transition(candidate.transition).cond;
  if (!cond) return guard;
  const cel::Program& program = definition.conditions[cond->value];
  guard.source = program.source();
  if (!complete) return guard;
  const cel::FactActivation values(facts);
  cel::TraceNode trace;
  cel::EvalOptions options;
  options.trace = &trace;
  const cel::EvalResult again = program.evaluate(values, options);
  const bool holds = again && again->kind() == cel::Kind::boolean && again->as_bool();
  if (candidate.error.empty() && (!again || holds != candidate.holds))
    guard.differs = again ? "evaluated again over these facts it gives the opposite; `checkride "
                            "replay` says whether this build decides otherwise"
                          : "evaluated again over these facts it fails: " + again.error().message;
  guard.trace = std::move(trace);
  return guard;
}

}  // namespace

Result<Explanation> explain(const LogReader& reader, const RunTree& run,
                            const WhyQuestion& question) {
  const Definition* definition = run.view.definition();
  if (definition == nullptr)
    return fail(ErrorCode::unavailable, "the definition of run '" + run.state.run.value +
                                            "' cannot be loaded, so its guards cannot be shown");
  const std::string& id = run.state.run.value;
  Result<Found> found = question.at ? at_event(reader, run, *question.at)
                        : question.state
                            ? last_such(
                                  reader, run,
                                  [&](const Record& record, const Moment& moment) {
                                    return touches(record, moment, *question.state);
                                  },
                                  "state '" + run.view.state(*question.state) + "' of run '" + id +
                                      "' was never entered")
                            : last_such(
                                  reader, run,
                                  [](const Record&, const Moment& moment) {
                                    return moment.guards && (moment.transition || moment.incident);
                                  },
                                  "run '" + id + "' took no branch that had a guard yet");
  if (!found) return tl::unexpected(std::move(found).error());
  const Record& record = found->record;
  const Moment& moment = found->moment;
  const auto sequence = [&](std::size_t position) {
    return Sequence(record.first.value + position);
  };

  Explanation why;
  why.run = run.state.run;
  why.time = record.time;
  why.actor = record.actor;
  why.input_at = record.first;
  CR_TRY(const RunState before,
         load_state(reader, run.state.run, Sequence(record.first.value - 1)));
  EventLines lines(run.view);
  for (const auto& [token, job] : before.jobs) lines.note(Event(*job.intent));
  for (const auto& [token, gate] : before.gates) {
    GateOpened opened;
    opened.gate = token;
    opened.state = gate.state;
    lines.note(Event(std::move(opened)));
  }
  why.input =
      std::string(event_name(record.events.front())) + ", " + lines.line(record.events.front());

  if (moment.transition) {
    const auto& taken = std::get<TransitionTaken>(record.events[*moment.transition]);
    why.transition_at = sequence(*moment.transition);
    why.trigger = taken.trigger;
    why.taken = taken.transitions;
    why.exited = taken.exited;
    why.entered = taken.entered;
  }
  if (moment.incident)
    why.incident = run.view.text(std::get<IncidentRaised>(record.events[*moment.incident]).message);
  const std::size_t from = moment.guards.value_or(moment.transition.value_or(0));
  for (std::size_t i = from; i < record.events.size(); ++i) {
    if (i > from && std::holds_alternative<GuardEvaluated>(record.events[i])) break;
    if (moment.transition && i > *moment.transition &&
        std::holds_alternative<TransitionTaken>(record.events[i]))
      break;
    if (std::holds_alternative<VerdictGiven>(record.events[i]))
      why.verdicts.push_back(lines.line(record.events[i]));
  }
  if (!moment.guards) return why;

  const auto& evaluated = std::get<GuardEvaluated>(record.events[*moment.guards]);
  why.guards_at = sequence(*moment.guards);
  why.trigger = evaluated.trigger;
  CR_TRY(const RunState state,
         load_state(reader, run.state.run, Sequence(why.guards_at.value - 1)));
  const FactFinder finder(*definition, state, record.time, evaluated.trigger,
                          data_candidates(record, *moment.guards, before));
  for (const GuardCandidate& candidate : evaluated.candidates)
    why.guards.push_back(explain_guard(*definition, candidate, finder));
  return why;
}

}  // namespace checkride::cli
