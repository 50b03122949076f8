#include <algorithm>
#include <map>
#include <utility>

#include "engine/base/time.h"
#include "workflows/scxml/scxml.h"
#include "workflows/scxml/text.h"

namespace checkride::scxml {
namespace {

// Keys that have SCXML elements; all others travel in the extension namespace.
const std::vector<std::string> state_words = {"type",  "history",   "initial", "states",
                                              "entry", "exit",      "on",      "always",
                                              "after", "exhausted", "target"};

std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + xml_escape(value) + "\"";
}

// The same time in the units of SCXML, and as it was written where that reads differently.
std::string delay_attributes(const std::string& written) {
  const auto delay = parse_duration(written);
  if (!delay) return {};
  const std::int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(*delay).count();
  const std::string css =
      ms % 1000 == 0 ? std::to_string(ms / 1000) + "s" : std::to_string(ms) + "ms";
  return attribute("delay", css) + (css == written ? "" : attribute("cr:delay", written));
}

class Exporter {
 public:
  ScxmlExport run(const Node& root) {
    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scxml";
    out_ += attribute("xmlns", scxml_namespace) + attribute("xmlns:cr", scxml_extension_namespace);
    out_ += attribute("version", "1.0") + attribute("datamodel", "cel");
    if (const Node* name = root.find("workflow")) out_ += attribute("name", name->text);
    out_ += initial(root) + ">\n";
    if (root.find("errors") == nullptr) {
      Node park = text_node("park");
      key("errors", park, 1);
    }
    for (const Entry& entry : root.entries) {
      if (entry.key == "checkride" || entry.key == "workflow" || is_state_word(entry.key)) continue;
      if (entry.key == "data") {
        data(entry.value);
      } else {
        key(entry.key, entry.value, 1);
        kept(entry, "the workflow");
      }
    }
    std::string inside;
    std::swap(out_, inside);
    handlers(root, {}, 2);
    std::swap(out_, inside);
    if (!inside.empty()) {
      line(1, "<cr:root>");
      out_ += inside;
      line(1, "</cr:root>");
      note(root.place, "the workflow's own transitions and actions stand in checkride's namespace");
    }
    states(root, 1);
    out_ += "</scxml>\n";
    for (const auto& [name, use] : kept_) {
      note(use.first,
           "'" + name + "' of " + use.owner +
               (use.count > 1 ? " and of " + std::to_string(use.count - 1) + " more" : "") +
               " stands in checkride's namespace; other tools ignore it");
    }
    return {std::move(out_), std::move(remarks_)};
  }

 private:
  struct Kept {
    Place first;
    std::string owner;
    std::size_t count = 0;
  };

  static bool is_state_word(const std::string& key) {
    return std::find(state_words.begin(), state_words.end(), key) != state_words.end();
  }
  void note(Place place, std::string message) {
    remarks_.push_back({ScxmlRemark::Severity::note, place, std::move(message)});
  }
  void kept(const Entry& entry, const std::string& owner) {
    Kept& use = kept_[entry.key];
    if (use.count++ > 0) return;
    use.first = entry.place;
    use.owner = owner;
  }
  void line(std::size_t depth, const std::string& text) {
    out_.append(2 * depth, ' ');
    out_ += text + "\n";
  }
  void key(const std::string& name, const Node& value, std::size_t depth) {
    line(depth,
         "<cr:key" + attribute("name", name) + ">" + xml_escape(to_flow(value)) + "</cr:key>");
  }
  void data(const Node& fields) {
    line(1, "<datamodel>");
    for (const Entry& field : fields.entries) {
      const Node* initial = field.value.is_map() ? field.value.find("default") : nullptr;
      line(2, "<data" + attribute("id", field.key) +
                  (initial == nullptr ? "" : attribute("expr", to_literal(*initial))) +
                  attribute("cr:spec", to_flow(field.value)) + "/>");
    }
    line(1, "</datamodel>");
  }

