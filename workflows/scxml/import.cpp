#include "workflows/scxml/import.h"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/base/time.h"

namespace checkride::scxml {
namespace {

constexpr std::size_t id_bytes_max = 80;
constexpr std::size_t transitions_of_state_max = 1000;

// Letters, digits, '_' and '-' only, as ids of definitions are.
std::string plain_id(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (result.empty() && !is_name_character(c, true)) result += '_';
    if (is_name_character(c, result.empty())) {
      result += c;
    } else if (result.empty() || result.back() != '_') {
      result += '_';
    }
  }
  return result.substr(0, id_bytes_max - 8);
}

bool is_state(const Element& e) {
  return e.space == scxml_namespace &&
         (e.name == "state" || e.name == "parallel" || e.name == "final" || e.name == "history");
}

}  // namespace

Result<ScxmlImport> Importer::run(std::string_view text) {
  CR_TRY(const Element root, read_xml(text));
  if (!is_scxml(root, "scxml")) {
    return fail(ErrorCode::invalid_argument,
                std::to_string(root.place.line) + ":" + std::to_string(root.place.column) +
                    ": the document is no SCXML: its element is '" + root.name +
                    "' of namespace '" + root.space + "' instead of 'scxml' of '" +
                    std::string(scxml_namespace) + "'");
  }
  cel_ = root.get("datamodel") == "cel";
  if (!root.get("name").empty()) workflow_ = root.get("name");
  workflow_ = plain_id(workflow_);
  collect_ids(root);

  Node document = map_node();
  add(document, "checkride", plain_node("1"));
  add(document, "workflow", text_node(workflow_));
  const bool own = std::any_of(root.children.begin(), root.children.end(), [](const Element& e) {
    return e.space == scxml_extension_namespace;
  });
  // A definition that was exported says itself how it wants errors.
  if (!own) add(document, "errors", text_node("event"));
  read_data_model(root, document);
  read_inside(root, {}, document);

  ScxmlImport result;
  result.yaml = "# From SCXML.";
  std::stable_sort(remarks_.begin(), remarks_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  for (const ScxmlRemark& remark : remarks_) {
    std::string line = remark.message;
    std::replace(line.begin(), line.end(), '\n', ' ');
    result.yaml += "\n# " + std::to_string(remark.place.line) + ":" +
                   std::to_string(remark.place.column) + ": " + line;
  }
  result.yaml += "\n" + to_block(document);
  result.remarks = std::move(remarks_);
  return result;
}

void Importer::collect_ids(const Element& parent) {
  std::set<std::string> taken;
  std::map<std::string, std::size_t> uses;  // of a wanted id that was taken
  std::vector<const Element*> open{&parent};
  std::size_t anonymous = 0;
  while (!open.empty()) {
    const Element& element = *open.back();
    open.pop_back();
    for (auto child = element.children.rbegin(); child != element.children.rend(); ++child) {
      if (is_state(*child)) open.push_back(&*child);
    }
    if (&element == &parent) continue;
    const std::string theirs = element.get("id");
    const std::string wanted =
        theirs.empty() ? "_anon" + std::to_string(++anonymous) : plain_id(theirs);
    std::string ours = wanted;
    while (!taken.insert(ours).second) ours = wanted + "_" + std::to_string(++uses[wanted] + 1);
    if (taken.size() > definition_states_max) {
      error(element, "a definition has at most " + std::to_string(definition_states_max) +
                         " states; those from here on are left out");
      return;
    }
    if (!theirs.empty() && ours != theirs)
      note(element, "state '" + theirs + "' is called '" + ours + "'");
    if (!theirs.empty() && !names_.states.emplace(theirs, ours).second)
      error(element, "a second state has the id '" + theirs + "'");
    ids_.emplace(&element, ours);
  }
}

std::optional<Node> Importer::yaml_of(const Element& at, const std::string& text) {
  loader::Diagnostics diagnostics;
  loader::Reporter reporter(diagnostics, "SCXML");
  auto node = loader::read_yaml(text, reporter);
  if (node && diagnostics.errors == 0) return node;
  error(at, "the YAML in '" + at.name + "' cannot be read: " +
                (diagnostics.list.empty() ? text : diagnostics.list.front().message));
  return std::nullopt;
}

void Importer::read_key(const Element& key, Node& out) {
  const std::string name = key.get("name");
  if (key.name != "key" || name.empty() || out.find(name) != nullptr) {
    error(key, "'" + key.name + "' of checkride's namespace is not understood here");
    return;
  }
  if (auto value = yaml_of(key, key.text)) add(out, name, *std::move(value));
}

void Importer::read_data_model(const Element& root, Node& out) {
  Node data = map_node();
  for (const Element& model : root.children) {
    if (!is_scxml(model, "datamodel")) continue;
    for (const Element& item : model.children) {
      const std::string id = item.get("id");
      if (!is_scxml(item, "data") || id.empty() || data.find(id) != nullptr) {
        error(item, "'" + item.name + "' in the data model is left out");
        continue;
      }
      names_.data.insert(id);
      if (const std::string* spec = item.find("spec", scxml_extension_namespace)) {
        if (auto node = yaml_of(item, *spec)) add(data, id, *std::move(node));
        continue;
      }
      if (item.find("src") != nullptr)
        error(item, "nothing is read from 'src' of data '" + id + "'");
      // A literal or nothing: other values are assigned by people who know what they mean.
      const std::string source = item.find("expr") != nullptr ? item.get("expr") : item.text;
      Node field = map_node();
      add(field, "type", text_node("dyn"));
      Node value = plain_node("null");
      if (!words(source).empty() && source != "undefined") {
        const auto literal = cel::from_json(source);
        if (literal) {
          if (auto node = yaml_of(item, source)) value = *std::move(node);
        } else {
          error(item, "the value of data '" + id + "' is no literal: " + source);
        }
      }
      add(field, "default", std::move(value));
      add(data, id, std::move(field));
    }
  }
  if (!data.entries.empty()) add(out, "data", std::move(data));
}

Node Importer::targets(const Element& at, const std::string& text) {
  Node list = list_node();
  for (const std::string& id : words(text)) {
    const auto known = names_.states.find(id);
    if (known == names_.states.end()) error(at, "there is no state '" + id + "' to lead to");
    list.items.push_back(text_node(known == names_.states.end() ? id : known->second));
  }
  if (list.items.size() != 1) return list;
  Node only = std::move(list.items.front());
  return only;
}

void Importer::read_initial(const Element& element, Node& out) {
  if (const std::string* initial = element.find("initial")) {
    add(out, "initial", targets(element, *initial));
    return;
  }
  for (const Element& child : element.children) {
    if (!is_scxml(child, "initial")) continue;
    for (const Element& transition : child.children) {
      if (!is_scxml(transition, "transition")) continue;
      if (!transition.children.empty())
        error(transition, "content of an initial transition is left out; a definition has none");
      add(out, "initial", targets(transition, transition.get("target")));
      return;
    }
  }
}

void Importer::read_history(const Element& history, Node& out) {
  add(out, "type", text_node("history"));
  if (history.get("type") == "deep") add(out, "history", text_node("deep"));
  for (const Element& transition : history.children) {
    if (!is_scxml(transition, "transition")) continue;
    if (!transition.children.empty())
      error(transition, "content of a history state's default is left out; a definition has none");
    add(out, "target", targets(transition, transition.get("target")));
    return;
  }
  error(history, "the history state has no default transition");
}

void Importer::read_state(const Element& state, Node& states) {
  const auto known = ids_.find(&state);
  if (known == ids_.end()) return;
  const std::string& id = known->second;
  Node out = map_node();
  if (state.name == "history") {
    read_history(state, out);
  } else {
    if (state.name != "state") add(out, "type", text_node(state.name));
    read_inside(state, id, out);
  }
  add(states, id, std::move(out));
}

void Importer::read_inside(const Element& element, const std::string& id, Node& out) {
  read_initial(element, out);
  Node entry = list_node();
  Node exit = list_node();
  std::vector<Timer> timers;
  std::size_t entry_blocks = 0;
  std::size_t exit_blocks = 0;
  std::size_t transition_count = 0;
  Node transitions = map_node();
  Node states = map_node();
  // The document itself has no transitions or actions; a definition does, in an element of its own.
  std::vector<const Element*> children;
  for (const Element& child : element.children) {
    const bool root = child.space == scxml_extension_namespace && child.name == "root";
    if (!root) children.push_back(&child);
    if (!root || !id.empty()) continue;
    for (const Element& inner : child.children) children.push_back(&inner);
  }
  for (const Element* child : children) {
    if (is_scxml(*child, "onentry")) {
      if (auto found = timers_of(*child, id)) {
        timers.insert(timers.end(), found->begin(), found->end());
        continue;
      }
      if (++entry_blocks == 2)
        note(*child, "several onentry blocks become one: an error in the first ends them all");
      Node block = actions(*child);
      entry.items.insert(entry.items.end(), block.items.begin(), block.items.end());
    } else if (is_scxml(*child, "onexit")) {
      if (is_timer_cancel(*child, id)) continue;
      if (++exit_blocks == 2)
        note(*child, "several onexit blocks become one: an error in the first ends them all");
      Node block = actions(*child);
      exit.items.insert(exit.items.end(), block.items.begin(), block.items.end());
    }
  }
  for (const Element* child : children) {
    if (is_scxml(*child, "transition")) {
      if (++transition_count > transitions_of_state_max) {
        if (transition_count == transitions_of_state_max + 1)
          error(*child, "more than " + std::to_string(transitions_of_state_max) +
                            " transitions of one state; those from here on are left out");
        continue;
      }
      read_transition(*child, id, timers, transitions);
    } else if (is_state(*child)) {
      read_state(*child, states);
    } else if (child->space == scxml_extension_namespace && child->name != "root") {
      read_key(*child, out);
    } else if (child->space == scxml_namespace && child->name != "onentry" &&
               child->name != "onexit" && child->name != "initial" && child->name != "datamodel") {
      error(*child, "'" + child->name + "' is left out; a definition has no such thing");
    }
  }
  if (!entry.items.empty()) add(out, "entry", std::move(entry));
  if (!exit.items.empty()) add(out, "exit", std::move(exit));
  for (Entry& key : transitions.entries) out.entries.push_back(std::move(key));
  if (!states.entries.empty()) add(out, "states", std::move(states));
}

}  // namespace checkride::scxml

namespace checkride {

bool ScxmlImport::complete() const {
  return std::none_of(remarks.begin(), remarks.end(), [](const ScxmlRemark& remark) {
    return remark.severity == ScxmlRemark::Severity::error;
  });
}

Result<ScxmlImport> import_scxml(std::string_view text, std::string_view name) {
  return scxml::Importer(name).run(text);
}

}  // namespace checkride
