// A machine of the conformance files: JSON in, a validated Chart out, with its guards compiled and
// its executable content as data that a Session carries out.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/cel/program.h"
#include "engine/statechart/chart.h"

namespace checkride::conformance {

struct Action;

// One arm of an `if`; without a condition it is the else.
struct Branch {
  std::optional<cel::Program> cond;
  std::vector<Action> actions;
};

struct Action {
  enum class Kind { raise, send, cancel, assign, branch, fail };
  Kind kind = Kind::raise;
  std::string name;  // of the event, the variable, the send to cancel; why it fails
  std::string id;    // of a send
  std::chrono::milliseconds delay{0};
  std::optional<cel::Program> expression;
  std::vector<Branch> branches;
};

struct Machine {
  statechart::Chart chart;
  std::vector<cel::Program> guards;           // by ConditionIndex
  std::vector<std::vector<Action>> contents;  // by ContentIndex
  std::vector<std::pair<std::string, cel::Value>> variables;
};

// ErrorCode::unsupported where the machine uses an action or a kind of state this runner does not
// know: such a test is skipped. Anything else wrong with it is a failure.
Result<Machine> build_machine(const boost::json::object& json);

}  // namespace checkride::conformance
