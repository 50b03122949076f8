#include "tests/conformance/statechart/machine.h"

#include <map>
#include <string_view>

namespace checkride::conformance {
namespace {

namespace json = boost::json;
using statechart::ConditionIndex;
using statechart::ContentIndex;
using statechart::StateIndex;
using statechart::StateKind;
using statechart::TransitionIndex;

constexpr std::size_t nesting_max = 200;

tl::unexpected<Error> malformed(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

std::string to_string(const json::string& s) {
  return std::string(s.data(), s.size());
}

// The field as a string; empty where it is absent or something else.
std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
  return value != nullptr && value->is_string() ? to_string(value->get_string()) : std::string();
}

Result<const json::array*> array_of(const json::object& object, const char* key) {
  static const json::array empty;
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return &empty;
  if (!value->is_array()) return malformed("'" + std::string(key) + "' is no list");
  return &value->get_array();
}

class Builder {
 public:
  Result<Machine> build(const json::object& root) {
    environment_.allow_in();
    if (const json::value* vars = root.if_contains("vars"); vars != nullptr && vars->is_object()) {
      for (const auto& member : vars->get_object()) CR_CHECK(add_variable(member));
    }
    machine_.chart.states.emplace_back();
    CR_CHECK(add_inside(StateIndex(0), root, 0));
    for (auto& [transition, names] : targets_) {
      for (const std::string& name : names) {
        const auto found = ids_.find(name);
        if (found == ids_.end()) return malformed("there is no state '" + name + "' to lead to");
        machine_.chart.transitions[transition].targets.push_back(found->second);
      }
    }
    CR_CHECK(machine_.chart.validate());
    return std::move(machine_);
  }

 private:
  statechart::StateNode& node(StateIndex s) { return machine_.chart.states[s.value]; }

  Result<void> add_variable(const json::key_value_pair& member) {
    const std::string name(member.key().data(), member.key().size());
    cel::Value value;
    if (member.value().is_int64()) {
      value = cel::Value(static_cast<std::int64_t>(member.value().get_int64()));
    } else if (!member.value().is_null()) {
      return fail(ErrorCode::unsupported, "variable '" + name + "' is no integer");
    }
    environment_.variable(name, cel::Type::dyn());
    machine_.variables.emplace_back(name, std::move(value));
    return {};
  }

  // What a state and the machine itself have in common.
  Result<void> add_inside(StateIndex s, const json::object& object, std::size_t depth) {
    if (depth > nesting_max) return malformed("states are nested too deep");
    if (const json::value* initial = object.if_contains("initial")) {
      CR_TRY(const TransitionIndex t, add_transition(s, *initial));
      node(s).initial = t;
    }
    CR_TRY(const json::array* transitions, array_of(object, "transitions"));
    for (const json::value& transition : *transitions) {
      CR_TRY(const TransitionIndex t, add_transition(s, transition));
      node(s).transitions.push_back(t);
    }
    CR_TRY(node(s).onentry, add_blocks(object, "onentry"));
    CR_TRY(node(s).onexit, add_blocks(object, "onexit"));
    CR_TRY(const json::array* states, array_of(object, "states"));
    for (const json::value& child : *states) {
      if (!child.is_object()) return malformed("a state is no object");
      CR_CHECK(add_state(s, child.get_object(), depth + 1));
    }
    return {};
  }

  Result<void> add_state(StateIndex parent, const json::object& object, std::size_t depth) {
    const StateIndex s(static_cast<std::uint32_t>(machine_.chart.states.size()));
    node(parent).children.push_back(s);
    machine_.chart.states.emplace_back();
    node(s).parent = parent;
    node(s).id = text_of(object, "id");
    ids_.emplace(node(s).id, s);
    const std::string kind = text_of(object, "kind");
    if (kind == "parallel") {
      node(s).kind = StateKind::parallel;
    } else if (kind == "final") {
      node(s).kind = StateKind::final;
    } else if (kind == "history") {
      const json::value* deep = object.if_contains("deep");
      node(s).kind = deep != nullptr && deep->is_bool() && deep->get_bool()
                         ? StateKind::history_deep
                         : StateKind::history_shallow;
      const json::value* fallback = object.if_contains("default");
      if (fallback == nullptr)
        return malformed("history state '" + node(s).id + "' has no default");
      CR_TRY(const TransitionIndex t, add_transition(s, *fallback));
      node(s).initial = t;
    } else if (!kind.empty() && kind != "state") {
      return fail(ErrorCode::unsupported, "unknown kind of state '" + kind + "'");
    }
    return add_inside(s, object, depth);
  }

