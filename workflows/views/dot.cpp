// Graphviz's DOT. Layout wants short edges: final states that are the end of many steps are drawn
// once beside each of them, and edges between clusters go from and to a member of the cluster.
#include <algorithm>
#include <map>
#include <set>

#include "workflows/loader/paths.h"
#include "workflows/views/graph.h"

namespace checkride {
namespace {

using statechart::root_state;
using statechart::StateIndex;
using statechart::StateKind;
using statechart::TransitionIndex;

constexpr std::size_t title_width = 26;      // characters in a line of a node
constexpr std::size_t guard_max = 34;        // characters of a guard
constexpr std::size_t shared_final_max = 2;  // sources of a final state that is drawn once

struct Look {
  const char* fill;
  const char* line;
};
constexpr Look plain_look = {"#ffffff", "#6b7785"};
constexpr Look job_look = {"#eaf1fd", "#2f66c4"};
constexpr Look gate_look = {"#fff3d1", "#b07608"};
constexpr Look machine_look = {"#f0e9fb", "#6d43b8"};

Look look_of(RunOutcome outcome) {
  if (outcome == RunOutcome::succeeded) return {"#def5e3", "#1f8040"};
  if (outcome == RunOutcome::failed) return {"#fde4e1", "#b3362b"};
  return {"#ececec", "#6b7785"};
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '`': break;
      case '\n':
      case '\r':
      case '\t': result += ' '; break;
      default: result += c;
    }
  }
  return result;
}

// Lines of at most `width` bytes where words allow it.
std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width)
      lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    lines.back() += word;
    at = end + 1;
  }
  return lines;
}

std::string html(std::string_view text, std::size_t width) {
  std::string result;
  for (const std::string& line : wrapped(text, width))
    result += (result.empty() ? "" : "<BR/>") + escaped(line);
  return result;
}

std::string small(const std::string& text) {
  return "<FONT POINT-SIZE=\"8\" COLOR=\"#55606b\">" + text + "</FONT>";
}

// At a place between words, with an ellipsis; UTF-8 stays whole because only ASCII is cut at.
std::string cut(std::string text, std::size_t most) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() <= most) return text;
  std::size_t end = text.find_last_of(" ,(&|", most);
  if (end == std::string::npos || end < most / 2)
    for (end = most; end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U;) --end;
  while (end > 0 && std::string_view(" ,(&|!=<>+").find(text[end - 1]) != std::string_view::npos)
    --end;
  return text.substr(0, end) + " ...";
}

class Drawing {
 public:
  Drawing(const Definition& definition, std::string prefix, std::string& out)
      : definition_(definition), chart_(definition.chart), prefix_(std::move(prefix)), out_(out) {
    std::map<StateIndex, std::set<StateIndex>> sources;
    for (std::uint32_t i = 0; i < chart_.states.size(); ++i)
      for (const TransitionIndex t : chart_.states[i].transitions)
        for (const StateIndex target : chart_.transition(t).targets)
          if (chart_.is_final(target)) sources[target].insert(StateIndex(i));
    for (const auto& [target, from] : sources)
      if (from.size() > shared_final_max && chart_.state(target).parent == root_state)
        repeated_.insert(target);
  }

  void draw() {
    begin_of(root_state, 1);
    for (const StateIndex child : chart_.state(root_state).children) state(child, 1);
    for (std::uint32_t i = 0; i < chart_.states.size(); ++i) edges_of(StateIndex(i));
  }

 private:
  void line(std::size_t depth, const std::string& text) {
    out_ += std::string(2 * depth, ' ') + text + "\n";
  }
  std::string id(StateIndex state) const { return prefix_ + "s" + std::to_string(state.value); }
  std::string cluster(StateIndex state) const { return "cluster_" + id(state); }
  bool has_children(StateIndex state) const { return !chart_.state(state).children.empty(); }

  std::string invoked(const InvokeSpec& invoke) const {
    if (invoke.machine == nullptr) return loader::is_gate(invoke) ? "" : invoke.signature.name;
    const std::string& name = invoke.machine->name;
    const std::size_t slash = name.find('/');
    return "machine " + (slash == std::string::npos ? name : name.substr(slash + 1)) +
           (invoke.each ? ", for each " + invoke.as : "");
  }

