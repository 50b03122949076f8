// Random charts and event scripts: the interpreter does what appendix D, written down naively,
// does. CHECKRIDE_CHARTS is the number of charts (default 4000), CHECKRIDE_SEED the first seed.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <optional>

#include "tests/properties/statechart/oracle.h"

namespace checkride::statechart {
namespace {

// What the charts of a whole test did, to know that it was something.
struct Coverage {
  std::size_t microsteps = 0;
  std::size_t several_transitions = 0;
  std::size_t histories_recorded = 0;
  std::size_t ends[4] = {};
};

class PropertyHost final : public Host {
 public:
  PropertyHost(World& world, Coverage& coverage) : world_(world), coverage_(coverage) {}

  Verdict evaluate(TransitionIndex, ConditionIndex cond, const ChartEvent* event,
                   const Interpreter& interpreter) override {
    World::Answer answer =
        world_.evaluate(cond, event, [&](StateIndex s) { return interpreter.in(s); });
    return {answer.holds, answer.error, std::move(answer.message)};
  }
  Outcome execute(ContentIndex content, const ChartEvent* event,
                  Interpreter& interpreter) override {
    World::Answer answer = world_.execute(
        content, event, [&](StateIndex s) { return interpreter.in(s); },
        [&](ChartEvent raised) { interpreter.raise(std::move(raised)); });
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
    ++coverage_.microsteps;
    if (step.transitions.size() > 1) ++coverage_.several_transitions;
    coverage_.histories_recorded += step.history.size();
  }
  cel::Value done_data(StateIndex final_state, const Interpreter&) override {
    return world_.done_data(final_state);
  }

  std::vector<std::string> steps;

 private:
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

// Runs both side by side; says where they part.
std::optional<std::string> disagreement(const Scenario& scenario, Coverage& coverage) {
  World world(scenario);
  World oracle_world(scenario);
  PropertyHost host(world, coverage);
  ChartState state;
  auto interpreter = std::make_unique<Interpreter>(scenario.chart, state, host, scenario.limits);
  Oracle oracle(scenario, oracle_world);
  for (std::size_t i = 0; i <= scenario.script.size(); ++i) {
    MacrostepEnd got = MacrostepEnd::stable;
    MacrostepEnd wanted = MacrostepEnd::stable;
    if (i == 0) {
      got = interpreter->start();
      wanted = oracle.start();
    } else {
      const ScriptStep& step = scenario.script[i - 1];
      if (step.kind == ScriptStep::Kind::restart) {
        interpreter = std::make_unique<Interpreter>(scenario.chart, state, host, scenario.limits);
        continue;
      }
      if (step.kind == ScriptStep::Kind::jump) {
        got = interpreter->jump(step.targets);
        wanted = oracle.jump(step.targets);
      } else {
        const ChartEvent event{step.event, ChartEvent::Type::external, cel::Value("sent")};
        got = interpreter->dispatch(event);
        wanted = oracle.dispatch(event);
      }
    }
    ++coverage.ends[static_cast<std::size_t>(got)];
    const std::string where = "after step " + std::to_string(i) + ": ";
    if (got != wanted) {
      return where + "end " + std::to_string(static_cast<int>(got)) + " instead of " +
             std::to_string(static_cast<int>(wanted));
    }
    if (world.log != oracle_world.log) {
      return where + difference("log entry", world.log, oracle_world.log);
    }
    // Content and guards saw the same; what an unfinished macrostep leaves behind is not to be
    // used.
    if (got == MacrostepEnd::stopped || got == MacrostepEnd::limit) return std::nullopt;
    if (host.steps != oracle.steps) {
      return where + difference("microstep", host.steps, oracle.steps);
    }
    if (state != oracle.state()) return where + "the state differs";
    if (!oracle.is_legal()) return where + "the configuration is not legal";
    if (!scenario.chart.is_legal(state.configuration)) return where + "is_legal says no";
    world.log.clear();
    oracle_world.log.clear();
    host.steps.clear();
    oracle.steps.clear();
  }
  return std::nullopt;
}

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST_CASE("the interpreter agrees with the standard's algorithm on random charts",
          "[statechart][property]") {
  const std::uint64_t first = number_from("CHECKRIDE_SEED", 1);
  const std::uint64_t count = number_from("CHECKRIDE_CHARTS", 4000);
  Coverage coverage;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("seed " << seed);  // for assertions of the interpreter, which end the process
    const Scenario scenario = generate(seed);
    if (!disagreement(scenario, coverage)) continue;
    Coverage ignored;
    const Scenario small =
        shrink(scenario, [&](const Scenario& s) { return disagreement(s, ignored).has_value(); });
    FAIL("seed " << seed << " (CHECKRIDE_SEED=" << seed << " CHECKRIDE_CHARTS=1), shrunk to\n"
                 << describe(small) << *disagreement(small, ignored));
  }
  if (count < 1000) return;
  // The charts must have done something worth comparing.
  INFO("microsteps " << coverage.microsteps << ", with several transitions "
                     << coverage.several_transitions << ", histories "
                     << coverage.histories_recorded << ", stable " << coverage.ends[0]
                     << ", finished " << coverage.ends[1] << ", stopped " << coverage.ends[2]
                     << ", limit " << coverage.ends[3]);
  CHECK(coverage.microsteps > 10 * count);
  CHECK(coverage.several_transitions > count / 10);
  CHECK(coverage.histories_recorded > count / 2);
  for (const std::size_t end : coverage.ends) CHECK(end > count / 100);
}

}  // namespace
}  // namespace checkride::statechart
