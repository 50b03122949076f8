// `invoke` and `undo`: jobs and machines; gates.cpp has the gates.
#include <algorithm>

#include "workflows/loader/paths.h"
#include "workflows/loader/reader.h"
#include "workflows/loader/types.h"

namespace checkride::loader {

using statechart::StateIndex;

namespace {

// Keys that a person may well try where they mean nothing: saying what to write instead beats
// "unknown key".
enum class Spot : std::uint8_t { anywhere, machine, gate };
struct Refused {
  std::string_view key;
  Spot where;
  std::string_view rule;
  std::string_view advice;
};
constexpr Refused refused_keys[] = {
    {"host", Spot::anywhere, "unsupported",
     "only local jobs are supported; call ssh or sbatch from a script"},
    {"evidence", Spot::anywhere, "unsupported",
     "put the evidence into 'with', where the person who answers sees it"},
    {"quorum", Spot::anywhere, "gate-unsigned",
     "only signed answers could be counted, and answers are not signed; write several gates, each "
     "with its own 'who'"},
    {"signed", Spot::anywhere, "gate-unsigned",
     "answers are not signed, so nobody could give one; name people in 'who'"},
    {"not_author", Spot::anywhere, "gate-unsigned",
     "only signed answers tell people apart for certain, and answers are not signed; name people "
     "other than the author in 'who'"},
    {"needs", Spot::machine, "needs",
     "a machine leases nothing itself; write 'needs' at the jobs inside it"},
    {"needs", Spot::gate, "needs", "a gate leases nothing; write 'needs' at the jobs around it"},
    {"timeout", Spot::machine, "unknown-key",
     "a machine has no limit of its own; write 'timeout' at its jobs, or 'after' beside 'invoke'"},
    {"timeout", Spot::gate, "unknown-key", "a gate has 'expiry: {after, answer}' instead"},
    {"retry", Spot::machine, "unknown-key",
     "a machine is not tried again; write 'retry' at its jobs, or lead 'error' back here with a "
     "'budget'"},
};

// The machine invocation is the engine's own; a catalogue may describe it better.
const JobSignature& machine_signature() {
  static const JobSignature signature = [] {
    JobSignature s;
    s.name = "machine";
    s.title = "runs another statechart";
    s.supervised = false;
    s.repeat = Repeat::safe;
    s.performer = JobSignature::Performer::machine;
    return s;
  }();
  return signature;
}

// Whether a shell script holds a ${hole} that is not written "$${".
bool interpolates(std::string_view text) {
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 1))
    if (at == 0 || text[at - 1] != '$') return true;
  return false;
}

bool has_undo(const Definition& definition) {
  return std::any_of(definition.states.begin(), definition.states.end(),
                     [](const StateSpec& s) { return s.undo.has_value(); });
}

}  // namespace

void DefinitionReader::read_invocation_heads() {
  for (std::uint32_t i = 1; i < nodes_.size(); ++i) {
    if (definition_->chart.states[i].kind != statechart::StateKind::state &&
        definition_->chart.states[i].kind != statechart::StateKind::parallel)
      continue;
    const Node* invoke = nodes_[i]->find("invoke");
    if (invoke == nullptr) continue;
    Invocation& invocation = invocations_[StateIndex(i)];
    invocation.node = invoke;
    read_invocation_head(StateIndex(i), invocation);
  }
}

// Which kind it is and what `result` will be.
void DefinitionReader::read_invocation_head(StateIndex state, Invocation& invocation) {
  const Node& node = *invocation.node;
  invocation.spec.id = definition_->chart.state(state).id;
  invocation.spec.place = node.place;
  if (!expect_map(node, "'invoke'")) return;
  const bool job = node.find("job") != nullptr;
  const bool machine = node.find("machine") != nullptr;
  if (job == machine) {
    broken(node.place, "missing-key",
           job ? "an invocation has either 'job' or 'machine', not both"
               : "an invocation needs 'job' (a job kind) or 'machine' (a workflow)");
    return;
  }
  if (machine) return read_machine_head(node, invocation);
  if (!read_kind(node, invocation.spec)) return;
  invocation.usable = true;
  if (is_gate(invocation.spec)) {
    invocation.result = gate_result_type();
    if (const Node* options = node.find("options")) read_options(*options, invocation.spec.gate);
    return;
  }
  read_parse(node, invocation.spec);
  std::vector<cel::Field> values;
  for (const ParseRule& rule : invocation.spec.parse)
    values.push_back({rule.name, rule.type, true});
  invocation.result = invocation.spec.parse.empty()
                          ? invocation.spec.signature.result
                          : with_values(invocation.spec.signature.result, std::move(values));
}

