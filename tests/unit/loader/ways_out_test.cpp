// WaysOut works out much at once; here every state of random charts is held against a search that
// takes one state, one transition and one event after the other, straight from the definition of a
// way out. Reachability is held against a walk of its own in the same manner.
#include "workflows/loader/ways_out.h"

#include <algorithm>
#include <random>

#include "tests/unit/loader/sample.h"
#include "workflows/loader/entry_set.h"
#include "workflows/loader/reader.h"

namespace checkride::test {
namespace {

using loader::PossibleEvent;
using loader::PossibleEvents;
using loader::Ways;
using statechart::root_state;
using statechart::StateIndex;
using statechart::TransitionIndex;

class RandomDocument {
 public:
  explicit RandomDocument(unsigned seed) : random_(seed) {}

  std::string text() {
    std::string states;
    const int top = 2 + below(3);
    for (int i = 0; i < top; ++i) states += state(2, 0);
    return "checkride: 1\nworkflow: random\nerrors: " + std::string(below(2) ? "park" : "event") +
           "\nstates:\n" + states + "  end: {type: final}\n";
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  std::string any_state() { return below(6) == 0 ? "end" : "s" + std::to_string(below(8)); }

  std::string descriptor() {
    switch (below(9)) {
      case 0: return "go";
      case 1: return "'*'";
      case 2: return "done.invoke." + any_state();
      case 3: return "error.invoke." + any_state();
      case 4: return "done.state." + any_state();
      case 5: return "'done.*'";
      case 6: return "exhausted." + any_state();
      case 7: return "answer.approve." + any_state();
      default: return "never";
    }
  }

  std::string target() {
    const std::string to = below(5) == 0 ? "" : "target: " + any_state();
    const std::string guard = below(3) == 0 ? "guard: now > run.started" : "";
    return "{" + to + (to.empty() || guard.empty() ? "" : ", ") + guard + "}";
  }

  std::string state(int indent, int depth) {
    const std::string in(static_cast<std::size_t>(indent), ' ');
    const std::string id = "s" + std::to_string(next_++);
    std::string text = in + id + ":\n";
    const bool branches = depth < 3 && below(3) == 0;
    if (branches && below(2) == 0) text += in + "  type: parallel\n";
    if (below(3) == 0 && !branches)
      text += in + "  invoke: {job: " +
              (below(3) == 0 ? "gate, with: {question: q}" : "git.status, with: {repo: /x}") +
              "}\n";
    if (below(6) == 0) text += in + "  entry: [{raise: go}]\n";
    if (below(6) == 0) text += in + "  budget: 2\n" + in + "  exhausted: incident\n";
    if (below(2) == 0) {
      text += in + "  on:\n";
      std::vector<std::string> used;
      for (int i = 1 + below(3); i > 0; --i) {
        const std::string key = descriptor();
        if (std::find(used.begin(), used.end(), key) != used.end()) continue;
        used.push_back(key);
        text += in + "    " + key + ": " + target() + "\n";
      }
    }
    if (below(8) == 0) text += in + "  after: {5s: {target: end, guard: now > run.started}}\n";
    if (below(12) == 0) text += in + "  always: {target: end, guard: now > run.started}\n";
    if (!branches) return text;
    text += in + "  states:\n";
    for (int i = 1 + below(3); i > 0; --i) text += state(indent + 4, depth + 1);
    return text;
  }

  std::mt19937 random_;
  int next_ = 0;
};

Ways searched(const loader::Paths& paths, const std::vector<PossibleEvent>& events,
              StateIndex state, const std::vector<std::string>& without) {
  const statechart::Chart& chart = paths.chart();
  Ways ways;
  for (std::uint32_t i = 0; i < chart.states.size(); ++i) {
    const StateIndex source(i);
    if (!paths.is_ancestor_or_self(source, state) && !paths.in_other_region(source, state))
      continue;
    for (const TransitionIndex t : chart.state(source).transitions) {
      const auto& transition = chart.transition(t);
      if (transition.targets.empty()) continue;
      const StateIndex within = paths.domain(transition);
      if (within != root_state && !chart.is_descendant(state, within)) continue;
      const bool taken =
          transition.events.empty() ||
          std::any_of(events.begin(), events.end(), [&](const PossibleEvent& event) {
            if (std::find(without.begin(), without.end(), event.name) != without.end())
              return false;
            if (event.owner && paths.is_ancestor_or_self(*event.owner, state)) {
              if (event.name.starts_with("done.state.")) return false;
            } else if (event.owner && !paths.in_other_region(*event.owner, state)) {
              return false;
            }
            return std::any_of(
                transition.events.begin(), transition.events.end(),
                [&](const std::string& d) { return statechart::matches(d, event.name); });
          });
      if (!taken) continue;
      ways.any = true;
      ways.lasting = ways.lasting || !transition.cond ||
                     !std::all_of(transition.events.begin(), transition.events.end(),
                                  [](const std::string& e) { return e.starts_with("after."); });
    }
  }
  return ways;
}

// The definition behind a document, whatever the rules about paths say of it.
std::shared_ptr<Definition> read_only(const std::string& text) {
  class NoMachines final : public loader::Surroundings {
   public:
    const JobSignature* find_kind(std::string_view name) const override {
      for (const JobSignature* kind : kinds())
        if (kind->name == name) return kind;
      return nullptr;
    }
    std::vector<std::string> kind_names() const override { return {}; }
    std::shared_ptr<const Definition> machine(const std::string&, Place) override {
      return nullptr;
    }
  };
  NoMachines surroundings;
  loader::Diagnostics diagnostics;
  loader::Reporter reporter(diagnostics, "random.yaml");
  const auto root = loader::read_yaml(text, reporter);
  REQUIRE(root.has_value());
  loader::DefinitionReader reader(surroundings, reporter, text, false);
  auto definition = reader.read(*root, "random");
  return reader.structure_sound() ? definition : nullptr;
}

TEST_CASE("ways out of random charts are those that a plain search finds", "[loader][paths]") {
  int charts = 0;
  int judged = 0;
  int dead = 0;
  int spent = 0;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    const std::string text = RandomDocument(seed).text();
    const auto definition = read_only(text);
    if (definition == nullptr) continue;
    ++charts;
    const loader::Paths paths(*definition);
    PossibleEvents events(*definition);
    loader::WaysOut ways_out(paths, events);
    for (std::uint32_t i = 1; i < definition->chart.states.size(); ++i) {
      const StateIndex state(i);
      if (!definition->chart.is_atomic(state) || definition->chart.is_final(state)) continue;
      std::vector<std::string> without;
      if (definition->states[i].invoke)
        without = loader::ending_events(*definition->states[i].invoke);
      for (const auto& left_out : {std::vector<std::string>{}, without}) {
        const Ways expected = searched(paths, events.all(), state, left_out);
        const Ways found = ways_out.of(state, left_out);
        INFO("seed " << seed << ", state " << definition->chart.state(state).id << "\n" << text);
        REQUIRE(found.any == expected.any);
        REQUIRE(found.lasting == expected.lasting);
        ++judged;
        dead += expected.any ? 0 : 1;
        spent += expected.any && !expected.lasting ? 1 : 0;
      }
    }
  }
  CHECK(charts > 300);
  CHECK(judged > 2000);
  CHECK(dead > 100);
  CHECK(spent > 20);
}

TEST_CASE("a default is entered although another way into its parent came first",
          "[loader][paths]") {
  const LoadResult result = load(R"(checkride: 1
workflow: w
initial: a2
states:
  a:
    states:
      a1: {on: {go: end}}
      a2: {entry: [{raise: go}, {raise: back}], on: {go: end, back: a}}
  end: {type: final}
)");
  CHECK(findings(result) == "");
}

TEST_CASE("an entry set enters each region once, and the one left out when another way leads there",
          "[loader][paths]") {
  const auto definition = load_good(R"(checkride: 1
workflow: w
entry: [{raise: go}]
states:
  p:
    type: parallel
    on: {done: end, go: end}
    states:
      x: {states: {x1: {on: {go: x2}}, x2: {type: final}}}
      y: {states: {y1: {on: {go: y2}}, y2: {type: final}}}
      z: {states: {z1: {on: {go: z2}}, z2: {type: final}}}
  end: {type: final}
)");
  const auto state = [&](const char* id) { return state_of(*definition, id); };
  loader::EntrySet entered(definition->chart);
  entered.enter(state("x2"));
  CHECK(entered.has(state("p")));
  CHECK(entered.has(state("x2")));
  CHECK_FALSE(entered.has(state("x1")));
  CHECK(entered.has(state("y1")));
  CHECK_FALSE(entered.has(state("y2")));
  entered.enter(state("y2"));
  CHECK(entered.has(state("x1")));
  CHECK(entered.has(state("z1")));
  CHECK_FALSE(entered.has(state("z2")));
}

}  // namespace
}  // namespace checkride::test
