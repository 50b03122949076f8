// Why a branch was taken, in words: the guards tried in order, what they read, what came out, which
// part of each decided it. cli/commands/why_find.h finds the moment in the log and evaluates its
// guards again over the recorded facts; this says it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/render/json.h"
#include "cli/render/text.h"
#include "engine/cel/program.h"

namespace checkride::cli {

struct ExplainedFact {
  std::string path;
  std::optional<cel::Value>
      value;  // absent: recorded by digest, and what it stands for is not found
  Digest digest;
  Sequence stands_at;  // 0: recorded with the guard itself
};

struct ExplainedGuard {
  statechart::TransitionIndex transition;
  std::string source;  // of the guard
  bool holds = false;  // as recorded
  std::string error;   // as recorded
  std::vector<ExplainedFact> facts;
  std::optional<cel::TraceNode> trace;  // absent: not every fact could be found again
  std::string differs;                  // not empty: evaluating again gave something else
};

struct Explanation {
  RunId run;
  Timestamp time;
  Actor actor;
  Sequence guards_at;      // of the GuardEvaluated; 0: no guard was tried
  Sequence transition_at;  // of the TransitionTaken; 0: none followed
  Sequence input_at;
  std::string input;    // "JobFinished: clean: pass, exit 0"
  std::string trigger;  // event name; empty: eventless
  std::vector<ExplainedGuard> guards;
  std::vector<statechart::TransitionIndex> taken;
  std::vector<statechart::StateIndex> exited;
  std::vector<statechart::StateIndex> entered;
  std::string incident;               // that ended the macrostep instead
  std::vector<std::string> verdicts;  // "✅ clean passed: note", given in this step
};

// Which parts of an expression decided its value: "result.exit_code == 0 is false
// (result.exit_code was 3)".
std::string because(const View& view, const cel::TraceNode& node);

std::string explanation_text(const View& view, const Explanation& why, const Style& style);
json::object explanation_json(const View& view, const Explanation& why);

}  // namespace checkride::cli