  Result<TransitionIndex> add_transition(StateIndex source, const json::value& value) {
    if (!value.is_object()) return malformed("a transition is no object");
    const json::object& object = value.get_object();
    statechart::Transition transition;
    transition.source = source;
    transition.internal = text_of(object, "type") == "internal";
    CR_TRY(transition.events, strings(object, "event"));
    if (object.contains("cond")) {
      CR_TRY(cel::Program guard, compile(text_of(object, "cond")));
      transition.cond = ConditionIndex(static_cast<std::uint32_t>(machine_.guards.size()));
      machine_.guards.push_back(std::move(guard));
    }
    CR_TRY(const json::array* actions, array_of(object, "actions"));
    if (!actions->empty()) {
      CR_TRY(transition.content, add_content(*actions));
    }
    CR_TRY(std::vector<std::string> targets, strings(object, "target"));
    const auto index = static_cast<std::uint32_t>(machine_.chart.transitions.size());
    targets_.emplace_back(index, std::move(targets));
    machine_.chart.transitions.push_back(std::move(transition));
    return TransitionIndex(index);
  }

  static Result<std::vector<std::string>> strings(const json::object& object, const char* key) {
    CR_TRY(const json::array* list, array_of(object, key));
    std::vector<std::string> result;
    for (const json::value& item : *list) {
      if (!item.is_string()) return malformed("'" + std::string(key) + "' holds no strings");
      result.push_back(to_string(item.get_string()));
    }
    return result;
  }

  Result<std::vector<ContentIndex>> add_blocks(const json::object& object, const char* key) {
    CR_TRY(const json::array* blocks, array_of(object, key));
    std::vector<ContentIndex> result;
    for (const json::value& block : *blocks) {
      if (!block.is_array()) return malformed("a block of '" + std::string(key) + "' is no list");
      CR_TRY(const ContentIndex content, add_content(block.get_array()));
      result.push_back(content);
    }
    return result;
  }

  Result<ContentIndex> add_content(const json::array& list) {
    CR_TRY(std::vector<Action> actions, read_actions(list, 0));
    machine_.contents.push_back(std::move(actions));
    return ContentIndex(static_cast<std::uint32_t>(machine_.contents.size() - 1));
  }

  Result<std::vector<Action>> read_actions(const json::array& list, std::size_t depth) {
    if (depth > nesting_max) return malformed("actions are nested too deep");
    std::vector<Action> actions;
    for (const json::value& item : list) {
      if (!item.is_object()) return malformed("an action is no object");
      CR_TRY(Action action, read_action(item.get_object(), depth));
      actions.push_back(std::move(action));
    }
    return actions;
  }

  Result<Action> read_action(const json::object& object, std::size_t depth) {
    Action action;
    if (object.contains("raise")) {
      action.kind = Action::Kind::raise;
      action.name = text_of(object, "raise");
    } else if (object.contains("send")) {
      action.kind = Action::Kind::send;
      action.name = text_of(object, "send");
      action.id = text_of(object, "id");
      if (const json::value* delay = object.if_contains("delay")) {
        if (!delay->is_int64() || delay->get_int64() < 0)
          return malformed("a delay is no count of ms");
        action.delay = std::chrono::milliseconds(delay->get_int64());
      }
    } else if (object.contains("cancel")) {
      action.kind = Action::Kind::cancel;
      action.name = text_of(object, "cancel");
    } else if (object.contains("assign")) {
      action.kind = Action::Kind::assign;
      action.name = text_of(object, "assign");
      CR_TRY(action.expression, compile(text_of(object, "expr")));
    } else if (object.contains("fail")) {
      action.kind = Action::Kind::fail;
      action.name = text_of(object, "fail");
    } else if (object.contains("if")) {
      action.kind = Action::Kind::branch;
      CR_TRY(const json::array* branches, array_of(object, "if"));
      for (const json::value& item : *branches) {
        if (!item.is_object()) return malformed("a branch of 'if' is no object");
        Branch branch;
        if (item.get_object().contains("cond")) {
          CR_TRY(branch.cond, compile(text_of(item.get_object(), "cond")));
        }
        CR_TRY(const json::array* actions, array_of(item.get_object(), "actions"));
        CR_TRY(branch.actions, read_actions(*actions, depth + 1));
        action.branches.push_back(std::move(branch));
      }
    } else {
      return fail(ErrorCode::unsupported, "unknown action " + std::string(json::serialize(object)));
    }
    return action;
  }

  Result<cel::Program> compile(const std::string& source) {
    auto program = cel::Program::compile(source, environment_, cel::Program::Checking::untyped);
    if (program) return *std::move(program);
    std::string why = program.error().empty() ? "no reason given" : program.error().front().message;
    return malformed("expression '" + source + "': " + why);
  }

  Machine machine_;
  cel::Environment environment_;
  std::map<std::string, StateIndex> ids_;
  std::vector<std::pair<std::size_t, std::vector<std::string>>> targets_;
};

}  // namespace

Result<Machine> build_machine(const boost::json::object& json) {
  return Builder().build(json);
}

}  // namespace checkride::conformance
