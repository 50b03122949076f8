// Rules about single expressions and actions that need the whole chart: results read before the
// state that gives them can have run, sends and events that lead nowhere.
#include <algorithm>
#include <map>
#include <set>

#include "engine/cel/time_text.h"
#include "workflows/loader/entry_set.h"
#include "workflows/loader/events.h"
#include "workflows/loader/lint.h"
#include "workflows/loader/uses.h"

namespace checkride::loader {
namespace {

using statechart::root_state;
using statechart::StateIndex;
using statechart::TransitionIndex;

// Reading a missing result in one of these is no certain failure.
const std::set<std::string> conditional_words = {"has",
                                                 "all",
                                                 "exists",
                                                 "exists_one",
                                                 "map",
                                                 "filter",
                                                 "existsOne",
                                                 "optMap",
                                                 "transformList",
                                                 "transformMap",
                                                 "transformMapEntry",
                                                 "optFlatMap",
                                                 "orValue"};

bool is_conditional(const std::vector<cel::LexedToken>& tokens) {
  return std::any_of(tokens.begin(), tokens.end(), [](const cel::LexedToken& token) {
    return token.is("&&") || token.is("||") || token.is("?") ||
           (token.kind == cel::TokenKind::identifier && conditional_words.contains(token.text));
  });
}

// The states X of every jobs.X and jobs["X"].
std::set<std::string> results_read(const std::vector<cel::LexedToken>& tokens) {
  std::set<std::string> names;
  for (std::size_t i = 0; i + 2 < tokens.size(); ++i) {
    if (tokens[i].kind != cel::TokenKind::identifier || tokens[i].text != "jobs") continue;
    if (i > 0 && tokens[i - 1].is(".")) continue;  // a field of that name
    std::size_t name = i + 2;
    if (tokens[name].is("?") && name + 1 < tokens.size()) ++name;
    if (tokens[i + 1].is(".") && tokens[name].kind == cel::TokenKind::identifier)
      names.insert(tokens[name].text);
    if (tokens[i + 1].is(".") && tokens[name].kind == cel::TokenKind::quoted_identifier)
      names.insert(tokens[name].text);
    if (tokens[i + 1].is("[") && tokens[name].kind == cel::TokenKind::literal &&
        tokens[name].value.kind() == cel::Kind::string)
      names.insert(std::string(tokens[name].value.as_string()));
  }
  return names;
}

// The params X of every now.getHours(params.X) and its like: what stands there is a time zone.
std::vector<std::string> zones_of_params(const std::vector<cel::LexedToken>& tokens) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 6 < tokens.size(); ++i)
    if (tokens[i].is(".") && tokens[i + 1].kind == cel::TokenKind::identifier &&
        tokens[i + 1].text.starts_with("get") && tokens[i + 2].is("(") &&
        tokens[i + 3].text == "params" && tokens[i + 4].is(".") && tokens[i + 6].is(")"))
      names.push_back(tokens[i + 5].text);
  return names;
}

class ResultCheck {
 public:
  ResultCheck(const Definition& definition, Reporter& reporter)
      : definition_(definition), chart_(definition.chart), reporter_(reporter) {}

  void run() {
    for (const Use& use : uses_of(definition_)) {
      const std::vector<cel::LexedToken> tokens = tokens_of(use.expression);
      for (const std::string& name : results_read(tokens)) check_read(use, name, tokens);
      for (const std::string& name : zones_of_params(tokens)) check_zone(use, name);
    }
    check_blocks();
  }

 private:
  // What can be active, or entered, once the invocation of a state has ended; too much rather than
  // too little, so that what is missing is certain.
  struct Later {
    std::vector<bool> active;
    std::vector<bool> entered;
  };

  void check_read(const Use& use, const std::string& name,
                  const std::vector<cel::LexedToken>& tokens) {
    const auto state = chart_.find(name);
    if (!state || !definition_.states[state->value].invoke) return;
    auto known = later_.find(*state);
    if (known == later_.end()) known = later_.emplace(*state, later_than(*state)).first;
    const Later& later = known->second;
    const bool possible = use.moment == Moment::entering ? later.entered[use.state.value]
                                                         : later.active[use.state.value];
    if (possible) return;
    const std::string where = use.state == root_state
                                  ? std::string("when the workflow starts")
                                  : "in state '" + chart_.state(use.state).id + "'";
    const std::string message = "jobs." + name + " is read " + where +
                                ", but no path leads through state '" + name +
                                "' first, so it is not there";
    if (is_conditional(tokens))
      reporter_.warning(use.place, "result-before-job", message);
    else
      reporter_.error(use.place, "result-before-job", message);
  }

