#include "cli/render/why.h"

#include <algorithm>

namespace checkride::cli {

namespace {

constexpr std::size_t trace_lines_max = 60;
constexpr std::size_t value_width_max = 70;

std::optional<bool> truth(const cel::TraceNode& node) {
  if (!node.value || node.value->kind() != cel::Kind::boolean) return std::nullopt;
  return node.value->as_bool();
}

// "&&", "||" or "" as written between the first two parts. Parts that are literals are not traced;
// such an expression is treated as a whole.
std::string_view connective(const cel::TraceNode& node) {
  if (node.children.size() < 2) return "";
  const std::size_t first = node.text.find(node.children[0].text);
  if (first == std::string::npos) return "";
  const std::size_t from = first + node.children[0].text.size();
  const std::size_t to = node.text.find(node.children[1].text, from);
  if (to == std::string::npos) return "";
  const std::string_view between = std::string_view(node.text).substr(from, to - from);
  if (between.find("&&") != std::string_view::npos) return "&&";
  if (between.find("||") != std::string_view::npos) return "||";
  return "";
}

// A macro's trace is its range and then one child per round, all of one text.
bool is_macro(const cel::TraceNode& node) {
  return node.children.size() >= 2 && node.text.ends_with(')') && connective(node).empty() &&
         std::all_of(node.children.begin() + 1, node.children.end(),
                     [&](const cel::TraceNode& round) {
                       return round.text == node.children[1].text && truth(round).has_value();
                     }) &&
         node.text.find(".") != std::string::npos &&
         node.text.find(node.children[1].text) > node.children[0].text.size();
}

// The part of "condition ? one : other" that the condition chose, or nullptr.
const cel::TraceNode* chosen(const cel::TraceNode& node) {
  if (node.children.size() < 2 || !truth(node.children[0])) return nullptr;
  const std::string& condition = node.children[0].text;
  std::size_t at = node.text.find(condition);
  if (at == std::string::npos) return nullptr;
  at = node.text.find_first_not_of(" \t\n\r", at + condition.size());
  if (at == std::string::npos || node.text[at] != '?') return nullptr;
  for (std::size_t i = 1; i < node.children.size(); ++i)
    if (!node.children[i].skipped) return &node.children[i];
  return nullptr;  // it is a literal, which no trace shows
}

std::string state_of(const cel::TraceNode& node) {
  if (!node.error.empty()) return node.text + " failed: " + node.error;
  const std::optional<bool> holds = truth(node);
  return node.text + (holds ? (*holds ? " is true" : " is false") : "");
}

// "[1, 2]": it is what it says, and worth no line.
bool is_constant(const cel::TraceNode& node) {
  const bool is_container =
      node.value && (node.value->kind() == cel::Kind::list || node.value->kind() == cel::Kind::map);
  return is_container && node.children.empty() &&
         (node.text.starts_with('[') || node.text.starts_with('{'));
}

// Values read by a comparison or call, without the parts of parts.
std::string readings(const View& view, const cel::TraceNode& node) {
  std::string all;
  for (const cel::TraceNode& part : node.children) {
    if (!part.value || is_constant(part)) continue;
    all += (all.empty() ? "" : ", ") + part.text + " was " + view.brief(*part.value, 60);
  }
  return all.empty() ? "" : " (" + all + ")";
}

std::string because_all(const View& view, const cel::TraceNode& node, bool only_first,
                        std::optional<bool> wanted) {
  std::string all;
  for (const cel::TraceNode& part : node.children) {
    if (part.skipped || (wanted && truth(part) != wanted)) continue;
    all += (all.empty() ? "" : ", and ") + because(view, part);
    if (only_first) break;
  }
  return all.empty() ? state_of(node) : all;
}

struct TracePrinter {
  const View& view;
  const Style& style;
  std::string& out;
  std::size_t lines = 0;

