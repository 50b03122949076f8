#include "workflows/loader/language.h"

#include <algorithm>
#include <map>

#include "engine/base/assert.h"

namespace checkride::loader {
namespace {

// Keys that a workflow and a machine share.
#define CR_CHART_KEYS                                                                             \
  {"title", "shown_text", "Heading of the report; may hold `${params.x}`."},                      \
      {"params", "params", "What a run is given: `name: TYPE`, or a map with type and default."}, \
      {"data", "data", "Fields that `assign` changes, each with a type and a first value."},      \
      {"messages", "messages",                                                                    \
       "What `checkride signal` may tell a run; transitions listen to `message.NAME`."},          \
      {"result", "result",                                                                        \
       "What final states give as `output`; `\"name?\": TYPE` may be missing."},                  \
      {"errors", "error_policy",                                                                  \
       "What a failing guard or action does: `park` stops the run for a person, `event` raises "  \
       "`error.execution`. Default: `park`."},                                                    \
      {"on", "events", "Transitions that hold in every state."},                                  \
      {"entry", "actions", "Run when the machine starts."},                                       \
      {"exit", "actions", "Run when the machine ends."},                                          \
      {"initial", "targets", "The state to begin in; the first one when left out."}, {            \
    "states", "states", "The states, by id.", true                                                \
  }

constexpr Key workflow[] = {
    {"checkride", "version", "Version of the language.", true},
    {"workflow", "machine_name", "Name of the workflow: letters, digits, `-`, `_`, `.`.", true},
    {"record_env", "names", "Names in the environment whose values the log keeps."},
    {"omits", "names",
     "Parts of the procedure that this definition leaves out; the report lists them."},
    {"machines", "machines", "Machines that `invoke: {machine: NAME}` starts as child runs."},
    CR_CHART_KEYS,
};
constexpr Key machine[] = {CR_CHART_KEYS};
#undef CR_CHART_KEYS

constexpr Key param[] = {
    {"type", "type", "The type of its value.", true},
    {"title", "text", "What it is for, in a line."},
    {"default", "value", "Its value when none is given; without a default one must be given."},
    {"secret", "flag", "Masked wherever it would be shown."},
};
constexpr Key message[] = {
    {"type", "type", "The type of its data, which is `event.data`; without a type it has none."},
    {"ttl", "duration", "How long it waits for a transition; without it, as long as the run."},
    {"title", "text", "What it says, in a line."},
};
constexpr Key data_field[] = {
    {"type", "type", "The type of its value.", true},
    {"default", "value", "Its first value.", true},
};

constexpr Key state[] = {
    {"type", "state_type",
     "Left out for most states; `parallel` has all its states active at once."},
    {"title", "shown_text", "A state with a title is a line of the report."},
    {"section", "shown_text", "A heading of the report, above this line."},
    {"optional", "flag", "The run may succeed without this line of the report."},
    {"initial", "targets", "The child state to begin in; the first one when left out."},
    {"states", "states", "Child states, by id."},
    {"on", "events", "Transitions by event."},
    {"always", "transitions",
     "Transitions without an event, tried as soon as the state is active."},
    {"after", "delays", "Transitions after a time in the state: `{30s: TARGET}`."},
    {"entry", "actions", "Run when the state is entered."},
    {"exit", "actions", "Run when the state is left."},
    {"invoke", "invocation", "The job, machine or gate that runs while the state is active."},
    {"undo", "undo", "The job that undoes this state on `rollback`."},
    {"budget", "budget", "How often the state may be entered since its parent was entered."},
    {"exhausted", "exhausted", "What follows an entry beyond the budget: a target, or `incident`."},
    {"verdict", "verdict", "Given on entry, by reporting states without `invoke`."},
    {"note", "template", "A remark beside `verdict`."},
};
constexpr Key final_state[] = {
    {"type", "final_type", "`final`: its parent, or the run, is done.", true},
    {"title", "shown_text", "A state with a title is a line of the report."},
    {"section", "shown_text", "A heading of the report, above this line."},
    {"optional", "flag", "The run may succeed without this line of the report."},
    {"entry", "actions", "Run when the state is entered."},
    {"exit", "actions", "Run when the state is left."},
    {"verdict", "verdict", "Given on entry."},
    {"note", "template", "A remark beside `verdict`."},
    {"outcome", "outcome", "How the run ends, at the top of a machine. Default: `succeeded`."},
    {"output", "output", "The machine's result, at its top: `{name: VALUE}`."},
};
constexpr Key history_state[] = {
    {"type", "history_type", "`history`: back to where its parent was left.", true},
    {"history", "history_depth",
     "`shallow` remembers the parent's child, `deep` all below it. Default: `shallow`."},
    {"target", "targets", "Where to go when there is nothing to remember.", true},
};

constexpr Key transition[] = {
    {"target", "targets", "The state to go to, or several; without it the state stays."},
    {"guard", "cel", "Taken only when this holds; guards are tried in order."},
    {"actions", "actions", "Run on the way."},
    {"verdict", "verdict", "The verdict of the state that is left."},
    {"note", "template", "A remark beside the verdict."},
    {"internal", "flag",
     "A compound state is not left and entered again when going to its own child."},
};

constexpr Key action[] = {
    {"assign", "assign", "Sets fields of `data`: `{field: CEL}`."},
    {"raise", "raise_form", "Raises an event in this macrostep: a name, or `{event, data}`."},
    {"send", "send", "Sends an event to this run, now or after a delay."},
    {"cancel", "text", "Cancels the delayed `send` of this id."},
    {"if", "branches", "The actions of the first branch whose guard holds."},
};
constexpr Key raise_map[] = {
    {"event", "event_name", "Name of the event.", true},
    {"data", "value", "What it carries; text may hold `${CEL}`."},
};
constexpr Key send[] = {
    {"event", "event_name", "Name of the event.", true},
    {"delay", "duration", "How long to wait first."},
    {"id", "text", "A name by which `cancel` finds it."},
    {"data", "value", "What it carries; text may hold `${CEL}`."},
};
constexpr Key if_branch[] = {
    {"guard", "cel", "When these actions run; only the last branch may do without."},
    {"actions", "actions", "What is done."},
};

// Keys by which an attempt of a job is bounded and judged.
#define CR_ATTEMPT_KEYS                                                                          \
  {"job", "kind", "The kind of job.", true},                                                     \
      {"with", "inputs", "Its inputs; text may hold `${CEL}`."},                                 \
      {"timeout", "limits", "How long an attempt may take: a duration, or a map of limits."},    \
      {"grace", "duration", "Between asking it to end and killing it. Default: `10s`."},         \
      {"expect", "expect", "What must hold for an attempt to count as done."},                   \
      {"parse", "parse", "Values taken out of its output, found as `result.values.NAME`."},      \
      {"secrets", "names", "Names in the environment that it gets, masked in its output."}, {    \
    "output_max", "bytes", "Bytes kept of each output stream, as in `64MiB`. Default: `256MiB`." \
  }

constexpr Key job[] = {
    CR_ATTEMPT_KEYS,
    {"needs", "needs",
     "Units of resources that it leases before it starts, as `{gpu: 1}`; with `exclusive: true` "
     "nobody else holds any of these resources meanwhile."},
    {"retry", "retry", "Further attempts after a failure: a number, a rule, or rules by class."},
    {"repeat", "repeat",
     "What may follow when the end of an attempt is unknown: `safe` starts it again, `probe` looks "
     "first, `ask` asks a person. Default: the kind's; `ask` for scripts."},
    {"probe", "probe",
     "With `repeat: probe`: the job that looks what became of the attempt; its result has "
     "`verdict`: "
     "`rerun`, `finished` or `unknown`."},
};
constexpr Key probe[] = {CR_ATTEMPT_KEYS};
#undef CR_ATTEMPT_KEYS

constexpr Key gate[] = {
    {"job", "gate_kind", "`gate`: only a person ends it.", true},
    {"with", "gate_inputs", "What the person is shown; text may hold `${CEL}`.", true},
    {"options", "names", "Answers beside `approve`, `reject` and `waive`."},
    {"who", "names", "Who may answer; anybody when left out."},
    {"reminder", "duration", "How often to remind."},
    {"expiry", "expiry", "The answer that is taken when nobody came."},
};
constexpr Key machine_invocation[] = {
    {"machine", "machine_name", "Name of a machine of this document, or of another workflow.",
     true},
    {"with", "values", "Its params; text may hold `${CEL}`."},
    {"each", "hole", "A list, `${CEL}`: one child run for each of its elements."},
    {"as", "text", "The param that receives the element."},
    {"concurrency", "concurrency", "How many children run at once. Default: 1."},
    {"join", "join", "When it is done. Default: `all`; the others cancel the rest."},
    {"join_count", "join_count", "With `join: n`: how many must have passed."},
};

constexpr Key timeout[] = {
    {"queue", "duration", "From the decision to run it until it has its go-ahead and its units."},
    {"start", "duration", "From the request to start it until it runs."},
    {"run", "duration", "From its start to its end."},
    {"silence", "duration", "Without a byte of output while it runs."},
};
constexpr Key retry_rule[] = {
    {"max", "retry_count", "How many further attempts.", true},
    {"backoff", "duration", "Wait before the first of them. Default: none."},
    {"factor", "factor", "The wait grows by this factor. Default: 2."},
    {"jitter", "share", "Spread of the wait, a share of it. Default: 0."},
    {"backoff_max", "duration", "Longest wait. Default: `1h`."},
};
constexpr Key retry_classes[] = {
    {"default", "retry_of_class", "Classes that are not named."},
    {"code", "retry_of_class", "The job ran and said no, or broke."},
    {"infra", "retry_of_class", "The machine around it failed: disk, network, cannot start."},
    {"flaky", "retry_of_class", "Known to come and go."},
    {"resource", "retry_of_class", "Out of memory, disk or output space."},
    {"timeout", "retry_of_class", "It took too long."},
    {"lost", "retry_of_class", "It is gone without a result; under `repeat: safe` only."},
    {"unavailable", "retry_of_class", "A program, device or service it needs is not here."},
};
constexpr Key expect[] = {
    {"exit_code", "exit_code", "The right exit codes: a number, a list, or `any`. Default: 0."},
    {"log_contains", "texts", "Texts that standard output or error must hold."},
    {"log_lacks", "texts", "Texts that neither may hold."},
    {"files", "texts", "Files that must be there afterwards, in the job's folder."},
};
constexpr Key parse_rule[] = {
    {"type", "parsed_type", "Its type. Default: `string`."},
    {"regex", "text", "RE2 over the whole output; the first group of the last match."},
    {"pointer", "pointer", "A JSON pointer into `file`, or into standard output."},
    {"file", "text", "The JSON file, in the job's folder."},
};
constexpr Key expiry[] = {
    {"after", "duration", "How long to wait for a person.", true},
    {"answer", "text", "The answer that is then taken.", true},
};

constexpr std::string_view kind_inputs = R"({"$ref": "#/$defs/kind_inputs"})";

constexpr MapForm maps[] = {
    {"workflow", "Document", "A document is one workflow.", workflow, ""},
    {"machine", "Machine", "An entry of `machines`: a statechart that runs as a child.", machine,
     ""},
    {"param", "Param", "A value that a run is given.", param, ""},
    {"data_field", "Data field", "A value that the run changes.", data_field, ""},
    {"message", "Message", "Something told to a run from outside.", message, ""},
    {"state", "State", "A state without `type`, or a parallel one.", state, ""},
    {"final_state", "Final state", "A state with `type: final`.", final_state, ""},
    {"history_state", "History state", "A state with `type: history`.", history_state, ""},
    {"transition", "Transition", "What an event, a delay or `always` leads to, written out.",
     transition, ""},
    {"action", "Action", "One of these; `actions`, `entry` and `exit` hold one or a list.", action,
     R"({"maxProperties": 1})"},
    {"raise", "raise", "An event for this macrostep, before any other.", raise_map, ""},
    {"send", "send", "An event behind those that wait already.", send, ""},
    {"if_branch", "A branch of if", "An entry of the list under `if`.", if_branch, ""},
    {"job", "Job", "`invoke` with a job that ends by itself; `undo` takes the same keys.", job,
     kind_inputs},
    {"probe", "Probe", "A job that looks what became of an attempt.", probe, kind_inputs},
    {"gate", "Gate", "`invoke` with a question to a person.", gate, ""},
    {"machine_invocation", "Machine invocation", "`invoke` with another statechart.",
     machine_invocation, ""},
    {"timeout", "Timeout", "Limits on the time of an attempt.", timeout, ""},
    {"retry_rule", "Retry rule", "When and how often to try again.", retry_rule, ""},
    {"retry_classes", "Retry by class", "A number or a rule for each class of failure.",
     retry_classes, ""},
    {"expect", "Expectation", "What a supervised job must leave behind.", expect, ""},
    {"parse_rule", "Parse rule", "Either `regex`, or `pointer` with `file`.", parse_rule,
     R"({"oneOf": [{"required": ["regex"]}, {"required": ["pointer"]}],
         "dependentRequired": {"file": ["pointer"]}})"},
    {"expiry", "Expiry", "What happens when nobody answers a gate.", expiry, ""},
};

// clang-format off
constexpr Form forms[] = {
    {"text", "text", R"({"type": ["string", "number", "boolean"]})"},
    {"shown_text", "text, may hold `${params.x}`", R"({"type": ["string", "number", "boolean"]})"},
    {"template", "text, may hold `${CEL}`", R"({"type": ["string", "number", "boolean"]})"},
    {"cel", "CEL", R"({"type": ["string", "number", "boolean"], "not": {"type": "string", "pattern": "^\\s*\\$\\{"}})"},
    {"hole", "`${CEL}`", R"({"type": "string", "pattern": "^\\s*\\$\\{"})"},
    {"flag", "`true` or `false`", R"({"type": "boolean"})"},
    {"value", "any value", "true"},
    {"version", "`1`", R"({"const": 1})"},
    {"machine_name", "a name", R"({"type": ["string", "number"], "pattern": "^[A-Za-z0-9._-]{1,100}$"})"},
    {"names", "a list of names", R"({"type": "array", "uniqueItems": true, "items": {"type": ["string", "number", "boolean"], "minLength": 1}})"},
    {"texts", "a text, or a list of texts", R"({"anyOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/names"}]})"},
    {"duration", "a duration such as `30s` or `1h30m`", R"({"type": "string", "pattern": "^([0-9]+(ms|us|ns|s|m|h|d))+$"})"},
    {"bytes", "a size such as `64MiB`", R"({"type": ["string", "integer"], "minimum": 1024, "pattern": "^[0-9]+([KMG]iB)?$"})"},
    {"type", "a type",
     R"({"anyOf": [{"enum": ["bool", "int", "uint", "double", "string", "path", "bytes", "timestamp", "duration", "dyn"]},
         {"type": "string", "pattern": "^\\s*((list|map|optional)\\s*<.*|\\{.*|(bool|int|uint|double|string|path|bytes|timestamp|duration|dyn)\\s*)$"},
         {"type": "object", "additionalProperties": {"$ref": "#/$defs/type"}}]})"},
    {"params", "a map of `name: TYPE` or params",
     R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
         "additionalProperties": {"if": {"type": "object"}, "then": {"$ref": "#/$defs/param"}, "else": {"$ref": "#/$defs/type"}}})"},
    {"data", "a map of data fields",
     R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
         "additionalProperties": {"$ref": "#/$defs/data_field"}})"},
    {"messages", "a map of messages",
     R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,100}$"},
         "additionalProperties": {"anyOf": [{"$ref": "#/$defs/message"}, {"type": "null"}]}})"},
    {"needs", "a map of resources to numbers, and `exclusive`",
     R"({"type": "object", "minProperties": 1, "properties": {"exclusive": {"$ref": "#/$defs/flag"}},
         "propertyNames": {"pattern": "^[a-z][a-z0-9_-]{0,39}$"},
         "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 1024}})"},
    {"result", "a map of `name: TYPE`",
     R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*[?]?$"},
         "additionalProperties": {"$ref": "#/$defs/type"}})"},
    {"machines", "a map of machines",
     R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z0-9._-]{1,100}$"},
         "additionalProperties": {"$ref": "#/$defs/machine"}})"},
    {"error_policy", "`park` or `event`", R"({"enum": ["park", "event"]})"},
    {"states", "a map of states",
     R"({"type": "object", "minProperties": 1, "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,79}$"},
         "additionalProperties": {"$ref": "#/$defs/any_state"}})"},
    {"state_type", "`parallel`", R"({"enum": ["parallel"]})"},
    {"final_type", "`final`", R"({"const": "final"})"},
    {"history_type", "`history`", R"({"const": "history"})"},
    {"history_depth", "`shallow` or `deep`", R"({"enum": ["shallow", "deep"]})"},
    {"target", "a state's id", R"({"type": ["string", "boolean"], "pattern": "^#?[A-Za-z_][A-Za-z0-9_-]{0,79}$"})"},
    {"targets", "a state's id, or a list of them",
     R"({"if": {"type": "array"}, "then": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"$ref": "#/$defs/target"}},
         "else": {"$ref": "#/$defs/target"}})"},
    {"one_transition", "a target, a transition, or nothing",
     R"({"if": {"type": "object"}, "then": {"$ref": "#/$defs/transition"},
         "else": {"if": {"type": "null"}, "else": {"$ref": "#/$defs/target"}}})"},
    {"transitions", "a target, a transition, or a list of them",
     R"({"if": {"type": "array"}, "then": {"type": "array", "items": {"$ref": "#/$defs/one_transition"}},
         "else": {"$ref": "#/$defs/one_transition"}})"},
    {"events", "a map of events to transitions",
     R"({"type": "object", "propertyNames": {"pattern": "[^ \t\n]"},
         "properties": {
           "done": {"$ref": "#/$defs/transitions", "description": "Its own job or machine ended with a result, or its final state was reached."},
           "error": {"$ref": "#/$defs/transitions", "description": "Its own job or machine has no result after the retries."},
           "answer": {"$ref": "#/$defs/transitions", "description": "Any answer to its own gate that no line above took."},
           "answer.approve": {"$ref": "#/$defs/transitions", "description": "A person approved."},
           "answer.reject": {"$ref": "#/$defs/transitions", "description": "A person rejected."},
           "answer.waive": {"$ref": "#/$defs/transitions", "description": "A person waived."}},
         "additionalProperties": {"$ref": "#/$defs/transitions"}})"},
    {"delays", "a map of durations to transitions",
     R"({"type": "object", "propertyNames": {"$ref": "#/$defs/duration"},
         "additionalProperties": {"$ref": "#/$defs/transitions"}})"},
    {"exhausted", "a target, a transition with a target, or `incident`",
     R"({"if": {"type": "object"}, "then": {"allOf": [{"$ref": "#/$defs/transition"}], "required": ["target"], "not": {"required": ["guard"]}},
         "else": {"$ref": "#/$defs/target"}})"},
    {"budget", "an int, CEL or `${CEL}`", R"({"type": ["integer", "string"]})"},
    {"verdict", "a verdict", R"({"enum": ["passed", "warned", "failed", "skipped", "unavailable", "waived", "claimed"]})"},
    {"outcome", "an outcome", R"({"enum": ["succeeded", "failed", "cancelled", "rolled-back"]})"},
    {"values", "a map of values", R"({"type": "object"})"},
    {"output", "a map of values, or `${CEL}`", R"({"anyOf": [{"type": "object"}, {"$ref": "#/$defs/hole"}]})"},
    {"actions", "an action, or a list of them",
     R"({"if": {"type": "array"}, "then": {"type": "array", "items": {"$ref": "#/$defs/action"}},
         "else": {"$ref": "#/$defs/action"}})"},
    {"assign", "a map of `field: CEL`", R"({"type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}})"},
    {"event_name", "an event's name", R"({"type": ["string", "number", "boolean"], "pattern": "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$"})"},
    {"raise_form", "an event's name, or a map", R"({"if": {"type": "object"}, "then": {"$ref": "#/$defs/raise"}, "else": {"$ref": "#/$defs/event_name"}})"},
    {"branches", "a list of branches", R"({"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/if_branch"}})"},
    {"invocation", "a job, a gate or a machine", R"({"$ref": "#/$defs/any_invocation"})"},
    {"undo", "a job", R"({"$ref": "#/$defs/job"})"},
    {"kind", "a kind of job", R"({"$ref": "#/$defs/job_kinds"})"},
    {"gate_kind", "`gate`", R"({"$ref": "#/$defs/gate_kinds"})"},
    {"gate_inputs", "the gate's inputs", R"({"$ref": "#/$defs/inputs.gate"})"},
    {"inputs", "the kind's inputs", R"({"type": "object"})"},
    {"concurrency", "a number from 1 to 1000", R"({"type": "integer", "minimum": 1, "maximum": 1000})"},
    {"join", "`all`, `any`, `n` or `first_failure`", R"({"enum": ["all", "any", "n", "first_failure"]})"},
    {"join_count", "a number", R"({"type": "integer", "minimum": 1, "maximum": 1000000})"},
    {"retry_count", "a number from 0 to 1000", R"({"type": "integer", "minimum": 0, "maximum": 1000})"},
    {"retry_of_class", "a number, or a retry rule",
     R"({"if": {"type": "object"}, "then": {"$ref": "#/$defs/retry_rule"}, "else": {"$ref": "#/$defs/retry_count"}})"},
    {"retry", "a number, a retry rule, or retries by class",
     R"({"if": {"type": "object"},
         "then": {"anyOf": [{"$ref": "#/$defs/retry_rule"}, {"$ref": "#/$defs/retry_classes"}]},
         "else": {"$ref": "#/$defs/retry_count"}})"},
    {"factor", "a number from 1 to 100", R"({"type": "number", "minimum": 1, "maximum": 100})"},
    {"share", "a number from 0 to 1", R"({"type": "number", "minimum": 0, "maximum": 1})"},
    {"repeat", "`safe`, `probe` or `ask`", R"({"enum": ["safe", "probe", "ask"]})"},
    {"limits", "a duration, or a map of limits",
     R"({"if": {"type": "object"}, "then": {"$ref": "#/$defs/timeout"}, "else": {"$ref": "#/$defs/duration"}})"},
    {"exit_code", "a number from 0 to 255, a list of them, or `any`",
     R"({"anyOf": [{"const": "any"}, {"type": "integer", "minimum": 0, "maximum": 255},
         {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0, "maximum": 255}}]})"},
    {"parse", "a map of parse rules", R"({"type": "object", "additionalProperties": {"$ref": "#/$defs/parse_rule"}})"},
    {"parsed_type", "`double`, `int` or `string`", R"({"type": "string", "pattern": "^\\s*(double|int|string|path)\\s*$"})"},
    {"pointer", "a JSON pointer", R"({"type": "string", "pattern": "^/"})"},
};
// clang-format on

}  // namespace

std::span<const MapForm> language_maps() {
  return maps;
}

std::span<const Form> language_forms() {
  return forms;
}

const MapForm* find_map(std::string_view name) {
  const auto* found = std::find_if(std::begin(maps), std::end(maps),
                                   [&](const MapForm& map) { return map.name == name; });
  return found == std::end(maps) ? nullptr : found;
}

const Form* find_form(std::string_view name) {
  const auto* found = std::find_if(std::begin(forms), std::end(forms),
                                   [&](const Form& form) { return form.name == name; });
  return found == std::end(forms) ? nullptr : found;
}

const std::vector<std::string>& keys_of(std::string_view map) {
  static const auto all = [] {
    std::map<std::string_view, std::vector<std::string>> result;
    for (const MapForm& form : maps)
      for (const Key& key : form.keys) result[form.name].emplace_back(key.name);
    return result;
  }();
  const auto found = all.find(map);
  CR_ASSERT(found != all.end(), "a map of the language without a table");
  return found->second;
}

}  // namespace checkride::loader