  std::string label(StateIndex state) const {
    const StateSpec& spec = definition_.states[state.value];
    std::string text;
    if (!spec.section.empty() && !has_children(state))
      text += small(html(spec.section, title_width + 8)) + "<BR/>";
    text +=
        "<B>" + html(spec.reports() ? spec.title : chart_.state(state).id, title_width) + "</B>";
    std::string below = spec.reports() ? chart_.state(state).id : "";
    if (spec.invoke && !invoked(*spec.invoke).empty())
      below += (below.empty() ? "" : " &#183; ") + escaped(invoked(*spec.invoke));
    if (spec.budget)
      below += (below.empty() ? "" : " &#183; ") +
               ("budget " + escaped(cut(spec.budget->max.source(), 20)));
    if (!below.empty()) text += "<BR/>" + small(below);
    return text;
  }

  void node(std::size_t depth, const std::string& name, const std::string& text, Look look,
            const std::string& more) {
    line(depth, name + " [label=<" + text + ">, fillcolor=\"" + look.fill + "\", color=\"" +
                    look.line + "\"" + more + "];");
  }

  // The black point and the arrow to where a compound state or the chart begins.
  void begin_of(StateIndex parent, std::size_t depth) {
    const auto& initial = chart_.state(parent).initial;
    if (!initial || chart_.is_parallel(parent)) return;
    // Where the first child is begun with, its place says so.
    if (parent != root_state) return;
    line(depth, id(parent) + " [shape=point, width=0.12, fillcolor=black, color=black];");
    for (const StateIndex target : chart_.transition(*initial).targets)
      connect(id(parent), target, "");
  }

  void final_node(StateIndex state, std::size_t depth, const std::string& name) {
    const bool top = chart_.state(state).parent == root_state;
    if (!top && !definition_.states[state.value].reports()) {
      line(depth, name +
                      " [shape=doublecircle, label=\"\", width=0.14, height=0.14, "
                      "fillcolor=\"#44505c\", color=\"#44505c\"];");
      return;
    }
    const Look look = top ? look_of(definition_.states[state.value].outcome) : plain_look;
    node(depth, name, "<B>" + escaped(chart_.state(state).id) + "</B>", look,
         ", shape=box, style=\"filled,rounded,bold\", margin=\"0.08,0.03\", height=0.25");
  }

  void state(StateIndex index, std::size_t depth) {
    const auto& node_data = chart_.state(index);
    const StateSpec& spec = definition_.states[index.value];
    switch (node_data.kind) {
      case StateKind::history_shallow:
      case StateKind::history_deep:
        line(depth, id(index) + " [shape=circle, label=\"" +
                        (node_data.kind == StateKind::history_deep ? "H*" : "H") +
                        "\", width=0.3, fixedsize=true, fontsize=9];");
        return;
      case StateKind::final:
        if (!repeated_.contains(index)) final_node(index, depth, id(index));
        return;
      case StateKind::state:
      case StateKind::parallel: break;
    }
    if (!has_children(index)) {
      Look look = plain_look;
      std::string more;
      if (spec.invoke && loader::is_gate(*spec.invoke)) {
        look = gate_look;
        more = ", shape=octagon, style=filled, margin=\"0.02,0.02\"";
      } else if (spec.invoke && spec.invoke->machine) {
        look = machine_look;
        more = ", peripheries=2";
      } else if (spec.invoke) {
        look = job_look;
      }
      node(depth, id(index), label(index), look, more);
      copies_of(index, depth);
      return;
    }
    line(depth, "subgraph " + cluster(index) + " {");
    const std::string heading = spec.section.empty() ? "" : "<B>" + escaped(spec.section) + "</B>";
    std::string text = heading;
    if (spec.section.empty() || spec.reports())
      text += (text.empty() ? "" : "<BR/>") + label(index);
    else
      text += " " + small(chart_.state(index).id);
    const bool region = node_data.parent != root_state && chart_.is_parallel(node_data.parent);
    line(depth + 1, "label=<" + text + ">; style=\"" + (region ? "dashed" : "rounded,filled") +
                        "\"; color=\"#c3cbd4\"; fillcolor=\"" +
                        (depth % 2 == 1 ? "#f7f9fb" : "#eef2f6") + "\"; labeljust=l;");
    for (const StateIndex child : node_data.children) state(child, depth + 1);
    line(depth, "}");
    copies_of(index, depth);
  }

