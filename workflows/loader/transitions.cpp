// `on`, `always`, `after` and `exhausted`: transitions, with the short forms of the language
// written out as the events that the engine raises.
#include <algorithm>

#include "workflows/loader/paths.h"
#include "workflows/loader/reader.h"

namespace checkride::loader {

using statechart::StateIndex;
using statechart::StateKind;
using statechart::TransitionIndex;

namespace {

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t\n", at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
    result.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return result;
}

bool is_descriptor(std::string_view text) {
  if (text == "*") return true;
  if (text.ends_with(".*")) text.remove_suffix(2);
  return !text.empty() && text.front() != '.' && text.back() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

}  // namespace

TransitionIndex DefinitionReader::add_transition(statechart::Transition transition,
                                                 TransitionSpec spec) {
  definition_->chart.transitions.push_back(std::move(transition));
  definition_->transitions.push_back(std::move(spec));
  return TransitionIndex(static_cast<std::uint32_t>(definition_->transitions.size() - 1));
}

// The events of one key of `on`, and the scope of what stands below it; nothing after an error.
std::optional<std::vector<std::string>> DefinitionReader::descriptors(StateIndex state,
                                                                      const Entry& entry,
                                                                      Scope& scope) {
  const std::string& id = definition_->chart.state(state).id;
  const auto found = invocations_.find(state);
  Invocation* invocation = found == invocations_.end() ? nullptr : &found->second;
  const bool gate = invocation != nullptr && is_gate(invocation->spec);
  const bool branches = !definition_->chart.state(state).children.empty();
  const auto refuse = [&](std::string message, std::string suggestion = {}) {
    broken(entry.place, "event-name", std::move(message), std::move(suggestion));
    return std::nullopt;
  };
  const std::vector<std::string> answers =
      gate ? answers_of(invocation->spec) : std::vector<std::string>{};

  std::vector<std::string> events;
  std::size_t results = 0;               // descriptors under which `result` is there
  std::size_t errors = 0;                // and `error`
  const Environment* message = nullptr;  // of the one message, when there is but one descriptor
  const std::vector<std::string> parts = words(entry.key);
  for (const std::string& part : parts) {
    if (part == "done" && gate)
      return refuse("a gate ends with an answer; write 'answer.approve' or another answer");
    if (part == "error" && gate) return refuse("a gate has no error; it ends with an answer");
    if (part == "done" && state == statechart::root_state)
      return refuse("the workflow itself is done in its final states; nothing handles that here");
    if (part == "done" && invocation == nullptr && !branches)
      return refuse("'done' means the end of an invocation or of child states, and " +
                    state_name(state) + " has neither");
    if (part == "error" && invocation == nullptr)
      return refuse("'error' means the error of the state's own invocation, and " +
                    state_name(state) + " has none; put it where 'invoke' stands");
    if (part == "done" || part == "done.invoke." + id) {
      events.push_back(invocation != nullptr ? "done.invoke." + id : "done.state." + id);
      if (invocation != nullptr) ++results;
    } else if (part == "error" || part == "error.invoke." + id) {
      events.push_back("error.invoke." + id);
      ++errors;
    } else if (gate && (part == "answer" || part == "answer.*")) {
      for (const std::string& answer : answers) events.push_back("answer." + answer + "." + id);
      ++results;
    } else if (gate && part.starts_with("answer.") && part.find('.', 7) == std::string::npos) {
      const std::string answer = part.substr(7);
      if (std::find(answers.begin(), answers.end(), answer) == answers.end()) {
        return refuse("the gate of " + state_name(state) + " has no answer '" + answer +
                          "'; name it in 'options'",
                      reporter_.did_you_mean(answer, answers));
      }
      events.push_back("answer." + answer + "." + id);
      ++results;
    } else if (is_descriptor(part)) {
      events.push_back(part);
      if (part.starts_with(message_prefix) && parts.size() == 1)
        if (const auto typed = messages_.find(part.substr(message_prefix.size()));
            typed != messages_.end())
          message = &typed->second;
    } else {
      return refuse("'" + part + "' is no event descriptor; write names joined by dots, or '*'");
    }
  }
  if (parts.empty()) return refuse("an event name is missing here");
  scope.environment = &plain_;
  if (results == parts.size()) {
    if (!invocation->result_environment)
      invocation->result_environment = environment({invocation->result, false, std::nullopt});
    scope.environment = &*invocation->result_environment;
  }
  if (errors == parts.size()) scope.environment = &error_;
  if (message != nullptr) scope.environment = message;
  return events;
}

void DefinitionReader::read_on(StateIndex state, const Node& on) {
  if (!expect_map(on, "'on'")) return;
  for (const Entry& entry : on.entries) {
    Scope scope;
    if (auto events = descriptors(state, entry, scope))
      read_transitions(state, entry.value, *events, scope);
  }
}

void DefinitionReader::read_after(StateIndex state, const Node& after) {
  if (!expect_map(after, "'after'")) return;
  const std::string& id = definition_->chart.state(state).id;
  ContentBlock sends;
  ContentBlock cancels;
  for (std::size_t i = 0; i < after.entries.size(); ++i) {
    const Entry& entry = after.entries[i];
    auto delay = parse_duration(entry.key);
    if (!delay) {
      reporter_.error(entry.place, "duration", delay.error().message);
      continue;
    }
    const std::string event = "after." + id + "." + std::to_string(i);
    sends.push_back(Action{SendAction{event, event, *delay, std::nullopt}});
    cancels.push_back(Action{CancelAction{event}});
    read_transitions(state, entry.value, {event}, Scope{&plain_});
  }
  if (sends.empty()) return;
  // Blocks of their own: an error in a block ends that block only.
  auto& node = definition_->chart.states[state.value];
  node.onentry.push_back(add_content(std::move(sends)));
  node.onexit.push_back(add_content(std::move(cancels)));
}

void DefinitionReader::read_exhausted(StateIndex state, const Node& exhausted) {
  if (exhausted.is_scalar() && exhausted.text == "incident") return;
  const std::string event = "exhausted." + definition_->chart.state(state).id;
  if (exhausted.is_list()) {
    broken(exhausted.place, "shape",
           "'exhausted' is one target, one transition or the word incident, not a list");
    return;
  }
  const auto transition = read_transition(state, exhausted, {event}, Scope{&plain_});
  if (!transition || !spec(state).budget) return;
  const auto& read = definition_->chart.transition(*transition);
  if (read.cond || read.targets.empty())
    broken(exhausted.place, "budget",
           "the 'exhausted' transition must have a target and no guard: it is the last way out");
  spec(state).budget->exhausted = *transition;
}

void DefinitionReader::read_transitions(StateIndex source, const Node& node,
                                        const std::vector<std::string>& events,
                                        const Scope& scope) {
  if (!node.is_list()) {
    static_cast<void>(read_transition(source, node, events, scope));
    return;
  }
  bool closed = false;  // an unguarded candidate came before
  for (const Node& item : node.items) {
    if (closed)
      reporter_.warning(item.place, "unreachable-branch",
                        "this branch is never tried: the one before it has no guard");
    const auto transition = read_transition(source, item, events, scope);
    closed = closed || (item.is_scalar() || (item.is_map() && item.find("guard") == nullptr));
    static_cast<void>(transition);
  }
}

std::vector<StateIndex> DefinitionReader::read_targets(const Node& node) {
  std::vector<StateIndex> targets;
  const std::vector<Node> single = node.is_list() ? std::vector<Node>{} : std::vector<Node>{node};
  const std::vector<Node>& items = node.is_list() ? node.items : single;
  if (items.empty())
    broken(node.place, "shape", "the list of targets is empty; leave 'target' out to stay");
  for (const Node& item : items) {
    if (!item.is_scalar() || item.text.empty()) {
      broken(item.place, "shape",
             "a target must be a state's id, not " + std::string(describe(item)));
      continue;
    }
    const std::string id = item.text[0] == '#' ? item.text.substr(1) : item.text;
    const auto found = ids_.find(id);
    if (found == ids_.end())
      broken(item.place, "unknown-state", "there is no state '" + id + "'",
             reporter_.did_you_mean(id, state_ids_));
    else if (std::find(targets.begin(), targets.end(), found->second) != targets.end())
      broken(item.place, "shape", "the target '" + id + "' stands twice");
    else
      targets.push_back(found->second);
  }
  return targets;
}

std::optional<TransitionIndex> DefinitionReader::read_transition(
    StateIndex source, const Node& node, const std::vector<std::string>& events,
    const Scope& scope) {
  statechart::Transition transition;
  transition.source = source;
  transition.events = events;
  TransitionSpec extra;
  extra.place = node.place;
  if (node.is_scalar()) {
    transition.targets = read_targets(node);
  } else if (node.is_map()) {
    check_keys(node, keys_of("transition"), "a transition");
    if (const Node* target = node.find("target")) transition.targets = read_targets(*target);
    transition.internal = flag(node, "internal");
    if (const Node* guard = node.find("guard")) {
      // Also where it does not compile: a guard stands here, and the rules about paths must see it.
      transition.cond =
          statechart::ConditionIndex(static_cast<std::uint32_t>(definition_->conditions.size()));
      if (auto compiled = program(*guard, scope, cel::Type::boolean(), "a guard"))
        definition_->conditions.push_back(*std::move(compiled));
    }
    if (const Node* actions = node.find("actions"))
      transition.content = add_content(read_actions(*actions, scope));
    if (const Node* verdict = node.find("verdict")) extra.verdict = verdict_of(*verdict, source);
    if (const Node* note = node.find("note")) {
      extra.note = text_template(*note, scope);
      if (!spec(source).reports())
        reporter_.error(
            note->place, "verdict",
            state_name(source) + " does not report, so nobody reads this note; give it a title");
    }
  } else if (!node.is_null()) {
    broken(node.place, "shape",
           "a transition is a target or a map with target, guard, actions, verdict, note, not " +
               std::string(describe(node)));
    return std::nullopt;
  }
  // Actions may make a guard false; without one they change nothing about it.
  const bool endless = !transition.content || !transition.cond;
  if (events.empty() && transition.targets.empty() && endless && structure_sound_)
    broken(node.place, "shape",
           "a transition under 'always' needs a target: it would be taken for ever");
  const TransitionIndex index = add_transition(std::move(transition), std::move(extra));
  definition_->chart.states[source.value].transitions.push_back(index);
  return index;
}

}  // namespace checkride::loader
