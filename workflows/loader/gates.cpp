// Gates: what is asked, who may answer, and what happens when nobody does.
#include <algorithm>

#include "workflows/loader/paths.h"
#include "workflows/loader/reader.h"

namespace checkride {

const JobSignature& default_gate() {
  static const JobSignature signature = [] {
    JobSignature s;
    s.name = "gate";
    s.title = "asks a person";
    s.inputs = cel::Type::record({{"question", cel::Type::string(), false},
                                  {"details", cel::Type::dyn(), true},
                                  {"evidence", cel::Type::dyn(), true}});
    s.result = gate_result_type();
    s.supervised = false;
    s.repeat = Repeat::safe;
    s.performer = JobSignature::Performer::person;
    return s;
  }();
  return signature;
}

}  // namespace checkride

namespace checkride::loader {
namespace {

constexpr std::size_t options_max = 100;  // of one gate; nobody chooses among more

}  // namespace

void DefinitionReader::read_options(const Node& node, GatePolicy& gate) {
  gate.options = names_of(node, "'options'");
  if (gate.options.size() > options_max) {
    reporter_.error(node.place, "gate",
                    "a gate has at most " + std::to_string(options_max) + " options");
    gate.options.resize(options_max);
  }
  for (const std::string& option : gate.options) {
    if (option == "approve" || option == "reject" || option == "waive")
      reporter_.error(node.place, "gate",
                      "every gate has the answers approve, reject and waive; 'options' names "
                      "further ones");
    if (option.find_first_of(". *") != std::string::npos)
      reporter_.error(node.place, "gate",
                      "the option '" + option + "' must be one word without dots");
  }
}

void DefinitionReader::read_gate(const Node& node, InvokeSpec& spec, const Scope& scope) {
  const Node* with = node.find("with");
  if (with == nullptr) {
    reporter_.error(node.place, "missing-key",
                    "a gate asks something; write with: {question: \"...\"}");
  } else if (expect_map(*with, "'with'")) {
    read_inputs(*with, spec.signature.inputs, "a gate", scope, spec.with);
  }
  if (const Node* who = node.find("who")) {
    spec.gate.who = names_of(*who, "'who'");
    if (who->is_list() && who->items.empty())
      reporter_.error(who->place, "gate-unanswerable",
                      "nobody may answer this gate; name people, or remove 'who' to let anybody");
  }
  if (const Node* reminder = node.find("reminder")) {
    spec.gate.reminder = duration_of(*reminder, "'reminder'");
    if (spec.gate.reminder && *spec.gate.reminder <= Duration(0))
      reporter_.error(reminder->place, "shape",
                      "'reminder' must be longer than nothing, such as 4h");
  }
  const Node* expiry = node.find("expiry");
  if (expiry == nullptr || !expect_map(*expiry, "'expiry'")) return;
  check_keys(*expiry, keys_of("expiry"), "'expiry'");
  if (const Node* after = expiry->find("after"))
    spec.gate.expiry = duration_of(*after, "'after'");
  else
    reporter_.error(expiry->place, "missing-key", "'expiry' needs 'after': how long to wait");
  if (spec.gate.expiry && *spec.gate.expiry <= Duration(0))
    reporter_.error(expiry->find("after")->place, "gate-unanswerable",
                    "the gate would expire as soon as it opens, so nobody could answer; write how "
                    "long to wait, such as 2d");
  if (spec.gate.expiry && spec.gate.reminder && *spec.gate.reminder >= *spec.gate.expiry)
    reporter_.warning(node.find("reminder")->place, "gate",
                      "the gate expires before its first reminder; make 'reminder' shorter than "
                      "'expiry'");
  const Node* answer = expiry->find("answer");
  if (answer == nullptr) {
    reporter_.error(expiry->place, "gate",
                    "'expiry' needs 'answer': the answer that is taken when nobody came");
    return;
  }
  spec.gate.expiry_answer = text_of(*answer, "'answer'").value_or("");
  const std::vector<std::string> answers = answers_of(spec);
  if (std::find(answers.begin(), answers.end(), spec.gate.expiry_answer) == answers.end())
    reporter_.error(answer->place, "gate",
                    "the gate has no answer '" + spec.gate.expiry_answer + "'",
                    reporter_.did_you_mean(spec.gate.expiry_answer, answers));
}

}  // namespace checkride::loader