  static std::string targets(const Node& node) {
    std::string text;
    const auto append = [&](const Node& item) {
      text += (text.empty() ? "" : " ") + item.text.substr(item.text.starts_with('#') ? 1 : 0);
    };
    if (node.is_list()) {
      for (const Node& item : node.items) append(item);
    } else {
      append(node);
    }
    return text;
  }
  static std::string initial(const Node& node) {
    const Node* found = node.find("initial");
    return found == nullptr ? "" : attribute("initial", targets(*found));
  }

  void states(const Node& node, std::size_t depth) {
    const Node* children = node.find("states");
    if (children == nullptr) return;
    for (const Entry& child : children->entries) state(child, depth);
  }

  // Depth is bounded by that of the document.
  void state(const Entry& entry, std::size_t depth) {
    const Node& node = entry.value;
    const Node* type = node.find("type");
    const std::string element = type == nullptr ? "state" : type->text;
    std::string head = element + attribute("id", entry.key);
    if (element == "history") {
      const Node* deep = node.find("history");
      const Node* target = node.find("target");
      head += attribute("type", deep == nullptr ? "shallow" : deep->text);
      line(depth, "<" + head + ">");
      line(depth + 1,
           "<transition" + attribute("target", target == nullptr ? "" : targets(*target)) + "/>");
      line(depth, "</history>");
      return;
    }
    line(depth, "<" + head + initial(node) + ">");
    for (const Entry& own : node.entries) {
      if (is_state_word(own.key) && !(own.key == "exhausted" && is_incident(own.value))) continue;
      key(own.key, own.value, depth + 1);
      kept(own, "state '" + entry.key + "'");
    }
    handlers(node, entry.key, depth + 1);
    states(node, depth + 1);
    line(depth, "</" + element + ">");
  }
  static bool is_incident(const Node& node) { return node.is_scalar() && node.text == "incident"; }

  // entry, exit and all transitions, in the order in which they are tried.
  void handlers(const Node& node, const std::string& id, std::size_t depth) {
    for (const auto& [name, element] :
         {std::pair{"entry", "onentry"}, std::pair{"exit", "onexit"}}) {
      const Node* block = node.find(name);
      if (block == nullptr) continue;
      line(depth, "<" + std::string(element) + ">");
      actions(*block, depth + 1);
      line(depth, "</" + std::string(element) + ">");
    }
    if (const Node* after = node.find("after")) timers(*after, id, depth);
    for (const Entry& entry : node.entries) {
      if (entry.key == "on") {
        for (const Entry& on : entry.value.entries)
          transitions(on.value, attribute("event", events(on.key, node, id)), depth);
      } else if (entry.key == "always") {
        transitions(entry.value, "", depth);
      } else if (entry.key == "after") {
        for (std::size_t i = 0; i < entry.value.entries.size(); ++i)
          transitions(entry.value.entries[i].value, attribute("event", timer(id, i)), depth);
      } else if (entry.key == "exhausted" && !is_incident(entry.value)) {
        transitions(entry.value, attribute("event", "exhausted." + id), depth);
      }
    }
  }

  static std::string timer(const std::string& id, std::size_t i) {
    return "after." + id + "." + std::to_string(i);
  }
  void timers(const Node& after, const std::string& id, std::size_t depth) {
    line(depth, "<onentry>");
    for (std::size_t i = 0; i < after.entries.size(); ++i)
      line(depth + 1, "<send" + attribute("event", timer(id, i)) + attribute("id", timer(id, i)) +
                          delay_attributes(after.entries[i].key) + "/>");
    line(depth, "</onentry>");
    line(depth, "<onexit>");
    for (std::size_t i = 0; i < after.entries.size(); ++i)
      line(depth + 1, "<cancel" + attribute("sendid", timer(id, i)) + "/>");
    line(depth, "</onexit>");
  }

  // The short forms of a state's own events, written out as the engine raises them.
  static std::string events(const std::string& on, const Node& node, const std::string& id) {
    const Node* invoke = node.find("invoke");
    const Node* job = invoke == nullptr ? nullptr : invoke->find("job");
    const bool gate = job != nullptr && job->text == "gate";
    std::string result;
    for (std::string word : words(on)) {
      if (word == "done") word = (invoke != nullptr ? "done.invoke." : "done.state.") + id;
      if (word == "error") word = "error.invoke." + id;
      if (gate && word.starts_with("answer.") && word.find('.', 7) == std::string::npos &&
          word != "answer.*")
        word += "." + id;
      result += (result.empty() ? "" : " ") + word;
    }
    return result;
  }

