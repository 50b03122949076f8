#include "engine/decider/draft.h"

#include <algorithm>
#include <utility>

#include "engine/base/assert.h"

namespace checkride {

using statechart::ChartEvent;
using statechart::HostError;
using statechart::Interpreter;
using statechart::MacrostepEnd;
using statechart::StateIndex;

namespace {

constexpr std::size_t external_events_max = 10'000;  // taken in one decision
constexpr std::size_t fact_bytes_max = 64;

bool is_scalar(const cel::Value& value) {
  switch (value.kind()) {
    case cel::Kind::list:
    case cel::Kind::map:
    case cel::Kind::optional: return false;
    case cel::Kind::string: return value.as_string().size() <= fact_bytes_max;
    case cel::Kind::bytes: return value.as_bytes().data.size() <= fact_bytes_max;
    default: return true;
  }
}

// The first two names of a path: "jobs.apply.class" -> {"jobs", "apply"}.
std::pair<std::string_view, std::string_view> path_head(std::string_view path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return {path, {}};
  std::string_view rest = path.substr(dot + 1);
  return {path.substr(0, dot), rest.substr(0, rest.find_first_of(".[)"))};
}

}  // namespace

std::optional<StateIndex> top_final(const RunState& state, const Definition& definition) {
  for (const StateIndex active : state.chart.configuration)
    if (definition.chart.is_final(active) &&
        definition.chart.state(active).parent == statechart::root_state)
      return active;
  return std::nullopt;
}

Draft::Draft(const RunState& start, const Definition& def, const Command& cmd)
    : state(start), definition(def), command(cmd), start_(start), offer_(cmd.offer) {}

void Draft::emit(Event event) {
  const EventContext context{command.run, next_sequence(), command.time, command.actor, command.id};
  evolve(state, event, context);
  events.push_back(std::move(event));
}

void Draft::take_back(std::size_t events_kept) {
  events.erase(events.begin() + static_cast<std::ptrdiff_t>(events_kept), events.end());
  state = start_;
  for (const Event& event : events)
    evolve(state, event, {command.run, next_sequence(), command.time, command.actor, command.id});
}

RunActivation Draft::activation(const ChartEvent* event) const {
  const Interpreter* interpreter = interpreter_;
  if (interpreter == nullptr) return RunActivation(state, definition, command.time, event);
  return RunActivation(state, definition, command.time, event,
                       [interpreter](StateIndex index) { return interpreter->in(index); });
}

HostError Draft::error_kind() const {
  return definition.park_on_error ? HostError::stop : HostError::execution;
}

// ---------------------------------------------------------------------------- macrosteps

void Draft::start_chart() {
  macrostep(Step::start, {});
  run_pending();
}

void Draft::deliver(QueuedEvent event) {
  if (state.mode != RunMode::running) return;
  if (state.parked() || !state.queue.empty()) {
    emit(EventQueued{std::move(event.name), std::move(event.data)});
    return;
  }
  pending_.push_back(std::move(event));
  run_pending();
}

bool Draft::is_outdated(const QueuedEvent& event) const {
  std::string_view id = event.name;
  if (id.starts_with("done.invoke."))
    id.remove_prefix(12);
  else if (id.starts_with("error.invoke."))
    id.remove_prefix(13);
  else if (id.starts_with("answer."))
    id.remove_prefix(id.rfind('.') + 1);
  else
    return false;
  const auto index = definition.chart.find(id);
  if (!index || !definition.states[index->value].invoke) return false;
  const auto invocation = state.invocations.find(*index);
  return invocation == state.invocations.end() || !invocation->second.ended;
}

void Draft::drain_queue() {
  while (!state.parked() && !state.queue.empty() && state.mode == RunMode::running) {
    QueuedEvent event = state.queue.front();
    emit(EventTaken{});
    if (is_outdated(event)) continue;
    pending_.push_back(std::move(event));
    run_pending();
  }
}

void Draft::jump_to(StateIndex target) {
  macrostep(Step::jump, {}, target);
  run_pending();
}

void Draft::run_pending() {
  if (taking_) return;
  taking_ = true;
  std::size_t taken = 0;
  while (!pending_.empty() && !state.parked() && state.mode == RunMode::running) {
    const QueuedEvent event = std::move(pending_.front());
    pending_.pop_front();
    if (is_outdated(event)) continue;
    if (++taken > external_events_max) {
      raise_incident(IncidentKind::limit,
                     "the chart sent itself more than " + std::to_string(external_events_max) +
                         " events in one step",
                     statechart::root_state, std::nullopt, {event});
      break;
    }
    macrostep(Step::dispatch, event);
  }
  // What a parked run had not taken yet waits in its queue.
  if (state.parked())
    for (QueuedEvent& event : pending_)
      emit(EventQueued{std::move(event.name), std::move(event.data)});
  pending_.clear();
  taking_ = false;
}

void Draft::macrostep(Step step, const QueuedEvent& event, StateIndex target) {
  if (step == Step::dispatch && top_final(state, definition)) return;
  const std::size_t events_before = events.size();
  const std::size_t pending_before = pending_.size();

  statechart::ChartState chart = state.chart;
  chart.running = !chart.configuration.empty();
  Interpreter interpreter(definition.chart, chart, *this);
  const ChartEvent chart_event{event.name, ChartEvent::Type::external, event.data};
  interpreter_ = &interpreter;
  event_ = step == Step::dispatch ? &chart_event : nullptr;
  trigger_ = event.name;
  stop_ = false;
  exhausted_.clear();
  candidates_.clear();

  MacrostepEnd end = MacrostepEnd::stable;
  switch (step) {
    case Step::start: end = interpreter.start(); break;
    case Step::dispatch: end = interpreter.dispatch(chart_event); break;
    case Step::jump: end = interpreter.jump({target}); break;
  }
  const std::string message = interpreter.message();
  interpreter_ = nullptr;
  event_ = nullptr;

  const bool limit = end == MacrostepEnd::limit;
  if (stop_ || limit || end == MacrostepEnd::stopped) {
    // Park: the unfinished macrostep never happened. What was tried is kept, and the input waits
    // first in the queue for `resolve --retry`.
    take_back(events_before);
    pending_.resize(pending_before);
    exhausted_.clear();
    flush_candidates(trigger_);
    std::vector<QueuedEvent> unprocessed;
    // A message waits where it was.
    if (step == Step::dispatch && message_ == nullptr) unprocessed.push_back(event);
    raise_incident(limit ? IncidentKind::limit : IncidentKind::execution_error,
                   stop_ ? stop_message_ : message, stop_ ? stop_state_ : statechart::root_state,
                   std::nullopt, std::move(unprocessed), step == Step::start);
    return;
  }
  flush_candidates(trigger_);
  CR_ASSERT(state.chart.configuration == chart.configuration);
  // What an invocation causes at once (no elements for `each`) is an event of its own.
  const bool outer = std::exchange(taking_, true);
  begin_invocations();
  taking_ = outer;
  for (const auto& [index, text] : exhausted_)
    raise_incident(IncidentKind::budget_exhausted, text, index);
  exhausted_.clear();
}

void Draft::raise_incident(IncidentKind kind, std::string message, StateIndex where,
                           std::optional<Token> job, std::vector<QueuedEvent> unprocessed,
                           bool start_unfinished) {
  IncidentRaised raised;
  raised.incident = IncidentId("i" + std::to_string(next_sequence().value));
  raised.kind = kind;
  raised.message = std::move(message);
  raised.state = where;
  raised.job = std::move(job);
  raised.unprocessed = std::move(unprocessed);
  raised.start_unfinished = start_unfinished;
  emit(std::move(raised));
}

// ---------------------------------------------------------------------------- host

RecordedFact Draft::record_fact(const cel::Fact& fact) const {
  RecordedFact recorded;
  recorded.path = fact.path;
  if (is_scalar(fact.value)) {
    recorded.value = fact.value;
    return recorded;
  }
  recorded.digest = sha256(cel::to_cel(fact.value));
  const auto [root, name] = path_head(fact.path);
  recorded.stands_at = Sequence(state.last.value - events.size() + 1);  // this record's input
  if (root == "event" && message_ != nullptr) recorded.stands_at = message_->received_at;
  if (root == "params") recorded.stands_at = state.started_at;
  if (root == "data") {
    const auto assigned = state.assigned_at.find(std::string(name));
    recorded.stands_at = assigned == state.assigned_at.end() ? state.started_at : assigned->second;
  }
  if (root == "jobs")
    if (const auto index = definition.chart.find(name))
      if (const auto result = state.results.find(*index); result != state.results.end())
        recorded.stands_at = result->second.stands_at;
  return recorded;
}

statechart::Host::Verdict Draft::evaluate(statechart::TransitionIndex transition,
                                          statechart::ConditionIndex cond, const ChartEvent* event,
                                          const Interpreter& interpreter) {
  static_cast<void>(interpreter);
  GuardCandidate candidate;
  candidate.transition = transition;
  std::vector<cel::Fact> facts;
  cel::EvalOptions options;
  options.facts = &facts;
  const RunActivation values = activation(event);
  const cel::EvalResult result = definition.conditions[cond.value].evaluate(values, options);
  for (const cel::Fact& fact : facts) candidate.facts.push_back(record_fact(fact));

  Host::Verdict verdict;
  if (result && result->kind() == cel::Kind::boolean) {
    verdict.holds = candidate.holds = result->as_bool();
  } else {
    candidate.error = result ? "the guard is no bool" : result.error().message;
    const StateIndex source = definition.chart.transition(transition).source;
    verdict.error = error_kind();
    verdict.message = "the guard '" + definition.conditions[cond.value].source() + "' of state '" +
                      definition.chart.state(source).id + "' failed: " + candidate.error;
    if (verdict.error == HostError::stop) {
      stop_ = true;
      stop_message_ = verdict.message;
      stop_state_ = source;
    }
  }
  std::string trigger = event == nullptr ? std::string() : event->name;
  if (trigger != trigger_) flush_candidates(trigger_);
  trigger_ = std::move(trigger);
  candidates_.push_back(std::move(candidate));
  return verdict;
}

void Draft::flush_candidates(const std::string& trigger) {
  if (candidates_.empty()) return;
  emit(GuardEvaluated{trigger, std::move(candidates_)});
  candidates_.clear();
}

statechart::Host::Outcome Draft::execute(statechart::ContentIndex content, const ChartEvent* event,
                                         Interpreter& interpreter) {
  return run_actions(definition.contents[content.value], event, interpreter);
}

statechart::Host::Outcome Draft::run_actions(const std::vector<Action>& actions,
                                             const ChartEvent* event, Interpreter& interpreter) {
  const auto failed = [&](std::string message) {
    Outcome outcome{error_kind(), std::move(message)};
    if (outcome.error == HostError::stop && !stop_) {
      stop_ = true;
      stop_message_ = outcome.message;
      stop_state_ = statechart::root_state;
    }
    return outcome;
  };
  for (const Action& action : actions) {
    const RunActivation values = activation(event);
    const auto data_of = [&](const std::optional<ValueTemplate>& data) -> cel::EvalResult {
      if (!data) return cel::Value();
      return checkride::evaluate(*data, values);
    };
    if (const auto* assign = std::get_if<AssignAction>(&action.node)) {
      const cel::EvalResult value = assign->value.evaluate(values);
      if (!value)
        return failed("assigning '" + assign->name + "' failed: " + value.error().message);
      for (const FieldSpec& field : definition.data)
        if (field.name == assign->name)
          if (const auto fits = cel::conforms(*value, field.type); !fits)
            return failed("assigning '" + assign->name + "' failed: " + fits.error().message);
      if (cel::size_bytes(*value) > result_bytes_max)
        return failed("assigning '" + assign->name + "' failed: the value is larger than " +
                      std::to_string(result_bytes_max) + " bytes");
      emit(DataAssigned{assign->name, *value});
    } else if (const auto* raise = std::get_if<RaiseAction>(&action.node)) {
      const cel::EvalResult data = data_of(raise->data);
      if (!data) return failed("raising '" + raise->event + "' failed: " + data.error().message);
      interpreter.raise(ChartEvent{raise->event, ChartEvent::Type::internal, *data});
    } else if (const auto* send = std::get_if<SendAction>(&action.node)) {
      const cel::EvalResult data = data_of(send->data);
      if (!data) return failed("sending '" + send->event + "' failed: " + data.error().message);
      if (send->delay <= Duration(0)) {
        pending_.push_back(QueuedEvent{send->event, *data});
      } else {
        TimerSet timer;
        timer.timer = TimerId(send->id + "#" + std::to_string(next_sequence().value));
        timer.purpose = TimerPurpose::send;
        timer.due = command.time + send->delay;
        timer.event = send->event;
        timer.data = *data;
        emit(std::move(timer));
      }
    } else if (const auto* cancel = std::get_if<CancelAction>(&action.node)) {
      std::vector<TimerId> due;
      for (const auto& [id, timer] : state.timers)
        if (timer.purpose == TimerPurpose::send && id.value.starts_with(cancel->id + "#"))
          due.push_back(id);
      for (TimerId& id : due) emit(TimerCancelled{std::move(id)});
    } else {
      for (const IfAction::Branch& branch : std::get<IfAction>(action.node).branches) {
        if (branch.cond) {
          const cel::EvalResult holds = branch.cond->evaluate(values);
          if (!holds || holds->kind() != cel::Kind::boolean)
            return failed("the condition '" + branch.cond->source() +
                          "' failed: " + (holds ? "it is no bool" : holds.error().message));
          if (!holds->as_bool()) continue;
        }
        if (Outcome outcome = run_actions(branch.actions, event, interpreter);
            outcome.error != HostError::none)
          return outcome;
        break;
      }
    }
  }
  return {};
}

void Draft::host_failed(std::string message, StateIndex where) {
  if (definition.park_on_error) {
    if (stop_) return;
    stop_ = true;
    stop_message_ = std::move(message);
    stop_state_ = where;
  } else if (interpreter_ != nullptr) {
    cel::Map data;
    data.set("message", cel::Value(std::move(message)));
    interpreter_->raise(
        ChartEvent{"error.execution", ChartEvent::Type::platform, cel::Value(std::move(data))});
  }
}

void Draft::on_microstep(const statechart::Microstep& step) {
  trigger_ = step.event == nullptr ? std::string() : step.event->name;
  event_ = step.event;
  flush_candidates(trigger_);
  if (message_ != nullptr && !consumed_ && trigger_.starts_with(message_prefix)) {
    consumed_ = true;
    const std::string id = message_->message;
    emit(MessageConsumed{id});
    if (const TimerId timer("message." + id); state.timers.contains(timer))
      emit(TimerCancelled{timer});
  }
  give_verdicts(step);
  for (const StateIndex left : step.exited) release_state(left, "its state was left");

  TransitionTaken taken;
  taken.transitions.assign(step.transitions.begin(), step.transitions.end());
  taken.trigger = trigger_;
  taken.exited.assign(step.exited.begin(), step.exited.end());
  taken.entered.assign(step.entered.begin(), step.entered.end());
  taken.history.assign(step.history.begin(), step.history.end());
  count_entries(step, taken);
  emit(std::move(taken));

  for (const StateIndex entered : step.entered) {
    const StateSpec& spec = definition.states[entered.value];
    if (spec.verdict && !spec.invoke) give_verdict(entered, *spec.verdict, spec.note);
  }
}

void Draft::count_entries(const statechart::Microstep& step, TransitionTaken& taken) {
  const auto count_of = [&](StateIndex index) -> std::uint32_t {
    for (const auto& [known, count] : taken.entries)
      if (known == index) return count;
    const auto found = state.entries.find(index);
    return found == state.entries.end() ? 0 : found->second;
  };
  const auto set_count = [&](StateIndex index, std::uint32_t count) {
    for (auto& [known, old] : taken.entries)
      if (known == index) {
        old = count;
        return;
      }
    taken.entries.emplace_back(index, count);
  };
  for (const StateIndex entered : step.entered) {
    for (const StateIndex child : definition.chart.state(entered).children)
      if (definition.states[child.value].budget && count_of(child) != 0) set_count(child, 0);
    const auto& budget = definition.states[entered.value].budget;
    if (!budget) continue;
    const std::uint32_t count = count_of(entered) + 1;
    set_count(entered, count);
    const std::string& id = definition.chart.state(entered).id;
    const cel::EvalResult max = budget->max.evaluate(activation(event_));
    if (!max || max->kind() != cel::Kind::integer) {
      host_failed("the budget of state '" + id +
                      "' failed: " + (max ? "it is no int" : max.error().message),
                  entered);
      continue;
    }
    if (count <= max->as_int()) continue;
    if (budget->exhausted)
      interpreter_->raise(ChartEvent{"exhausted." + id, ChartEvent::Type::platform, {}});
    else
      exhausted_.emplace_back(entered, "state '" + id + "' was entered " +
                                           std::to_string(max->as_int()) +
                                           " times, which is its budget; `resolve --retry` allows "
                                           "one more");
  }
}

}  // namespace checkride