void DefinitionReader::read_machine_head(const Node& node, Invocation& invocation) {
  InvokeSpec& spec = invocation.spec;
  const JobSignature* known = surroundings_.find_kind("machine");
  spec.signature = known != nullptr && known->performer == JobSignature::Performer::machine
                       ? *known
                       : machine_signature();
  spec.repeat = Repeat::safe;
  const Node& name_node = *node.find("machine");
  const auto name = text_of(name_node, "'machine'");
  if (!name) return;
  spec.machine = surroundings_.machine(*name, name_node.place);
  if (spec.machine == nullptr) return;
  invocation.usable = true;
  invocation.result = machine_result_type(spec.machine->output, node.find("each") != nullptr);
  if (has_undo(*spec.machine))
    reporter_.error(
        name_node.place, "undo",
        "machine '" + *name +
            "' has states with 'undo', which only a workflow started by itself may have");
  definition_->machines.emplace(spec.machine->hash, spec.machine);
  for (const auto& [hash, machine] : spec.machine->machines)
    definition_->machines.emplace(hash, machine);
}

// The job kind named by `job`; false after reporting that there is none.
bool DefinitionReader::read_kind(const Node& node, InvokeSpec& spec) {
  const auto name = text_of(*node.find("job"), "'job'");
  if (!name) return false;
  const JobSignature* signature = surroundings_.find_kind(*name);
  if (signature == nullptr && *name == "gate") signature = &default_gate();
  if (signature == nullptr) {
    std::vector<std::string> kinds = surroundings_.kind_names();
    kinds.emplace_back("gate");
    reporter_.error(node.find("job")->place, "unknown-kind", "there is no job kind '" + *name + "'",
                    reporter_.did_you_mean(*name, kinds));
    return false;
  }
  if (signature->performer == JobSignature::Performer::machine) {
    reporter_.error(
        node.find("job")->place, "unknown-kind",
        "another statechart is invoked by 'machine: NAME', not by 'job: " + *name + "'");
    return false;
  }
  spec.signature = *signature;
  spec.repeat = signature->repeat;
  return true;
}

void DefinitionReader::read_invocation(StateIndex state, Invocation& invocation) {
  const Node& node = *invocation.node;
  if (!node.is_map()) return;  // reported already
  InvokeSpec& invoke = invocation.spec;
  const bool machine = node.find("machine") != nullptr;
  const bool gate = !machine && is_gate(invoke) && invocation.usable;
  std::vector<std::string> known = keys_of(machine ? "machine_invocation" : gate ? "gate" : "job");
  // A kind nobody knows: its keys cannot be judged.
  for (const Refused& refused : refused_keys) {
    const Entry* entry = node.entry(refused.key);
    const bool here =
        refused.where == Spot::anywhere || (refused.where == Spot::machine ? machine : gate);
    if (entry == nullptr || !here) continue;
    reporter_.error(entry->place, refused.rule,
                    "'" + entry->key + "': " + std::string(refused.advice));
    known.push_back(entry->key);
  }
  if (machine || invocation.usable) check_keys(node, known, "this invocation");
  if (!invocation.usable) {
    structure_sound_ = false;  // what it leads to cannot be judged; it was reported already
    return;
  }
  const Scope scope{&plain_};
  if (machine)
    read_machine(node, invoke, scope);
  else if (is_gate(invoke))
    read_gate(node, invoke, scope);
  else
    read_job(node, invoke, scope, true);
  spec(state).invoke = invoke;
}

void DefinitionReader::read_inputs(const Node& node, const cel::Type& inputs,
                                   const std::string& whose, const Scope& scope,
                                   ValueTemplate::MapOf& with) {
  std::vector<std::string> names;
  for (const cel::Field& field : inputs.fields()) names.push_back(field.name);
  const bool open = inputs.kind() != cel::Type::Kind::record;
  for (const Entry& entry : node.entries) {
    const cel::Field* field = inputs.field(entry.key);
    if (field == nullptr && !open) {
      std::string all;
      for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
      reporter_.error(
          entry.place, "unknown-field",
          whose + " has no input '" + entry.key + "'; it has " + (all.empty() ? "none" : all),
          reporter_.did_you_mean(entry.key, names));
      continue;
    }
    if (entry.key == "script" && entry.value.is_scalar() && interpolates(entry.value.text)) {
      reporter_.error(entry.value.place, "script-interpolation",
                      "a script must not hold ${...}: pass the value through 'env' and read $NAME; "
                      "write $${NAME} for the shell's own braces");
      continue;
    }
    const cel::Type any = inputs.kind() == cel::Type::Kind::map ? inputs.element() : cel::Type();
    const cel::Type& type = field == nullptr ? any : field->type;
    auto value = value_template(entry.value, scope, type, whose + ": " + entry.key,
                                field != nullptr && field->optional);
    if (value) with.emplace_back(entry.key, *std::move(value));
  }
  for (const cel::Field& field : inputs.fields())
    if (!field.optional && node.find(field.name) == nullptr)
      reporter_.error(
          node.place, "missing-input",
          whose + " needs the input '" + field.name + "' (" + cel::to_string(field.type) + ")");
}