  // Of the repeated final states, those that `source` leads to, in the cluster where it stands.
  void copies_of(StateIndex source, std::size_t depth) {
    for (const TransitionIndex t : chart_.state(source).transitions)
      for (const StateIndex target : chart_.transition(t).targets) {
        const std::string copy = id(target) + "_" + id(exit_leaf(source));
        if (repeated_.contains(target) && copies_.insert(copy).second)
          final_node(target, depth, copy);
      }
  }

  // A leaf that stands for the state at the end of an edge.
  StateIndex entry_leaf(StateIndex state) const {
    while (has_children(state)) {
      const auto& node_data = chart_.state(state);
      state = node_data.initial ? chart_.transition(*node_data.initial).targets.front()
                                : node_data.children.front();
    }
    return state;
  }
  StateIndex exit_leaf(StateIndex state) const {
    while (has_children(state)) {
      const auto& children = chart_.state(state).children;
      const auto final_child = std::find_if(children.rbegin(), children.rend(),
                                            [&](StateIndex c) { return chart_.is_final(c); });
      state = final_child == children.rend() ? children.back() : *final_child;
    }
    return state;
  }

  void connect(const std::string& from, StateIndex target, std::string attributes) {
    if (repeated_.contains(target)) {
      const std::string copy = id(target) + "_" + from;
      if (copies_.insert(copy).second) final_node(target, 1, copy);
      line(1, from + " -> " + copy + " [" + attributes + "];");
      return;
    }
    if (has_children(target))
      attributes += (attributes.empty() ? "" : ", ") + ("lhead=" + cluster(target));
    line(1, from + " -> " + id(entry_leaf(target)) + " [" + attributes + "];");
  }

  // `else_of`: other branches of the same event came before.
  std::string condition(const statechart::Transition& transition, StateIndex source,
                        bool else_of) const {
    const auto& invoke = definition_.states[source.value].invoke;
    if (invoke && loader::is_gate(*invoke) &&
        transition.events.size() == loader::answers_of(*invoke).size() && !transition.cond)
      return "else";
    std::string text;
    for (const std::string& event : transition.events) {
      std::string name = short_event(definition_, event, source);
      if (name == "done") continue;  // the way on
      if (name.starts_with("answer.")) name = name.substr(7);
      text += (text.empty() ? "" : ", ") + name;
    }
    if (transition.cond)
      text += (text.empty() ? "[" : " [") +
              cut(definition_.conditions[transition.cond->value].source(), guard_max) + "]";
    return text.empty() && else_of ? "else" : text;
  }

  // Transitions with the same target share an arrow.
  void edges_of(StateIndex source) {
    struct Edge {
      std::vector<std::string> labels;
      bool trouble = true;  // all of them: error, exhausted
    };
    std::vector<std::pair<StateIndex, Edge>> edges;
    std::set<std::vector<std::string>> guarded;
    for (const TransitionIndex t : chart_.state(source).transitions) {
      const auto& transition = chart_.transition(t);
      std::vector<StateIndex> targets = transition.targets;
      if (targets.empty()) continue;  // it stays
      const std::string text = condition(transition, source, guarded.contains(transition.events));
      if (transition.cond) guarded.insert(transition.events);
      const bool trouble =
          !transition.events.empty() &&
          std::all_of(transition.events.begin(), transition.events.end(), [](const auto& e) {
            return e.starts_with("error") || e.starts_with("exhausted.");
          });
      for (const StateIndex target : targets) {
        auto found = std::find_if(edges.begin(), edges.end(),
                                  [&](const auto& e) { return e.first == target; });
        if (found == edges.end()) {
          edges.emplace_back(target, Edge{});
          found = edges.end() - 1;
        }
        Edge& edge = found->second;
        if (std::find(edge.labels.begin(), edge.labels.end(), text) == edge.labels.end())
          edge.labels.push_back(text);
        edge.trouble = edge.trouble && trouble;
      }
    }
    // One way on, whatever happens, needs no conditions.
    if (edges.size() == 1 && !edges.front().second.trouble) edges.front().second.labels = {""};
    for (const auto& [target, edge] : edges) draw_edge(source, target, edge.labels, edge.trouble);
  }