  void transitions(const Node& node, const std::string& event, std::size_t depth) {
    if (node.is_list()) {
      for (const Node& item : node.items) transition(item, event, depth);
    } else {
      transition(node, event, depth);
    }
  }

  void transition(const Node& node, const std::string& event, std::size_t depth) {
    std::string head = "transition" + event;
    if (node.is_scalar()) {
      line(depth, "<" + head + attribute("target", targets(node)) + "/>");
      return;
    }
    if (const Node* guard = node.find("guard")) head += attribute("cond", guard->text);
    if (const Node* target = node.find("target")) head += attribute("target", targets(*target));
    const Node* internal = node.find("internal");
    if (internal != nullptr && internal->text == "true") head += attribute("type", "internal");
    for (const char* key : {"verdict", "note"}) {
      const Entry* own = node.entry(key);
      if (own == nullptr) continue;
      head += attribute("cr:" + std::string(key), own->value.text);
      kept(*own, "a transition");
    }
    const Node* block = node.find("actions");
    if (block == nullptr) {
      line(depth, "<" + head + "/>");
      return;
    }
    line(depth, "<" + head + ">");
    actions(*block, depth + 1);
    line(depth, "</transition>");
  }

  void actions(const Node& block, std::size_t depth) {
    if (!block.is_list()) return action(block, depth);
    for (const Node& item : block.items) action(item, depth);
  }

  void action(const Node& node, std::size_t depth) {
    for (const Entry& entry : node.entries) {
      const Node& value = entry.value;
      if (entry.key == "assign") {
        for (const Entry& field : value.entries)
          line(depth,
               "<assign" + attribute("location", field.key) +
                   (field.value.is_scalar() ? attribute("expr", field.value.text)
                                            : attribute("expr", to_literal(field.value)) +
                                                  attribute("cr:literal", to_flow(field.value))) +
                   "/>");
      } else if (entry.key == "raise" || entry.key == "send") {
        line(depth, "<" + entry.key + event(value) + "/>");
      } else if (entry.key == "cancel") {
        line(depth, "<cancel" + attribute("sendid", value.text) + "/>");
      } else if (entry.key == "if") {
        conditional(value, depth);
      }
    }
  }

  static std::string event(const Node& node) {
    if (node.is_scalar()) return attribute("event", node.text);
    std::string result;
    if (const Node* name = node.find("event")) result += attribute("event", name->text);
    if (const Node* id = node.find("id")) result += attribute("id", id->text);
    if (const Node* delay = node.find("delay")) result += delay_attributes(delay->text);
    if (const Node* data = node.find("data")) result += attribute("cr:data", to_flow(*data));
    return result;
  }

  void conditional(const Node& branches, std::size_t depth) {
    for (std::size_t i = 0; i < branches.items.size(); ++i) {
      const Node* guard = branches.items[i].find("guard");
      const std::string cond = attribute("cond", guard == nullptr ? "true" : guard->text);
      if (i == 0) {
        line(depth, "<if" + cond + ">");
      } else {
        line(depth, guard == nullptr ? "<else/>" : "<elseif" + cond + "/>");
      }
      if (const Node* block = branches.items[i].find("actions")) actions(*block, depth + 1);
    }
    line(depth, "</if>");
  }

  std::string out_;
  std::map<std::string, Kept> kept_;
  std::vector<ScxmlRemark> remarks_;
};

}  // namespace
}  // namespace checkride::scxml

namespace checkride {

Result<ScxmlExport> export_scxml(std::string_view yaml, const std::string& source_name) {
  loader::Diagnostics diagnostics;
  loader::Reporter reporter(diagnostics, source_name);
  const auto root = loader::read_yaml(yaml, reporter);
  if (!root || diagnostics.errors > 0 || !root->is_map())
    return fail(ErrorCode::invalid_argument,
                source_name + " is no definition; `checkride lint` says what is wrong with it");
  return scxml::Exporter().run(*root);
}

}  // namespace checkride
