#include "workflows/loader/uses.h"

namespace checkride::loader {
namespace {

using statechart::StateIndex;

class Walk {
 public:
  explicit Walk(const Definition& definition) : definition_(definition) {}

  std::vector<Use> uses;
  std::vector<BlockUse> blocks;

  void run() {
    for (std::uint32_t i = 0; i < definition_.states.size(); ++i) {
      state_ = StateIndex(i);
      state(definition_.chart.states[i], definition_.states[i]);
    }
  }

 private:
  void state(const statechart::StateNode& node, const StateSpec& spec) {
    place_ = spec.place;
    moment_ = Moment::entering;
    if (spec.note) text(*spec.note);
    if (spec.output) value(*spec.output);
    if (spec.budget) add(spec.budget->max.source());
    for (const auto content : node.onentry) block(definition_.contents[content.value]);
    moment_ = Moment::active;
    for (const auto content : node.onexit) block(definition_.contents[content.value]);
    for (const auto t : node.transitions) {
      const auto& transition = definition_.chart.transition(t);
      const TransitionSpec& extra = definition_.transitions[t.value];
      place_ = extra.place;
      if (transition.cond && transition.cond->value < definition_.conditions.size())
        add(definition_.conditions[transition.cond->value].source());
      if (transition.content) block(definition_.contents[transition.content->value]);
      if (extra.note) text(*extra.note);
    }
    if (!spec.invoke) return;
    place_ = spec.invoke->place;
    moment_ = Moment::entering;
    invocation(*spec.invoke);
    if (spec.invoke->probe) invocation(*spec.invoke->probe);
  }

  void invocation(const InvokeSpec& invoke) {
    for (const auto& [name, input] : invoke.with) value(input);
    if (invoke.each) add(invoke.each->source());
  }

  void add(const std::string& expression) { uses.push_back({expression, state_, moment_, place_}); }

  // The holes of a template: the lexer skips strings, so a brace within them closes nothing.
  void text(const cel::Template& text_template) {
    const std::string& source = text_template.source();
    for (std::size_t at = 0; (at = source.find("${", at)) != std::string::npos;) {
      if (at > 0 && source[at - 1] == '$') {
        at += 2;
        continue;
      }
      cel::Lexer lexer(source, static_cast<std::uint32_t>(at + 2));
      std::size_t depth = 0;
      cel::LexedToken token = lexer.next();
      for (; token.kind != cel::TokenKind::end && token.kind != cel::TokenKind::error;
           token = lexer.next()) {
        if (token.is("}") && depth == 0) break;
        if (token.is("{")) ++depth;
        if (token.is("}")) --depth;
      }
      add(source.substr(at + 2, token.begin - at - 2));
      at = token.begin;
    }
  }

  void value(const ValueTemplate& given) {
    if (const auto* text_template = std::get_if<cel::Template>(&given.node)) text(*text_template);
    if (const auto* list = std::get_if<ValueTemplate::ListOf>(&given.node))
      for (const ValueTemplate& item : *list) value(item);
    if (const auto* map = std::get_if<ValueTemplate::MapOf>(&given.node))
      for (const auto& [key, item] : *map) value(item);
  }

  void block(const ContentBlock& actions) {
    blocks.push_back({&actions, state_, moment_, place_});
    for (const Action& action : actions) {
      if (const auto* assign = std::get_if<AssignAction>(&action.node)) add(assign->value.source());
      if (const auto* raise = std::get_if<RaiseAction>(&action.node); raise && raise->data)
        value(*raise->data);
      if (const auto* send = std::get_if<SendAction>(&action.node); send && send->data)
        value(*send->data);
      if (const auto* conditional = std::get_if<IfAction>(&action.node))
        for (const auto& branch : conditional->branches) {
          if (branch.cond) add(branch.cond->source());
          block(branch.actions);
        }
    }
  }

  const Definition& definition_;
  StateIndex state_;
  Moment moment_ = Moment::active;
  Place place_;
};

Walk walked(const Definition& definition) {
  Walk walk(definition);
  walk.run();
  return walk;
}

}  // namespace

std::vector<Use> uses_of(const Definition& definition) {
  return walked(definition).uses;
}

std::vector<BlockUse> blocks_of(const Definition& definition) {
  return walked(definition).blocks;
}

std::vector<cel::LexedToken> tokens_of(const std::string& expression) {
  std::vector<cel::LexedToken> tokens;
  cel::Lexer lexer(expression);
  for (cel::LexedToken token = lexer.next();
       token.kind != cel::TokenKind::end && token.kind != cel::TokenKind::error;
       token = lexer.next())
    tokens.push_back(std::move(token));
  return tokens;
}

}  // namespace checkride::loader
