// A procedure in prose: what is done step by step, by which job, what happens on each outcome, who
// is asked, what is waited for and tried again. For a person who has to agree to the procedure or
// to follow it, and never reads YAML.
#pragma once

#include <string>
#include <vector>

#include "engine/decider/definition.h"

namespace checkride {

// One way on from a step.
struct ExplainedOutcome {
  std::string when;                  // "When it is done", "On the answer approve"
  std::string guard;                 // CEL; empty: without condition
  std::string then;                  // "go on with step 1.3 (backup)"
  std::string verdict;               // given to the step's line of the report, or empty
  std::string note;                  // as written, or empty
  std::vector<std::string> targets;  // ids of states
};

struct ExplainedStep {
  std::string number;  // "1.3": children count within their parent
  std::string id;
  std::string title;
  std::string section;
  std::vector<std::string> sentences;  // Markdown: what is done
  std::string script;                  // of a shell job, verbatim
  std::string question;                // of a gate
  std::vector<ExplainedOutcome> outcomes;
};

struct ExplainedMachine {
  std::string name;
  std::string title;
  std::vector<std::string> params;   // Markdown, one each
  std::vector<ExplainedStep> steps;  // document order; the first may be the machine itself, "0"
  std::vector<std::string> endings;  // Markdown, one each
};

struct Explanation {
  std::vector<ExplainedMachine> machines;  // the workflow first
  std::vector<std::string> omits;
};
Explanation explain(const Definition& definition);
std::string to_markdown(const Explanation& explanation);

}  // namespace checkride
