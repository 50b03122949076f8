#include "workflows/loader/reader.h"

#include <algorithm>

namespace checkride::loader {

using statechart::root_state;
using statechart::StateIndex;

DefinitionReader::DefinitionReader(Surroundings& surroundings, Reporter& reporter,
                                   std::string_view document, bool child)
    : surroundings_(surroundings), reporter_(reporter), document_(document), child_(child) {}

cel::Environment DefinitionReader::environment(const GuardScope& scope) const {
  Environment result = plain_;
  const Environment scoped = guard_environment({}, {}, {}, {}, scope);
  for (const char* name : {"event", "result", "error"})
    if (const auto variable = cel::Program::compile(name, scoped))
      result.variable(name, variable->type());
  return result;
}

std::shared_ptr<Definition> DefinitionReader::read(const Node& root, std::string name) {
  definition_ = std::make_shared<Definition>();
  definition_->name = std::move(name);
  definition_->source_name = reporter_.source_name();
  definition_->source = std::string(document_);
  check_keys(root, keys_of(child_ ? "machine" : "workflow"), child_ ? "a machine" : "a workflow");

  definition_->title = text_or(root, "title", "");
  read_fields(root.find("params"), false, definition_->params);
  read_fields(root.find("data"), true, definition_->data);
  read_messages(root.find("messages"));
  read_result(root.find("result"));
  if (const Node* errors = root.find("errors")) {
    const std::string policy = text_of(*errors, "'errors'").value_or("park");
    definition_->park_on_error = policy != "event";
    if (policy != "event" && policy != "park")
      reporter_.error(errors->place, "shape",
                      "'errors' must be park or event, not '" + policy + "'",
                      reporter_.did_you_mean(policy, {"park", "event"}));
  }
  if (const Node* names = root.find("record_env"))
    definition_->record_env = names_of(*names, "'record_env'");
  if (const Node* omits = root.find("omits")) definition_->omits = names_of(*omits, "'omits'");

  // First walk: numbers.
  definition_->chart.states.emplace_back();
  definition_->states.emplace_back();
  definition_->states.back().place = root.place;
  definition_->states.back().required = false;
  nodes_.push_back(&root);
  number_states(root, root_state);
  if (definition_->chart.states.size() < 2) {
    if (root.find("states") == nullptr)
      reporter_.error(root.place, "missing-key",
                      "'" + definition_->name + "' has no states; write them under 'states'");
    return nullptr;
  }

  // Second walk: result types, and with them what expressions may read.
  read_invocation_heads();
  std::vector<cel::Field> results;
  // Not optional: which states ran before is known to the author, and `has(jobs.x)` in every input
  // would hide what is said. Where it was wrong, the evaluation fails and the run parks.
  for (const auto& [state, invocation] : invocations_)
    results.push_back({definition_->chart.state(state).id, invocation.result, false});
  jobs_ = cel::Type::record(std::move(results));
  plain_ = guard_environment(definition_->params, definition_->data, jobs_, state_ids_, {});
  error_ = environment({std::nullopt, true, std::nullopt});
  for (const MessageSpec& message : definition_->messages)
    messages_[message.name] = environment({std::nullopt, false, message.type});
  // Titles are shown for a run, whose params are complete: a default makes them no less certain.
  std::vector<cel::Field> params;
  for (const FieldSpec& param : definition_->params)
    params.push_back({param.name, param.type, false});
  shown_.variable("params", cel::Type::record(std::move(params)));
  if (const Node* title = root.find("title")) check_shown_text(*title);

  // Third walk: everything else.
  auto& top = definition_->chart.states[0];
  if (const Node* entry = root.find("entry"))
    top.onentry.push_back(add_content(read_actions(*entry, Scope{&plain_})));
  if (const Node* exit = root.find("exit"))
    top.onexit.push_back(add_content(read_actions(*exit, Scope{&plain_})));
  read_initial(root_state, root);
  if (const Node* on = root.find("on")) read_on(root_state, *on);
  for (std::uint32_t i = 1; i < nodes_.size(); ++i) read_state(StateIndex(i));

  if (!structure_sound_) return definition_;
  if (auto valid = definition_->chart.validate(); !valid) {
    // The error names a state; its place is where a person looks.
    Place place = root.place;
    const std::string& message = valid.error().message;
    const std::string text = valid.error().text();
    for (std::uint32_t i = 1; i < nodes_.size(); ++i)
      if (text.find("state '" + definition_->chart.states[i].id + "'") != std::string::npos) {
        place = definition_->states[i].place;
        break;
      }
    broken(place, "chart", valid.error().context.empty() ? message : text);
  }
  return definition_;
}

}  // namespace checkride::loader
