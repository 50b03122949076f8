// Transitions of an SCXML document: the keys `on`, `always`, `after` and `exhausted` of a state.
#include <algorithm>

#include "workflows/scxml/import.h"

namespace checkride::scxml {

std::optional<std::vector<Importer::Timer>> Importer::timers_of(const Element& block,
                                                                const std::string& id) const {
  std::vector<Timer> timers;
  for (const Element& send : block.children) {
    const std::string event = send.get("event");
    if (!is_scxml(send, "send") || !event.starts_with("after." + id + ".") ||
        send.get("id") != event)
      return std::nullopt;
    const std::string* written = send.find("delay", scxml_extension_namespace);
    timers.push_back({event, written != nullptr ? *written : send.get("delay")});
  }
  if (timers.empty()) return std::nullopt;
  return timers;
}

bool Importer::is_timer_cancel(const Element& block, const std::string& id) {
  return !block.children.empty() &&
         std::all_of(block.children.begin(), block.children.end(), [&](const Element& cancel) {
           return is_scxml(cancel, "cancel") &&
                  cancel.get("sendid").starts_with("after." + id + ".");
         });
}

// The event attribute as a key of `on`: the long forms of a state's own events become the short
// ones where the definition wants them.
std::string Importer::descriptors(const Element& transition, const std::string& id) {
  std::string key;
  for (std::string word : words(transition.get("event"))) {
    if (word.ends_with('.') && word.size() > 1) word += "*";
    if (word == "error" || word == "done") word += ".*";
    const std::string_view done = "done.state.";
    if (word.starts_with(done)) {
      const auto renamed = names_.states.find(word.substr(done.size()));
      if (renamed != names_.states.end()) word = std::string(done) + renamed->second;
    }
    const std::string_view answer = "answer.";
    if (!id.empty() && word.starts_with(answer) && word.ends_with("." + id) &&
        word.size() > answer.size() + id.size() + 1) {
      word.resize(word.size() - id.size() - 1);
    }
    const bool readable = std::all_of(word.begin(), word.end(), [](char c) {
      return is_name_character(c, false) || c == '.' || c == '*';
    });
    if (!readable) error(transition, "the event descriptor '" + word + "' is not understood");
    key += (key.empty() ? "" : " ") + word;
  }
  return key;
}

void Importer::read_transition(const Element& transition, const std::string& id,
                               const std::vector<Timer>& timers, Node& out) {
  Node value = map_node();
  for (const char* key : {"verdict", "note"}) {
    if (const std::string* text = transition.find(key, scxml_extension_namespace))
      add(value, key, text_node(*text));
  }
  if (const std::string* cond = transition.find("cond"))
    add(value, "guard", expression(transition, *cond, "the condition"));
  if (transition.get("type") == "internal") add(value, "internal", plain_node("true"));
  if (const std::string* target = transition.find("target"))
    add(value, "target", targets(transition, *target));
  Node block = actions(transition);
  if (!block.items.empty()) add(value, "actions", std::move(block));
  // A target alone needs no map.
  if (value.entries.size() == 1 && value.entries[0].key == "target" &&
      value.entries[0].value.is_scalar()) {
    Node target = std::move(value.entries[0].value);
    value = std::move(target);
  }

  const auto section = [&](const std::string& name) -> Node& {
    for (Entry& known : out.entries) {
      if (known.key == name) return known.value;
    }
    add(out, name, map_node());
    return out.entries.back().value;
  };
  const auto append = [&](Node& map, const std::string& key) {
    for (Entry& known : map.entries) {
      if (known.key != key) continue;
      if (!known.value.is_list()) {
        Node first = std::move(known.value);
        known.value = list_node();
        known.value.items.push_back(std::move(first));
      }
      known.value.items.push_back(std::move(value));
      return;
    }
    add(map, key, std::move(value));
  };
  if (transition.find("event") == nullptr) {
    append(out, "always");
    return;
  }
  std::string key = descriptors(transition, id);
  if (!id.empty() && key == "exhausted." + id) {
    add(out, "exhausted", std::move(value));
    return;
  }
  const auto timer =
      std::find_if(timers.begin(), timers.end(), [&](const Timer& t) { return t.event == key; });
  if (timer != timers.end()) {
    append(section("after"), timer->delay);
    return;
  }
  // Keys are tried in their order, so a key that was left behind cannot be taken up again; the same
  // descriptor once more is another key with the same meaning.
  Node& on = section("on");
  std::size_t& repeats = repeats_[{id, key}];
  std::string repeated;
  for (std::size_t i = 0; i < std::max<std::size_t>(repeats, 1); ++i)
    repeated += (i == 0 ? "" : " ") + key;
  if (repeats == 0) {
    repeats = 1;
  } else if (on.entries.back().key != repeated) {
    ++repeats;
    repeated += " " + key;
  }
  append(on, repeated);
}

}  // namespace checkride::scxml
