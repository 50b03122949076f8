#include "tests/properties/statechart/compare.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "tests/properties/statechart/oracle.h"

namespace checkride::statechart {
namespace {

constexpr std::size_t external_events_max = 30;  // taken after one step of the script

class PropertyHost final : public Host {
 public:
  PropertyHost(const Scenario& scenario, World& world, Coverage& coverage)
      : scenario_(scenario), world_(world), coverage_(coverage) {}

  Verdict evaluate(TransitionIndex, ConditionIndex cond, const ChartEvent* event,
                   const Interpreter& interpreter) override {
    World::Answer answer =
        world_.evaluate(cond, event, [&](StateIndex s) { return interpreter.in(s); });
    if (answer.error != HostError::none)
      coverage_.note(scenario_.park ? Feature::guard_fails_and_parks
                                    : Feature::guard_fails_as_event);
    return {answer.holds, answer.error, std::move(answer.message)};
  }
  Outcome execute(ContentIndex content, const ChartEvent* event,
                  Interpreter& interpreter) override {
    World::Answer answer = world_.execute(
        content, event, [&](StateIndex s) { return interpreter.in(s); },
        [&](ChartEvent raised) { interpreter.raise(std::move(raised)); });
    if (answer.error != HostError::none)
      coverage_.note(scenario_.park ? Feature::content_fails_and_parks
                                    : Feature::content_fails_as_event);
    return {answer.error, std::move(answer.message)};
  }
  void on_microstep(const Microstep& step) override {
    std::string line = "take";
    for (const TransitionIndex t : step.transitions) line += " " + to_string(t);
    line += " exit";
    for (const StateIndex s : step.exited) line += " " + to_string(s);
    line += " enter";
    for (const StateIndex s : step.entered) line += " " + to_string(s);
    line += " history";
    for (const auto& [h, value] : step.history) {
      line += " " + to_string(h) + "=";
      for (const StateIndex s : value) line += to_string(s) + ",";
    }
    steps.push_back(line);
    coverage_.note(step, *interpreter_);
  }
  cel::Value done_data(StateIndex final_state, const Interpreter&) override {
    return world_.done_data(final_state);
  }

  std::vector<std::string> steps;
  void attach(const Interpreter& interpreter) { interpreter_ = &interpreter; }

 private:
  const Interpreter* interpreter_ = nullptr;
  const Scenario& scenario_;
  World& world_;
  Coverage& coverage_;
};

std::string difference(const std::string& what, const std::vector<std::string>& got,
                       const std::vector<std::string>& wanted) {
  for (std::size_t i = 0; i < std::max(got.size(), wanted.size()); ++i) {
    const std::string a = i < got.size() ? got[i] : "nothing";
    const std::string b = i < wanted.size() ? wanted[i] : "nothing";
    if (a != b) return what + " " + std::to_string(i) + ": '" + a + "' instead of '" + b + "'";
  }
  return {};
}

class Comparison {
 public:
  Comparison(const Scenario& scenario, Coverage& coverage)
      : scenario_(scenario),
        coverage_(coverage),
        world_(scenario),
        oracle_world_(scenario),
        host_(scenario, world_, coverage) {
    oracle_.emplace(scenario_, oracle_world_);
    restart();
  }

  // What differs, or nothing.
  std::string run() {
    std::string wrong = macrostep(
        "the start", [&] { return interpreter_->start(); }, [&] { return oracle_->start(); });
    // A start thrown away would only be tried again.
    if (!wrong.empty() || discarded_) return wrong;
    wrong = take_external(false);
    for (std::size_t i = 0; i < scenario_.script.size() && wrong.empty(); ++i) {
      wrong = step(scenario_.script[i], "step " + std::to_string(i + 1));
    }
    return wrong;
  }

 private:
  void restart() {
    interpreter_ = std::make_unique<Interpreter>(scenario_.chart, state_, host_, scenario_.limits);
    host_.attach(*interpreter_);
  }

  std::string step(const ScriptStep& step, const std::string& where) {
    switch (step.kind) {
      case ScriptStep::Kind::restart:
        coverage_.note(Feature::restarted);
        restart();
        return {};
      case ScriptStep::Kind::wait:
        world_.wait(step.ticks);
        oracle_world_.wait(step.ticks);
        return take_external(true);
      case ScriptStep::Kind::jump: {
        coverage_.note(Feature::jumped);
        std::string wrong = macrostep(
            where, [&] { return interpreter_->jump(step.targets); },
            [&] { return oracle_->jump(step.targets); });
        return wrong.empty() ? take_external(false) : wrong;
      }
      case ScriptStep::Kind::event: break;
    }
    std::string wrong = dispatch(step.event, where);
    return wrong.empty() ? take_external(false) : wrong;
  }