  void draw_edge(StateIndex source, StateIndex target, const std::vector<std::string>& labels,
                 bool trouble) {
    std::string text;
    // An arrow that is also taken without a condition needs no list of conditions.
    const auto has = [&](const char* label) {
      return std::find(labels.begin(), labels.end(), label) != labels.end();
    };
    const bool answers = std::none_of(labels.begin(), labels.end(), [](const std::string& l) {
      return l.empty() || l.find('[') != std::string::npos;
    });
    if (answers) {
      std::string all;
      for (const std::string& label : labels) all += (all.empty() ? "" : ", ") + label;
      text = html(all, title_width);
    } else if (has("else")) {
      text = "else";
    } else if (!has("")) {
      constexpr std::size_t shown_max = 4;
      for (std::size_t i = 0; i < labels.size() && i < shown_max; ++i)
        text += (text.empty() ? "" : "<BR/>") + escaped(labels[i]);
      if (labels.size() > shown_max) text += "<BR/>...";
    }
    std::string attributes;
    if (!text.empty()) attributes = "label=<" + text + ">";
    if (trouble)
      attributes += std::string(attributes.empty() ? "" : ", ") +
                    "style=dashed, color=\"#b3362b\", fontcolor=\"#8f2a21\"";
    if (source == root_state) {
      const std::string any = id(root_state) + "_any";
      if (copies_.insert(any).second)
        line(1, any + " [shape=plaintext, style=\"\", label=\"in any step\"];");
      connect(any, target, attributes);
      return;
    }
    if (has_children(source))
      attributes += (attributes.empty() ? "" : ", ") + ("ltail=" + cluster(source));
    // Back into the own cluster: an arrow from a cluster into itself cannot be drawn.
    if (has_children(source) && chart_.is_descendant(target, source))
      attributes.erase(attributes.rfind("ltail="));
    connect(id(exit_leaf(source)), target, attributes);
  }

  const Definition& definition_;
  const statechart::Chart& chart_;
  std::string prefix_;
  std::string& out_;
  std::set<StateIndex> repeated_;
  std::set<std::string> copies_;
};

}  // namespace

std::string to_dot(const Definition& definition, bool machines) {
  std::string out = "digraph \"" + definition.name + "\" {\n";
  out +=
      "  graph [compound=true, rankdir=TB, nodesep=0.3, ranksep=0.4, fontname=\"Helvetica\", "
      "fontsize=12];\n"
      "  node [shape=box, style=\"rounded,filled\", fillcolor=white, color=\"#6b7785\", "
      "fontname=\"Helvetica\", fontsize=10, margin=\"0.1,0.06\", height=0.35];\n"
      "  edge [fontname=\"Helvetica\", fontsize=8, color=\"#55606b\", fontcolor=\"#333c45\", "
      "arrowsize=0.7];\n";
  if (!definition.title.empty())
    out += "  label=<<B>" + html(definition.title, 80) + "</B>>; labelloc=t;\n";
  Drawing(definition, "", out).draw();
  std::size_t number = 0;
  if (machines)
    for (const Definition* machine : machines_by_name(definition)) {
      const std::string prefix = "m" + std::to_string(++number) + "_";
      out += "  subgraph cluster_" + prefix + " {\n  label=<machine <B>" + escaped(machine->name) +
             "</B>>; style=dashed; color=\"#6d43b8\"; fontcolor=\"#6d43b8\";\n";
      Drawing(*machine, prefix, out).draw();
      out += "  }\n";
    }
  return out + "}\n";
}

}  // namespace checkride
