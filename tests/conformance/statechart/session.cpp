#include "tests/conformance/statechart/session.h"

#include <algorithm>

namespace checkride::conformance {
namespace {

// Bounds on one step of a test: a machine that passes them is broken, not slow.
constexpr std::size_t external_events_max = 100'000;
constexpr std::size_t waiting_events_max = 100'000;
constexpr std::size_t order_max = 1'000'000;

using statechart::ChartEvent;
using statechart::HostError;
using statechart::MacrostepEnd;
using statechart::StateIndex;

}  // namespace

Session::Session(Machine machine, bool park)
    : machine_(std::move(machine)), park_(park), interpreter_(machine_.chart, state_, *this) {}

Result<void> Session::start() {
  CR_CHECK(macrostep([&] { return interpreter_.start(); }));
  return drain();
}

Result<void> Session::send(const std::string& event) {
  external_queue_.push_back(event);
  return drain();
}

Result<void> Session::advance(std::chrono::milliseconds span) {
  const auto until = now_ + span;
  for (std::size_t taken = 0;; ++taken) {
    // The first of the earliest: of equal times, the one sent first.
    const auto next =
        std::min_element(delayed_.begin(), delayed_.end(),
                         [](const Delayed& a, const Delayed& b) { return a.due < b.due; });
    if (next == delayed_.end() || next->due > until) break;
    if (taken == external_events_max) {
      return fail(ErrorCode::invalid_argument, "delayed sends do not come to an end");
    }
    now_ = next->due;
    external_queue_.push_back(next->event);
    delayed_.erase(next);
    // What falls due at the same moment is due already: a cancel comes too late for it.
    const bool more = std::any_of(delayed_.begin(), delayed_.end(),
                                  [&](const Delayed& d) { return d.due == now_; });
    if (!more) CR_CHECK(drain());
  }
  now_ = until;
  return drain();
}

Result<void> Session::drain() {
  for (std::size_t taken = 0; !external_queue_.empty() && !parked_; ++taken) {
    if (taken == external_events_max) {
      return fail(ErrorCode::invalid_argument, "the external queue does not run empty");
    }
    const ChartEvent event{external_queue_.front(), ChartEvent::Type::external, {}};
    external_queue_.pop_front();
    CR_CHECK(macrostep([&] { return interpreter_.dispatch(event); }));
    if (parked_) external_queue_.push_front(event.name);
  }
  return {};
}

template <class Step>
Result<void> Session::macrostep(const Step& step) {
  const statechart::ChartState state_before = state_;
  const auto variables_before = machine_.variables;
  const auto external_before = external_queue_;
  const auto delayed_before = delayed_;
  const auto order_before = order_;
  const MacrostepEnd end = step();
  if (end == MacrostepEnd::stable || end == MacrostepEnd::finished) return {};
  if (end != MacrostepEnd::stopped || !park_)
    return fail(ErrorCode::invalid_argument, interpreter_.message());
  state_ = state_before;
  machine_.variables = variables_before;
  external_queue_ = external_before;
  delayed_ = delayed_before;
  order_ = order_before;
  parked_ = true;
  return {};
}

HostError Session::error() const {
  return park_ ? HostError::stop : HostError::execution;
}

std::vector<std::string> Session::configuration() const {
  std::vector<std::string> ids;
  for (const StateIndex s : state_.configuration) {
    if (machine_.chart.is_atomic(s)) ids.push_back(machine_.chart.state(s).id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<std::string> Session::take_order() {
  return std::exchange(order_, {});
}

void Session::on_microstep(const statechart::Microstep& step) {
  if (order_.size() > order_max) return;  // the limit on microsteps will say why
  for (const StateIndex s : step.exited) order_.push_back("-" + machine_.chart.state(s).id);
  for (const StateIndex s : step.entered) order_.push_back("+" + machine_.chart.state(s).id);
}

statechart::Host::Verdict Session::evaluate(statechart::TransitionIndex,
                                            statechart::ConditionIndex cond, const ChartEvent*,
                                            const statechart::Interpreter&) {
  return holds(machine_.guards[cond.value]);
}

statechart::Host::Verdict Session::holds(const cel::Program& condition) const {
  const cel::EvalResult value = condition.evaluate(*this);
  if (!value) return {false, error(), value.error().message};
  if (value->kind() != cel::Kind::boolean) {
    return {false, error(), "the condition is no bool"};
  }
  return {value->as_bool(), HostError::none, {}};
}

statechart::Host::Outcome Session::execute(statechart::ContentIndex content, const ChartEvent*,
                                           statechart::Interpreter&) {
  return run(machine_.contents[content.value]);
}

statechart::Host::Outcome Session::run(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    Outcome outcome = run(action);
    if (outcome.error != HostError::none) return outcome;
  }
  return {};
}

statechart::Host::Outcome Session::run(const Action& action) {
  switch (action.kind) {
    case Action::Kind::raise:
      interpreter_.raise({action.name, ChartEvent::Type::internal, {}});
      return {};
    case Action::Kind::send:
      if (external_queue_.size() + delayed_.size() >= waiting_events_max) {
        return {HostError::stop, "too many events wait at once"};
      }
      if (action.delay.count() == 0) {
        external_queue_.push_back(action.name);
      } else {
        delayed_.push_back({now_ + action.delay, action.name, action.id});
      }
      return {};
    case Action::Kind::cancel:
      delayed_.erase(std::remove_if(delayed_.begin(), delayed_.end(),
                                    [&](const Delayed& d) { return d.id == action.name; }),
                     delayed_.end());
      return {};
    case Action::Kind::assign: {
      const auto variable =
          std::find_if(machine_.variables.begin(), machine_.variables.end(),
                       [&](const auto& entry) { return entry.first == action.name; });
      if (variable == machine_.variables.end()) {
        return {error(), "no variable '" + action.name + "'"};
      }
      cel::EvalResult value = action.expression->evaluate(*this);
      if (!value) return {error(), value.error().message};
      variable->second = *std::move(value);
      return {};
    }
    case Action::Kind::branch:
      for (const Branch& branch : action.branches) {
        if (branch.cond) {
          Verdict verdict = holds(*branch.cond);
          if (verdict.error != HostError::none) return {verdict.error, verdict.message};
          if (!verdict.holds) continue;
        }
        return run(branch.actions);
      }
      return {};
    case Action::Kind::fail: return {error(), action.name};
  }
  return {};
}

const cel::Value* Session::find(std::string_view name) const {
  for (const auto& [variable, value] : machine_.variables) {
    if (variable == name) return &value;
  }
  return nullptr;
}

bool Session::in(std::string_view state_id) const {
  const auto state = machine_.chart.find(state_id);
  return state.has_value() && interpreter_.in(*state);
}

}  // namespace checkride::conformance
