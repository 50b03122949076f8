// A random chart with guards, content and a script of what happens to it: everything that follows
// from one seed. Also how to make a failing one smaller, and how to print it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/statechart/interpreter.h"

namespace checkride::statechart {

struct GuardSpec {
  enum class Kind { yes, no, in, even, fails } kind = Kind::yes;
  StateIndex state;  // of `in`
};

struct ActionSpec {
  enum class Kind { count, raise, raise_if_in, send, cancel, fails } kind = Kind::count;
  std::string event;
  StateIndex state;         // of `raise_if_in`
  std::string id;           // of `send` and `cancel`
  std::uint32_t delay = 0;  // of `send`, in ticks
};

struct ScriptStep {
  // wait: ticks pass, and delayed sends fall due; restart: a new Interpreter
  enum class Kind { event, wait, jump, restart } kind = Kind::event;
  std::string event;
  std::vector<StateIndex> targets;
  std::uint32_t ticks = 0;
};

struct Scenario {
  Chart chart;
  std::vector<GuardSpec> guards;                  // by ConditionIndex
  std::vector<std::vector<ActionSpec>> contents;  // by ContentIndex
  std::vector<ScriptStep> script;
  Limits limits;
  // What a failing guard or action answers: HostError::stop, so that the macrostep is thrown away
  // (errors: park), or HostError::execution, which raises error.execution (errors: event).
  bool park = false;
};

// The chart is valid.
Scenario generate(std::uint64_t seed);
// Removes states, transitions, content and steps one by one as long as `fails` still holds.
Scenario shrink(Scenario scenario, const std::function<bool(const Scenario&)>& fails);
std::string describe(const Scenario& scenario);

// What guards and content do, the same for the interpreter and the oracle: they count, raise, send,
// fail and log. `in` and `raise` reach back into whoever asks. A value: what an unfinished
// macrostep did to it is undone by putting the copy of before in its place.
class World {
 public:
  explicit World(const Scenario& scenario) : scenario_(&scenario) {}

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
  // The external queue: sends without delay at once, the others when enough ticks have passed.
  std::optional<std::string> next_external();
  void wait(std::uint32_t ticks);

  std::vector<std::string> log;
  std::size_t cancelled = 0;  // delayed sends, in all

 private:
  struct Delayed {
    std::uint32_t due = 0;
    std::string event;
    std::string id;
  };
  HostError error() const { return scenario_->park ? HostError::stop : HostError::execution; }

  const Scenario* scenario_;
  std::int64_t counter_ = 0;
  std::uint32_t now_ = 0;
  std::deque<std::string> external_;
  std::vector<Delayed> delayed_;  // in order of sending
};

}  // namespace checkride::statechart
