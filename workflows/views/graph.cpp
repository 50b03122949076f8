// Mermaid, and what both drawings share.
#include "workflows/views/graph.h"

#include <algorithm>
#include <vector>

#include "workflows/loader/paths.h"

namespace checkride {
namespace {

using statechart::root_state;
using statechart::StateIndex;
using statechart::StateKind;
using statechart::TransitionIndex;

// Mermaid ends labels at a line end and gives ':', ';', '"', '#' and '<' a meaning.
std::string label(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '\n':
      case '\r': result += ' '; break;
      case '"': result += "#quot;"; break;
      case '#': result += "#35;"; break;
      case ';': result += "#59;"; break;
      case ':': result += "#58;"; break;
      case '<': result += "#lt;"; break;
      case '>': result += "#gt;"; break;
      case '{': result += "#123;"; break;
      case '}': result += "#125;"; break;
      default: result += c;
    }
  }
  return result;
}

class Diagram {
 public:
  Diagram(const Definition& definition, std::string& out)
      : definition_(definition), chart_(definition.chart), out_(out) {}

  void draw() {
    out_ += "%% " + definition_.name + "\nstateDiagram-v2\n";
    children(root_state, 1);
    // Edges last: Mermaid wants a composite state declared before an edge touches it.
    for (std::uint32_t i = 0; i < chart_.states.size(); ++i)
      for (const TransitionIndex t : chart_.states[i].transitions) edge(StateIndex(i), t);
  }

 private:
  // Ids with '-' are read as arrows; words such as `end` and `state` are the language's own.
  std::string id(StateIndex state) const {
    std::string text = "s_" + chart_.state(state).id;
    std::replace(text.begin(), text.end(), '-', '_');
    // "a-b" and "a_b" may both exist.
    if (chart_.state(state).id.find('-') != std::string::npos)
      text += "_" + std::to_string(state.value);
    return text;
  }
  void line(int depth, const std::string& text) {
    out_.append(static_cast<std::size_t>(depth) * 4, ' ');
    out_ += text + "\n";
  }

  std::string describe(StateIndex state) const {
    const StateSpec& spec = definition_.states[state.value];
    std::string text = chart_.state(state).id;
    if (spec.reports()) text += " - " + spec.title;
    if (spec.invoke)
      text += " [" +
              (spec.invoke->machine != nullptr ? "machine " + spec.invoke->machine->name
                                               : spec.invoke->signature.name) +
              (spec.invoke->each ? " for each" : "") + "]";
    return label(text);
  }

  void children(StateIndex parent, int depth) {
    const auto& node = chart_.state(parent);
    if (node.initial && parent != root_state && chart_.is_parallel(parent)) return;
    if (node.initial)
      for (const StateIndex target : chart_.transition(*node.initial).targets)
        line(depth, "[*] --> " + id(target));
    bool first = true;
    for (const StateIndex child : node.children) {
      if (chart_.is_parallel(parent) && !chart_.is_history(child)) {
        if (!first) line(depth, "--");
        first = false;
      }
      state(child, depth);
    }
  }

  void state(StateIndex index, int depth) {
    const auto& node = chart_.state(index);
    switch (node.kind) {
      case StateKind::history_shallow:
      case StateKind::history_deep:
        line(depth, "state \"" + std::string(node.kind == StateKind::history_deep ? "H*" : "H") +
                        "\" as " + id(index));
        for (const StateIndex target : chart_.transition(*node.initial).targets)
          line(depth, id(index) + " --> " + id(target) + " : default");
        return;
      case StateKind::final:
        line(depth, "state \"" + describe(index) + "\" as " + id(index));
        line(depth, id(index) + " --> [*]");
        return;
      case StateKind::state:
      case StateKind::parallel: break;
    }
    line(depth, "state \"" + describe(index) + "\" as " + id(index));
    if (node.children.empty()) return;
    line(depth, "state " + id(index) + " {");
    children(index, depth + 1);
    line(depth, "}");
  }

  void edge(StateIndex source, TransitionIndex t) {
    const auto& transition = chart_.transition(t);
    std::string text;
    const auto& invoke = definition_.states[source.value].invoke;
    const bool any = invoke && loader::is_gate(*invoke) &&
                     transition.events.size() == loader::answers_of(*invoke).size();
    if (any) text = "any other answer";
    for (const std::string& event : any ? std::vector<std::string>() : transition.events) {
      if (!text.empty()) text += ", ";
      text += short_event(definition_, event, source);
    }
    if (transition.cond)
      text += (text.empty() ? "[" : " [") +
              definition_.conditions[transition.cond->value].source() + "]";
    const std::string suffix = text.empty() ? "" : " : " + label(text);
    if (source == root_state) {
      // The root is no node of the picture; what it handles is said beside it.
      for (const StateIndex target : transition.targets)
        line(1, "note left of " + id(target) + " : from anywhere" +
                    (text.empty() ? "" : " on " + label(text)));
      return;
    }
    if (transition.targets.empty())
      line(1, id(source) + " --> " + id(source) + suffix + " (stays)");
    for (const StateIndex target : transition.targets)
      line(1, id(source) + " --> " + id(target) + suffix);
  }

  const Definition& definition_;
  const statechart::Chart& chart_;
  std::string& out_;
};

}  // namespace

std::string written_duration(Duration duration) {
  struct Unit {
    const char* name;
    std::int64_t ns;
  };
  constexpr Unit units[] = {{"d", 86'400'000'000'000},
                            {"h", 3'600'000'000'000},
                            {"m", 60'000'000'000},
                            {"s", 1'000'000'000},
                            {"ms", 1'000'000},
                            {"us", 1'000},
                            {"ns", 1}};
  std::int64_t rest = duration.count();
  std::string text;
  for (const Unit& unit : units) {
    if (rest / unit.ns > 0) text += std::to_string(rest / unit.ns) + unit.name;
    rest %= unit.ns;
  }
  return text.empty() ? "0s" : text;
}

std::string short_event(const Definition& definition, const std::string& event, StateIndex source) {
  const auto& node = definition.chart.state(source);
  const std::string& own = node.id;
  if (event == "done.invoke." + own || event == "done.state." + own) return "done";
  if (event == "error.invoke." + own) return "error";
  if (event == "exhausted." + own) return "exhausted";
  if (event.starts_with("answer.") && event.ends_with("." + own))
    return event.substr(0, event.size() - own.size() - 1);
  for (const auto content : node.onentry)
    for (const Action& action : definition.contents[content.value])
      if (const auto* send = std::get_if<SendAction>(&action.node);
          send != nullptr && send->event == event && event.starts_with("after."))
        return "after " + written_duration(send->delay);
  return event;
}

std::vector<const Definition*> machines_by_name(const Definition& definition) {
  std::vector<const Definition*> machines;
  for (const auto& [hash, machine] : definition.machines) machines.push_back(machine.get());
  std::sort(machines.begin(), machines.end(),
            [](const Definition* a, const Definition* b) { return a->name < b->name; });
  return machines;
}

std::string to_mermaid(const Definition& definition) {
  std::string out;
  Diagram(definition, out).draw();
  for (const Definition* machine : machines_by_name(definition)) {
    out += "\n";
    Diagram(*machine, out).draw();
  }
  return out;
}

}  // namespace checkride
