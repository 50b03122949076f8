// A random chart with guards, content and a script of what happens to it: everything that follows
// from one seed. Also how to make a failing one smaller, and how to print it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/statechart/interpreter.h"

namespace checkride::statechart {

struct GuardSpec {
  enum class Kind { yes, no, in, even, fails, stops } kind = Kind::yes;
  StateIndex state;  // of `in`
};

struct ActionSpec {
  enum class Kind { count, raise, raise_if_in, fails, stops } kind = Kind::count;
  std::string event;
  StateIndex state;  // of `raise_if_in`
};

struct ScriptStep {
  enum class Kind { event, jump, restart } kind = Kind::event;  // restart: a new Interpreter
  std::string event;
  std::vector<StateIndex> targets;
};

struct Scenario {
  Chart chart;
  std::vector<GuardSpec> guards;                  // by ConditionIndex
  std::vector<std::vector<ActionSpec>> contents;  // by ContentIndex
  std::vector<ScriptStep> script;
  Limits limits;
};

// The chart is valid.
Scenario generate(std::uint64_t seed);
// Removes states, transitions, content and steps one by one as long as `fails` still holds.
Scenario shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails);
std::string describe(const Scenario& scenario);

// What guards and content do, the same for the interpreter and the oracle: they count, raise, fail
// and log. `in` and `raise` reach back into whoever asks.
class World {
 public:
  explicit World(const Scenario& scenario) : scenario_(scenario) {}

  struct Answer {
    bool holds = false;
    HostError error = HostError::none;
    std::string message;
  };
  using In = std::function<bool(StateIndex)>;
  using Raise = std::function<void(ChartEvent)>;
  Answer evaluate(ConditionIndex cond, const ChartEvent* event, const In& in);
  Answer execute(ContentIndex content, const ChartEvent* event, const In& in, const Raise& raise);
  cel::Value done_data(StateIndex final_state);

  std::vector<std::string> log;

 private:
  const Scenario& scenario_;
  std::int64_t counter_ = 0;
};

}  // namespace checkride::statechart
