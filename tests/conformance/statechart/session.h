// One machine in motion under virtual time: the external queue, delayed sends and variables, which
// the interpreter leaves to its host.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "engine/statechart/interpreter.h"
#include "tests/conformance/statechart/machine.h"

namespace checkride::conformance {

class Session final : public statechart::Host, private cel::Activation {
 public:
  // `park`: a failing guard or action throws its macrostep away and stops the session, as a
  // definition's `errors: park` does; else it raises error.execution.
  explicit Session(Machine machine, bool park = false);

  // Each runs until both queues are empty. An error is a limit: the machine does not settle.
  Result<void> start();
  Result<void> send(const std::string& event);
  // Lets time pass; delayed sends fall due one after another in order of their time.
  Result<void> advance(std::chrono::milliseconds span);

  std::vector<std::string> configuration() const;  // active leaf states, sorted
  std::vector<std::string> take_order();           // "-id" and "+id" since the last call
  // Stopped by a failure: events wait from then on, the one that failed first.
  bool parked() const { return parked_; }

 private:
  struct Delayed {
    std::chrono::milliseconds due{0};
    std::string event;
    std::string id;
  };

  Verdict evaluate(statechart::TransitionIndex, statechart::ConditionIndex cond,
                   const statechart::ChartEvent*, const statechart::Interpreter&) override;
  Outcome execute(statechart::ContentIndex content, const statechart::ChartEvent*,
                  statechart::Interpreter&) override;
  void on_microstep(const statechart::Microstep& step) override;

  const cel::Value* find(std::string_view name) const override;
  bool in(std::string_view state_id) const override;

  Outcome run(const std::vector<Action>& actions);
  Outcome run(const Action& action);
  Verdict holds(const cel::Program& condition) const;
  // Runs a macrostep; where it parks, everything is as before it.
  template <class Step>
  Result<void> macrostep(const Step& step);
  statechart::HostError error() const;
  Result<void> drain();

  Machine machine_;
  bool park_;
  bool parked_ = false;
  statechart::ChartState state_;
  statechart::Interpreter interpreter_;
  std::deque<std::string> external_queue_;
  std::vector<Delayed> delayed_;  // in order of sending
  std::chrono::milliseconds now_{0};
  std::vector<std::string> order_;
};

}  // namespace checkride::conformance