void DefinitionReader::read_job(const Node& node, InvokeSpec& spec, const Scope& scope,
                                bool may_probe) {
  static const Node no_inputs = [] {
    Node empty;
    empty.kind = Node::Kind::map;
    return empty;
  }();
  Node missing = no_inputs;
  missing.place = node.find("job")->place;
  const Node* with = node.find("with");
  if (with == nullptr || expect_map(*with, "'with'"))
    read_inputs(with == nullptr ? missing : *with, spec.signature.inputs,
                "job '" + spec.signature.name + "'", scope, spec.with);
  if (const Node* secrets = node.find("secrets")) spec.secrets = names_of(*secrets, "'secrets'");
  read_limits(node, spec);
  if (const Node* needs = node.find("needs")) read_needs(*needs, spec);
  read_repeat(node, spec, scope, may_probe);
  if (const Node* retry = node.find("retry")) read_retry(*retry, spec);
  if (const Node* expect = node.find("expect")) read_expect(*expect, spec);
}

void DefinitionReader::read_machine(const Node& node, InvokeSpec& spec, const Scope& scope) {
  const std::string whose = "machine '" + spec.machine->name + "'";
  const Node* each = node.find("each");
  if (each == nullptr) {
    for (const std::string_view key : {"as", "concurrency", "join", "join_count"})
      if (const Entry* entry = node.entry(key))
        reporter_.error(entry->place, "shape", "'" + entry->key + "' goes with 'each'; add it");
  } else {
    spec.each = hole(*each, scope, "'each'");
    spec.as = text_or(node, "as", "");
    if (spec.as.empty())
      reporter_.error(each->place, "missing-key",
                      "'each' needs 'as': the param of the machine that receives the element");
    if (const Node* concurrency = node.find("concurrency"))
      spec.concurrency =
          static_cast<std::uint32_t>(int_of(*concurrency, "'concurrency'", 1, 1000).value_or(1));
    const std::string join = text_or(node, "join", "all");
    const std::vector<std::string> joins = {"all", "any", "n", "first_failure"};
    const auto found = std::find(joins.begin(), joins.end(), join);
    if (found == joins.end())
      reporter_.error(node.find("join")->place, "shape",
                      "'" + join + "' is no way to join; write all, any, n or first_failure",
                      reporter_.did_you_mean(join, joins));
    else
      spec.join = static_cast<Join>(found - joins.begin());
    const Entry* count = node.entry("join_count");
    if ((spec.join == Join::n) != (count != nullptr))
      reporter_.error(count == nullptr ? node.find("join")->place : count->place, "shape",
                      "'join: n' and 'join_count' go together");
    else if (count != nullptr)
      spec.join_count = static_cast<std::uint32_t>(
          int_of(count->value, "'join_count'", 1, 1'000'000).value_or(1));
  }

  std::vector<cel::Field> inputs;
  std::vector<std::string> params;
  const cel::Type* element = nullptr;
  const cel::Type all_params = spec.machine->params_type();
  for (const cel::Field& field : all_params.fields()) {
    params.push_back(field.name);
    if (field.name == spec.as)
      element = &field.type;
    else
      inputs.push_back(field);
  }
  if (!spec.as.empty() && element == nullptr)
    reporter_.error(node.find("as")->place, "unknown-field",
                    whose + " has no param '" + spec.as + "'",
                    reporter_.did_you_mean(spec.as, params));
  if (element != nullptr && spec.each && !assignable(spec.each->type(), cel::Type::list(*element)))
    reporter_.error(each->place, "type",
                    "'each' must be list<" + cel::to_string(*element) + "> to fit " + whose +
                        ", but this is " + cel::to_string(spec.each->type()));
  Node nothing;
  nothing.kind = Node::Kind::map;
  nothing.place = node.find("machine")->place;
  const Node* with = node.find("with");
  if (with != nullptr && !expect_map(*with, "'with'")) return;
  read_inputs(with == nullptr ? nothing : *with, cel::Type::record(std::move(inputs)), whose, scope,
              spec.with);
}

void DefinitionReader::read_undo(StateIndex state, const Node& node) {
  if (child_) {
    reporter_.error(node.place, "undo",
                    "'undo' works in a workflow started by itself only, not in one of 'machines'");
    return;
  }
  if (!expect_map(node, "'undo'")) return;
  if (node_of(state).find("invoke") == nullptr)
    reporter_.error(node.place, "undo",
                    state_name(state) + " invokes nothing, so there is nothing to undo");
  if (node.find("job") == nullptr) {
    reporter_.error(node.place, "missing-key", "'undo' needs 'job': the job kind that undoes it");
    return;
  }
  InvokeSpec undo;
  undo.id = definition_->chart.state(state).id;
  undo.place = node.place;
  if (!read_kind(node, undo)) return;
  if (is_gate(undo)) {
    reporter_.error(node.find("job")->place, "undo", "'undo' must be a job; a gate undoes nothing");
    return;
  }
  check_keys(node, keys_of("job"), "'undo'");
  read_parse(node, undo);
  read_job(node, undo, Scope{&plain_}, true);
  spec(state).undo = std::move(undo);
}

}  // namespace checkride::loader