  // A run that leaves the param at its default could never evaluate this.
  void check_zone(const Use& use, const std::string& name) {
    for (const FieldSpec& param : definition_.params) {
      if (param.name != name || !param.initial || param.initial->kind() != cel::Kind::string ||
          cel::parse_utc_offset(param.initial->as_string()))
        continue;
      reporter_.error(use.place, "expression",
                      "params." + name + " is used as a time zone, and its default '" +
                          param.initial->as_string() +
                          "' is a named one; only UTC and offsets such as +02:00 are allowed");
    }
  }

  Later later_than(StateIndex state) {
    const std::size_t count = chart_.states.size();
    if (work_ > work_max) return everything();
    EntrySet entered(chart_);
    std::vector<bool> followed(count, false);
    std::vector<bool> remembered(count, false);
    const auto follow = [&](StateIndex active) {
      if (followed[active.value]) return;
      followed[active.value] = true;
      for (const TransitionIndex t : chart_.state(active).transitions)
        for (const StateIndex target : chart_.transition(t).targets) {
          ++work_;
          entered.enter(target);
          if (!chart_.is_history(target)) continue;
          const StateIndex parent =
              chart_.state(target).parent;  // what it remembers may be anything
          if (remembered[parent.value]) continue;
          remembered[parent.value] = true;
          mark_below(parent, entered);
        }
    };
    Later later{std::vector<bool>(count, false), std::vector<bool>(count, false)};
    for (StateIndex below = state; below != root_state; below = chart_.state(below).parent) {
      later.active[below.value] = true;
      const StateIndex parent = chart_.state(below).parent;
      if (!chart_.is_parallel(parent)) continue;
      for (const StateIndex region : chart_.state(parent).children) {
        if (region == below) continue;
        entered.mark(region);
        mark_below(region, entered);
      }
    }
    later.active[0] = true;
    for (StateIndex a = state; a != root_state; a = chart_.state(a).parent) follow(a);
    follow(root_state);
    while (const auto next = entered.next()) follow(*next);
    for (std::uint32_t i = 0; i < count; ++i) {
      later.entered[i] = entered.has(StateIndex(i));
      later.active[i] = later.active[i] || later.entered[i];
    }
    work_ += count;
    return later;
  }

  void mark_below(StateIndex parent, EntrySet& entered) {
    const std::uint32_t last = chart_.table(parent).last_descendant.value;
    for (std::uint32_t i = parent.value + 1; i <= last; ++i) entered.mark(StateIndex(i));
    work_ += last - parent.value;
  }

  Later everything() const {
    const std::vector<bool> all(chart_.states.size(), true);
    return {all, all};
  }

  void check_blocks() {
    std::vector<std::string> sent;
    const Listeners listeners(chart_);
    const std::vector<BlockUse> blocks = blocks_of(definition_);
    for (const BlockUse& use : blocks)
      for (const Action& action : *use.block)
        if (const auto* send = std::get_if<SendAction>(&action.node); send && !send->id.empty())
          sent.push_back(send->id);
    const std::set<std::string> ids(sent.begin(), sent.end());
    for (const BlockUse& use : blocks)
      for (const Action& action : *use.block) {
        const auto* cancel = std::get_if<CancelAction>(&action.node);
        if (cancel != nullptr && !ids.contains(cancel->id))
          reporter_.warning(use.place, "unknown-send", "no 'send' has the id '" + cancel->id + "'",
                            reporter_.did_you_mean(cancel->id, sent));
        const auto* raise = std::get_if<RaiseAction>(&action.node);
        const auto* send = std::get_if<SendAction>(&action.node);
        if (raise != nullptr) check_heard(raise->event, listeners, use.place);
        if (send != nullptr) check_heard(send->event, listeners, use.place);
      }
  }

  void check_heard(const std::string& event, const Listeners& listeners, Place place) {
    if (listeners.hear(event)) return;
    reporter_.warning(place, "event-unheard", "nothing listens to the event '" + event + "'",
                      reporter_.did_you_mean(event, listeners.descriptors()));
  }

  const Definition& definition_;
  const statechart::Chart& chart_;
  Reporter& reporter_;
  std::map<StateIndex, Later> later_;
  // Charts of thousands of states that read thousands of results are not judged to the end.
  static constexpr std::uint64_t work_max = 20'000'000;
  std::uint64_t work_ = 0;
};

}  // namespace

void check_uses(const Definition& definition, Reporter& reporter) {
  ResultCheck(definition, reporter).run();
}

}  // namespace checkride::loader