  // Depth is that of the expression, at most 250.
  void node(const cel::TraceNode& part, const std::string& lead, const std::string& below) {
    if (++lines > trace_lines_max) return;
    std::string value;
    if (part.skipped)
      value = style(Tone::dim, "not looked at");
    else if (!part.error.empty())
      value = style(Tone::bad, "error: " + part.error);
    else if (part.value)
      value = truth(part) ? style(*truth(part) ? Tone::good : Tone::bad,
                                  view.brief(*part.value, value_width_max))
                          : view.brief(*part.value, value_width_max);
    out += lead + shorten(view.text(part.text), 90) + " = " + value + "\n";
    std::vector<const cel::TraceNode*> shown;
    for (const cel::TraceNode& child : part.children)
      if (!is_constant(child)) shown.push_back(&child);
    for (const cel::TraceNode* child : shown) {
      const bool last = child == shown.back();
      node(*child, below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "));
    }
  }
};

json::object trace_json(const View& view, const cel::TraceNode& node) {
  json::object object{{"text", view.text(node.text)}};
  if (node.skipped) object["skipped"] = true;
  if (!node.error.empty()) object["error"] = view.text(node.error);
  if (node.value) object["value"] = as_json(view, *node.value);
  json::array children;
  for (const cel::TraceNode& child : node.children) children.push_back(trace_json(view, child));
  if (!children.empty()) object["children"] = std::move(children);
  return object;
}

std::string place_of(const View& view, statechart::TransitionIndex index) {
  const Definition* definition = view.definition();
  if (definition == nullptr || index.value >= definition->transitions.size()) return "";
  const Place place = definition->transitions[index.value].place;
  if (place.line == 0) return "";
  return definition->source_name + ":" + std::to_string(place.line);
}

std::string fact_text(const View& view, const ExplainedFact& fact) {
  if (!fact.value)
    return fact.path + " = (large, not found again; digest " + to_hex(fact.digest).substr(0, 12) +
           ", stands at @" + to_string(fact.stands_at) + ")";
  const bool secret =
      fact.path.starts_with("params.") && view.secret_param(std::string_view(fact.path).substr(7));
  std::string text =
      fact.path + " = " + (secret ? "***" : view.brief(*fact.value, value_width_max));
  if (fact.stands_at.value != 0) text += "  (from @" + to_string(fact.stands_at) + ")";
  return text;
}

void guard_block(const View& view, const Explanation& why, const ExplainedGuard& guard,
                 std::size_t number, const Style& style, std::string& out) {
  const bool taken =
      std::find(why.taken.begin(), why.taken.end(), guard.transition) != why.taken.end();
  const std::string verdict = !guard.error.empty() ? style(Tone::bad, "error")
                              : guard.holds        ? style(Tone::good, "true")
                                                   : style(Tone::bad, "false");
  out += std::to_string(number) + ". " + (taken ? "✓ " : "✗ ") +
         style(Tone::bold, view.transition(guard.transition)) + "  " + verdict +
         (taken         ? ", taken"
          : guard.holds ? ", but another transition went first"
                        : "") +
         style(Tone::dim, "  " + place_of(view, guard.transition)) + "\n";
  out += wrapped(view.text(guard.source), "     guard    ", "              ");
  if (!guard.error.empty())
    out += wrapped(view.text(guard.error), "     failed   ", "              ");
  else if (guard.trace)
    out += wrapped(because(view, *guard.trace), "     because  ", "              ");
  for (const ExplainedFact& fact : guard.facts)
    out += std::string(&fact == &guard.facts.front() ? "     facts    " : "              ") +
           fact_text(view, fact) + "\n";
  if (guard.trace && !guard.trace->children.empty()) {
    TracePrinter printer{view, style, out};
    printer.node(*guard.trace, "     tree     ", "              ");
    if (printer.lines > trace_lines_max)
      out += "              … " + counted(printer.lines - trace_lines_max, "more part") + "\n";
  }
  if (!guard.differs.empty())
    out += wrapped(guard.differs, style(Tone::warn, "     note     "), "              ");
}

}  // namespace

std::string because(const View& view, const cel::TraceNode& node) {
  const std::optional<bool> holds = truth(node);
  const std::string_view between = connective(node);
  if (holds && !is_macro(node)) {
    if (between == "&&") return because_all(view, node, !*holds, *holds);
    if (between == "||") return because_all(view, node, *holds, *holds);
    if (node.text.starts_with('!') && node.children.size() == 1 && truth(node.children[0]))
      return because(view, node.children[0]);
  }
  if (const cel::TraceNode* part = chosen(node); holds && part != nullptr)
    return because(view, node.children[0]) + ", so what counts is that " + because(view, *part);
  if (holds && is_macro(node)) {
    const std::size_t rounds = node.children.size() - 1;
    const bool all = node.text.find(".all(") != std::string::npos;
    const bool exists = node.text.find(".exists(") != std::string::npos;
    if ((all && !*holds) || (exists && *holds))
      for (std::size_t i = rounds; i >= 1; --i)
        if (truth(node.children[i]) == holds)
          return "for element " + std::to_string(i - 1) + " of " + node.children[0].text + ", " +
                 because(view, node.children[i]);
    return state_of(node);
  }
  if (!node.error.empty())
    for (const cel::TraceNode& part : node.children)
      if (!part.error.empty()) return because(view, part);
  const bool asks = node.text.starts_with("has(") || node.text.starts_with("In(");
  if (node.children.empty() && node.value && !asks)
    return node.text + " was " + view.brief(*node.value, 60);
  return view.text(state_of(node)) + readings(view, node);
}

std::string explanation_text(const View& view, const Explanation& why, const Style& style) {
  std::string out = style(Tone::bold, why.run.value + " @" +
                                          to_string(why.transition_at.value != 0 ? why.transition_at
                                                                                 : why.guards_at)) +
                    "  " + time_text(why.time) + "\n";
  std::string what;
  if (!why.incident.empty()) {
    what = "no branch was taken: " + why.incident;
  } else if (why.transition_at.value == 0) {
    what = "no branch was taken: no guard held, so the event changed nothing";
  } else if (why.exited.empty() && why.entered.empty()) {
    what = "a transition without target was taken";
  } else {
    if (!why.exited.empty()) what = "left " + view.states(why.exited);
    if (!why.entered.empty())
      what += (what.empty() ? "entered " : ", entered ") + view.states(why.entered);
  }
  out += wrapped(what, "", "  ");
  out += wrapped(
      "cause: " + why.input + " (@" + to_string(why.input_at) + ", " + to_string(why.actor) + ")",
      "", "  ");
  if (why.trigger.empty() && !why.taken.empty())
    out += "event: none, an `always` transition after what came before\n";
  else if (!why.trigger.empty())
    out += "event: " + why.trigger + "\n";
  for (const std::string& verdict : why.verdicts) out += wrapped(verdict, "given: ", "       ");
  out += "\n";

  std::size_t number = 0;
  for (const ExplainedGuard& guard : why.guards)
    guard_block(view, why, guard, ++number, style, out);
  for (const auto taken : why.taken) {
    const bool guarded = std::any_of(why.guards.begin(), why.guards.end(),
                                     [&](const auto& guard) { return guard.transition == taken; });
    if (guarded) continue;
    out += std::to_string(++number) + ". ✓ " + style(Tone::bold, view.transition(taken)) +
           "  taken" + style(Tone::dim, "  " + place_of(view, taken)) + "\n";
    out += why.guards.empty() ? "     no guard: the event alone decides\n"
                              : "     no guard: it is the fallback, and nothing before it held\n";
  }
  if (why.taken.empty() && why.transition_at.value != 0)
    out += "no transition of the definition: the initial entry, or a person's `resolve --goto`\n";
  return out;
}

json::object explanation_json(const View& view, const Explanation& why) {
  json::object object{{"run", why.run.value},        {"time", as_json(why.time)},
                      {"actor", as_json(why.actor)}, {"input_at", why.input_at.value},
                      {"input", why.input},          {"trigger", why.trigger}};
  if (why.guards_at.value != 0) object["guards_at"] = why.guards_at.value;
  if (why.transition_at.value != 0) object["transition_at"] = why.transition_at.value;
  json::array guards;
  for (const ExplainedGuard& guard : why.guards) {
    json::object item{{"transition", view.transition(guard.transition)},
                      {"place", place_of(view, guard.transition)},
                      {"guard", view.text(guard.source)},
                      {"holds", guard.holds},
                      {"taken", std::find(why.taken.begin(), why.taken.end(), guard.transition) !=
                                    why.taken.end()}};
    if (!guard.error.empty()) item["error"] = view.text(guard.error);
    if (guard.trace) item["because"] = because(view, *guard.trace);
    json::array facts;
    for (const ExplainedFact& fact : guard.facts) {
      json::object entry{{"path", fact.path}};
      const bool secret = fact.path.starts_with("params.") &&
                          view.secret_param(std::string_view(fact.path).substr(7));
      if (fact.value)
        entry["value"] = secret ? json::value("***") : as_json(view, *fact.value);
      else
        entry["digest"] = as_json(fact.digest);
      if (fact.stands_at.value != 0) entry["stands_at"] = fact.stands_at.value;
      facts.push_back(std::move(entry));
    }
    item["facts"] = std::move(facts);
    if (guard.trace) item["trace"] = trace_json(view, *guard.trace);
    if (!guard.differs.empty()) item["differs"] = guard.differs;
    guards.push_back(std::move(item));
  }
  object["guards"] = std::move(guards);
  json::array taken;
  for (const auto index : why.taken)
    taken.push_back(
        json::object{{"transition", view.transition(index)}, {"place", place_of(view, index)}});
  object["taken"] = std::move(taken);
  const auto states = [&](const std::vector<statechart::StateIndex>& indices) {
    json::array array;
    for (const auto index : indices) array.push_back(json::string(view.state(index)));
    return array;
  };
  object["exited"] = states(why.exited);
  object["entered"] = states(why.entered);
  if (!why.incident.empty()) object["incident"] = why.incident;
  object["verdicts"] = as_json(why.verdicts);
  return object;
}

}  // namespace checkride::cli
