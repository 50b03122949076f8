// A loaded definition: the chart, and beside each of its states and transitions what checkride adds
// to SCXML (jobs, verdicts, budgets, report texts), with every expression compiled. Built by
// workflows/loader from a YAML document, identified by the SHA-256 of its canonical form,
// immutable, shared by all its runs. docs/reference/language.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/time.h"
#include "engine/cel/program.h"
#include "engine/cel/type.h"
#include "engine/cel/value.h"
#include "engine/decider/job.h"
#include "engine/statechart/chart.h"

namespace checkride {

// How a state that reports came out. Only passed, warned and waived satisfy.
enum class Verdict : std::uint8_t {
  none,
  passed,
  warned,
  failed,
  skipped,
  unavailable,
  waived,
  claimed,
  interrupted,
};
std::string_view to_string(Verdict verdict);
Result<Verdict> parse_verdict(std::string_view text);
bool satisfies(Verdict verdict);

enum class RunOutcome : std::uint8_t {
  none,
  succeeded,
  failed,
  cancelled,
  rolled_back,
  incomplete
};
std::string_view to_string(RunOutcome outcome);
Result<RunOutcome> parse_run_outcome(std::string_view text);

// A place in a definition document; both count from 1.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// A YAML value with templates at its leaves: what `with:` and `output:` hold.
struct ValueTemplate {
  using ListOf = std::vector<ValueTemplate>;
  using MapOf = std::vector<std::pair<std::string, ValueTemplate>>;
  std::variant<cel::Value, cel::Template, ListOf, MapOf> node;
};
cel::EvalResult evaluate(const ValueTemplate& value, const cel::Activation& activation,
                         const cel::EvalOptions& options = {});

// Executable content. A block is a list of actions; an error ends its block.
struct Action;
struct AssignAction {
  std::string name;  // a field of `data`
  cel::Program value;
};
struct RaiseAction {
  std::string event;
  std::optional<ValueTemplate> data;
};
struct SendAction {
  std::string event;
  std::string id;  // for cancel; empty: not cancellable by name
  Duration delay{0};
  std::optional<ValueTemplate> data;
};
struct CancelAction {
  std::string id;
};
struct IfAction {
  struct Branch {
    std::optional<cel::Program> cond;  // absent: else
    std::vector<Action> actions;
  };
  std::vector<Branch> branches;
};
struct Action {
  std::variant<AssignAction, RaiseAction, SendAction, CancelAction, IfAction> node;
};
using ContentBlock = std::vector<Action>;

// Retries of one failure class: `max` further attempts, waiting backoff * factor^(n-1), at most
// backoff_max, spread by +-jitter (a share) derived from the token, so it is the same on replay.
struct RetryRule {
  std::uint32_t max = 0;
  Duration backoff{0};
  double factor = 2.0;
  Duration backoff_max = std::chrono::hours(1);
  double jitter = 0.0;
};

struct Definition;

// What a gate asks and who may answer.
struct GatePolicy {
  std::vector<std::string> options;  // names beside approve, reject and waive
  std::vector<std::string> who;      // names that may answer; empty: anybody
  std::optional<Duration> reminder;
  std::optional<Duration> expiry;
  std::string expiry_answer;  // the option taken at expiry; required with expiry
};

// A message that runs of the definition understand.
struct MessageSpec {
  std::string name;  // transitions listen to "message.NAME"
  cel::Type type = cel::Type::null();
  std::optional<Duration> ttl;  // how long it waits for a transition; absent: as long as the run
  std::string title;
  Place place;
};
inline constexpr std::string_view message_prefix = "message.";

enum class Join : std::uint8_t { all, any, n, first_failure };

struct InvokeSpec {
  std::string id;  // names the events done.invoke.ID and error.invoke.ID; the state's id
  JobSignature signature;
  ValueTemplate::MapOf with;  // inputs of a job, params of a machine
  Expectation expect;
  std::vector<ParseRule> parse;
  JobLimits limits;
  ResourceNeeds needs;
  std::vector<std::string> secrets;
  Repeat repeat = Repeat::ask;
  std::shared_ptr<const InvokeSpec> probe;  // with Repeat::probe; its result has verdict and result
  std::map<FailureClass, RetryRule> retry;
  GatePolicy gate;  // performer person
  // performer machine
  std::shared_ptr<const Definition> machine;
  std::optional<cel::Program> each;  // a list; one child per element
  std::string as;                    // the child's param that receives the element
  std::uint32_t concurrency = 1;
  Join join = Join::all;
  std::uint32_t join_count = 0;  // for Join::n
  Place place;
};

struct BudgetSpec {
  cel::Program max;  // int
  // Absent: an incident is raised instead. The transition listens to "exhausted.STATE".
  std::optional<statechart::TransitionIndex> exhausted;
};

struct StateSpec {
  std::string section;                // a heading of the report
  std::string title;                  // a line of the report; a state with a title reports
  bool required = true;               // counts for `incomplete`, when it reports
  std::optional<Verdict> verdict;     // given on entry, for states without invoke
  std::optional<cel::Template> note;  // beside `verdict`
  std::optional<InvokeSpec> invoke;
  std::optional<InvokeSpec> undo;
  std::optional<BudgetSpec> budget;
  RunOutcome outcome = RunOutcome::none;  // of a top-level final state
  std::optional<ValueTemplate> output;    // of a top-level final state
  Place place;
  bool reports() const { return !title.empty(); }
};

struct TransitionSpec {
  std::optional<Verdict> verdict;  // of the source state
  std::optional<cel::Template> note;
  Place place;
};

struct FieldSpec {
  std::string name;
  cel::Type type;
  std::string title;
  std::optional<cel::Value> initial;  // default of a param, first value of a data field
  bool secret = false;                // masked wherever it is shown
  bool path = false;                  // `type: path`: made absolute where the run is started
};

struct Definition {
  std::string name;
  std::string title;          // may hold ${params.x}; evaluated where it is shown
  Digest hash;                // of the canonical form
  bool park_on_error = true;  // errors: park | event
  std::vector<FieldSpec> params;
  std::vector<FieldSpec> data;
  std::vector<MessageSpec> messages;
  cel::Type output = cel::Type::record({});
  std::vector<std::string> record_env;
  std::vector<std::string> omits;             // parts of the procedure this definition leaves out
  statechart::Chart chart;
  std::vector<StateSpec> states;            // beside chart.states
  std::vector<TransitionSpec> transitions;  // beside chart.transitions
  std::vector<cel::Program> conditions;     // by ConditionIndex
  std::vector<ContentBlock> contents;       // by ContentIndex
  std::string source_name;                  // file name, for messages
  std::string source;                       // the document's text
  // Every machine it names, at any depth, by hash; not itself.
  std::map<Digest, std::shared_ptr<const Definition>> machines;

  cel::Type params_type() const;
  cel::Type data_type() const;
  const MessageSpec* message(std::string_view message_name) const;  // null: not declared
  // Params with defaults filled in; an error names an unknown, missing or ill-typed one.
  Result<cel::Map> complete_params(const cel::Map& given) const;
};

}  // namespace checkride