  std::string dispatch(const std::string& name, const std::string& where) {
    if (discarded_ && state_.running) coverage_.note(Feature::goes_on_after_discard);
    const ChartEvent event{name, ChartEvent::Type::external, cel::Value("sent")};
    return macrostep(
        where, [&] { return interpreter_->dispatch(event); },
        [&] { return oracle_->dispatch(event); });
  }

  // What was sent or fell due.
  std::string take_external(bool delayed) {
    for (std::size_t i = 0; i < external_events_max; ++i) {
      const auto event = world_.next_external();
      if (event != oracle_world_.next_external()) return "the external queues differ";
      if (!event) return {};
      coverage_.note(delayed ? Feature::delayed_event : Feature::sent_event);
      if (std::string wrong = dispatch(*event, "the sent event " + *event); !wrong.empty())
        return wrong;
    }
    return {};
  }

  template <class Mine, class Oracles>
  std::string macrostep(const std::string& where, const Mine& mine, const Oracles& oracles) {
    const ChartState state_before = state_;
    const World world_before = world_;
    const Oracle oracle_before = *oracle_;
    world_.log.clear();
    oracle_world_.log.clear();
    host_.steps.clear();
    oracle_->steps.clear();
    const MacrostepEnd got = mine();
    const MacrostepEnd wanted = oracles();
    if (got != wanted) {
      return where + ": end " + std::to_string(static_cast<int>(got)) + " instead of " +
             std::to_string(static_cast<int>(wanted));
    }
    if (world_.log != oracle_world_.log) {
      return where + ": " + difference("log entry", world_.log, oracle_world_.log);
    }
    if (oracle_->preempted > 0) coverage_.note(Feature::preempted);
    if (world_.cancelled > 0) coverage_.note(Feature::cancelled);
    discarded_ = got == MacrostepEnd::stopped || got == MacrostepEnd::limit;
    if (discarded_) {
      if (interpreter_->message().empty()) return where + ": no message says why it ended";
      if (got == MacrostepEnd::limit) {
        const bool queue = interpreter_->message().find("internal events") != std::string::npos;
        coverage_.note(queue ? Feature::internal_events_bound : Feature::microsteps_bound);
      }
      // What an unfinished macrostep leaves behind is not to be used: all is as before it.
      state_ = state_before;
      world_ = world_before;
      oracle_world_ = world_before;
      oracle_.emplace(oracle_before);
      return {};
    }
    if (got == MacrostepEnd::finished) coverage_.note(Feature::finished);
    if (host_.steps != oracle_->steps) {
      return where + ": " + difference("microstep", host_.steps, oracle_->steps);
    }
    if (state_ != oracle_->state()) return where + ": the state differs";
    if (!oracle_->is_legal()) return where + ": the configuration is not legal";
    if (!scenario_.chart.is_legal(state_.configuration)) return where + ": is_legal says no";
    return {};
  }

  const Scenario& scenario_;
  Coverage& coverage_;
  World world_;
  World oracle_world_;
  ChartState state_;
  PropertyHost host_;
  std::unique_ptr<Interpreter> interpreter_;
  std::optional<Oracle> oracle_;
  bool discarded_ = false;  // the last macrostep
};

}  // namespace

std::optional<std::string> disagreement(const Scenario& scenario, Coverage& coverage) {
  coverage.begin_chart();
  std::string wrong = Comparison(scenario, coverage).run();
  coverage.end_chart();
  if (wrong.empty()) return std::nullopt;
  return wrong;
}

std::optional<std::string> first_disagreement(std::uint64_t first, std::uint64_t count,
                                              Coverage& coverage) {
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Scenario scenario = generate(seed);
    if (!disagreement(scenario, coverage)) continue;
    Coverage ignored;
    const Scenario small =
        shrink(scenario, [&](const Scenario& s) { return disagreement(s, ignored).has_value(); });
    return "seed " + std::to_string(seed) + " (CHECKRIDE_SEED=" + std::to_string(seed) +
           " CHECKRIDE_CHARTS=1), shrunk to\n" + describe(small) + *disagreement(small, ignored);
  }
  return std::nullopt;
}

}  // namespace checkride::statechart
