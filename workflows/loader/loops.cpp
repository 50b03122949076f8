// Loops without end. The chart becomes a graph in which a walk is anything a run might do:
//
//   here(s)     s is active; leads to here(parent), whose transitions may be taken as well
//   enter(s)    s is being entered by default
//   restore(s)  s is being entered as a deep history state remembers it, which may be anything
//   spent(s)    s is being entered beyond its budget and takes its `exhausted` transition
//   ended(s)    a final state of s, or of a region of it, is active: done.state.s may come
//   before(s), behind(s)   s, a region, is being entered by default, and all regions before or
//                          behind it, because a transition leads into another region
//
// enter(h) of a history state h is what any transition to it comes to. The last four keep the graph
// as large as the chart, where an edge for each pair would be quadratic.
//
// An edge carries the states it enters. It is bounded when it enters a state with a budget whose
// parent nothing in the same cycle enters again (that would give a new budget). Bounded edges can
// be taken only so often; so they are removed, and what cycles remain are looked at in the same
// way, until there are none or one has no bounded edge: that one may go on for ever. Edges that
// only a person's answer takes are no edges: a person is not a loop without end.
#include <algorithm>
#include <set>

#include "workflows/loader/lint.h"
#include "workflows/loader/paths.h"

namespace checkride::loader {
namespace {

using statechart::root_state;
using statechart::StateIndex;
using statechart::StateKind;
using statechart::TransitionIndex;

enum Role : std::uint32_t { here, enter, restore, spent, ended, before, behind, roles };

struct Edge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::vector<StateIndex> entered;
  std::optional<StateIndex> beyond;  // this state's budget is used up on this edge
};

class LoopGraph {
 public:
  explicit LoopGraph(const Definition& definition)
      : definition_(definition), chart_(definition.chart), paths_(definition) {}

  std::vector<Edge> build() {
    for (std::uint32_t i = 1; i < chart_.states.size(); ++i) {
      const StateIndex s(i);
      if (chart_.is_history(s)) {
        add_history(s);
        continue;
      }
      const auto& node = chart_.state(s);
      add(vertex(here, s), vertex(here, node.parent), {});
      add_ends(s);
      if (node.children.empty()) {
        add(vertex(enter, s), vertex(here, s), {});
        add(vertex(restore, s), vertex(here, s), {});
      } else if (node.kind == StateKind::parallel) {
        for (const StateIndex child : node.children)
          if (!chart_.is_history(child)) add(vertex(enter, s), vertex(enter, child), {child});
        add_regions(s);
      } else {
        for (const StateIndex target : chart_.transition(*node.initial).targets)
          lead(vertex(enter, s), target, s);
      }
      for (const StateIndex child : node.children)
        if (!chart_.is_history(child)) add(vertex(restore, s), vertex(restore, child), {child});
    }
    for (std::uint32_t i = 0; i < chart_.states.size(); ++i)
      for (const TransitionIndex t : chart_.states[i].transitions) add_transition(StateIndex(i), t);
    return std::move(edges_);
  }

  static std::uint32_t vertex(Role role, StateIndex s) { return s.value * roles + role; }
  static StateIndex state_of(std::uint32_t vertex) { return StateIndex(vertex / roles); }
  static Role role_of(std::uint32_t vertex) { return static_cast<Role>(vertex % roles); }

 private:
  void add(std::uint32_t from, std::uint32_t to, std::vector<StateIndex> entered) {
    for (const StateIndex s : entered) {
      const auto& budget = definition_.states[s.value].budget;
      if (budget && budget->exhausted) edges_.push_back({from, vertex(spent, s), entered, s});
    }
    edges_.push_back({from, to, std::move(entered), std::nullopt});
  }

  // States from below `domain` down to `target`, outermost first.
  std::vector<StateIndex> chain(StateIndex target, StateIndex domain) const {
    std::vector<StateIndex> result;
    for (StateIndex s = target; s != domain && s != root_state; s = chart_.state(s).parent)
      result.push_back(s);
    std::reverse(result.begin(), result.end());
    return result;
  }

  // What entering a history state comes to: what it remembers, or its default.
  void add_history(StateIndex history) {
    const auto& node = chart_.state(history);
    const std::uint32_t from = vertex(enter, history);
    if (node.kind == StateKind::history_deep) {
      add(from, vertex(restore, node.parent), {});
    } else {
      for (const StateIndex child : chart_.state(node.parent).children)
        if (!chart_.is_history(child)) add(from, vertex(enter, child), {child});
    }
    for (const StateIndex by_default : chart_.transition(*node.initial).targets) {
      if (chart_.is_parallel(node.parent)) enter_beside(from, by_default, node.parent, {});
      lead(from, by_default, node.parent);
    }
  }

  // done.state.s comes from a final child, or from one in any region of a parallel state.
  void add_ends(StateIndex s) {
    for (const StateIndex child : chart_.state(s).children) {
      if (chart_.is_final(child)) add(vertex(here, child), vertex(ended, s), {});
      if (!chart_.is_parallel(s)) continue;
      for (const StateIndex inner : chart_.state(child).children)
        if (chart_.is_final(inner)) add(vertex(here, inner), vertex(ended, s), {});
    }
  }

  void add_regions(StateIndex parallel) {
    std::optional<StateIndex> last;
    for (const StateIndex region : chart_.state(parallel).children) {
      if (chart_.is_history(region)) continue;
      add(vertex(before, region), vertex(enter, region), {region});
      add(vertex(behind, region), vertex(enter, region), {region});
      if (last) {
        add(vertex(before, region), vertex(before, *last), {});
        add(vertex(behind, *last), vertex(behind, region), {});
      }
      last = region;
    }
  }

  // Edges into the regions of `parallel` but the one that holds `target`.
  void enter_beside(std::uint32_t from, StateIndex target, StateIndex parallel,
                    const std::vector<StateIndex>& entered) {
    const auto& children = chart_.state(parallel).children;
    const auto own = std::find_if(children.begin(), children.end(), [&](StateIndex child) {
      return paths_.is_ancestor_or_self(child, target);
    });
    const auto region = [&](StateIndex child) { return !chart_.is_history(child); };
    const auto earlier = std::find_if(std::make_reverse_iterator(own), children.rend(), region);
    const auto later =
        own == children.end() ? own : std::find_if(std::next(own), children.end(), region);
    if (earlier != children.rend()) add(from, vertex(before, *earlier), entered);
    if (later != children.end()) add(from, vertex(behind, *later), entered);
  }

  // Edges for entering `target` when everything down to `domain` is active already.
  void lead(std::uint32_t from, StateIndex target, StateIndex domain) {
    const StateIndex inside = chart_.is_history(target) ? chart_.state(target).parent : target;
    const std::vector<StateIndex> down = chain(inside, domain);
    for (auto s = down.begin(); s != down.end(); ++s)
      if (chart_.is_parallel(*s) && *s != inside)
        enter_beside(from, inside, *s, std::vector<StateIndex>(down.begin(), std::next(s)));
    add(from, vertex(enter, target), down);
  }

  // Whether only a person can make the event happen: an answer that expiry does not give, or a
  // message.
  bool by_person(const std::string& event, StateIndex source) const {
    if (event.starts_with(message_prefix)) return true;
    const auto& invoke = definition_.states[source.value].invoke;
    if (!invoke || !is_gate(*invoke)) return false;
    for (const std::string& answer : answers_of(*invoke))
      if (event == "answer." + answer + "." + invoke->id)
        return !invoke->gate.expiry || invoke->gate.expiry_answer != answer;
    return false;
  }

  void add_transition(StateIndex source, TransitionIndex t) {
    const auto& transition = chart_.transition(t);
    if (transition.targets.empty()) return;
    const auto& events = transition.events;
    if (!events.empty() && std::all_of(events.begin(), events.end(),
                                       [&](const std::string& e) { return by_person(e, source); }))
      return;
    const std::string& id = chart_.state(source).id;
    std::uint32_t from = vertex(here, source);
    if (events == std::vector<std::string>{"done.state." + id}) from = vertex(ended, source);
    if (events == std::vector<std::string>{"exhausted." + id}) from = vertex(spent, source);
    const StateIndex domain = paths_.domain(transition);
    for (const StateIndex target : transition.targets) lead(from, target, domain);
  }

  const Definition& definition_;
  const statechart::Chart& chart_;
  Paths paths_;
  std::vector<Edge> edges_;
};

// The vertices of some edges, numbered from 0: what is left of a large graph is judged by its own
// size.
class Numbering {
 public:
  Numbering(const std::vector<Edge>& edges, const std::vector<std::uint32_t>& live) {
    for (const std::uint32_t e : live)
      vertices_.insert(vertices_.end(), {edges[e].from, edges[e].to});
    std::sort(vertices_.begin(), vertices_.end());
    vertices_.erase(std::unique(vertices_.begin(), vertices_.end()), vertices_.end());
  }
  std::uint32_t of(std::uint32_t vertex) const {
    return static_cast<std::uint32_t>(std::lower_bound(vertices_.begin(), vertices_.end(), vertex) -
                                      vertices_.begin());
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(vertices_.size()); }

 private:
  std::vector<std::uint32_t> vertices_;
};

// Tarjan's algorithm without recursion: the component of each vertex, by its number.
std::vector<std::uint32_t> components(const Numbering& number, const std::vector<Edge>& edges,
                                      const std::vector<std::uint32_t>& live) {
  const std::uint32_t vertices = number.size();
  std::vector<std::vector<std::uint32_t>> next(vertices);
  for (const std::uint32_t e : live)
    next[number.of(edges[e].from)].push_back(number.of(edges[e].to));
  constexpr std::uint32_t none = 0xFFFFFFFF;
  std::vector<std::uint32_t> order(vertices, none);
  std::vector<std::uint32_t> low(vertices, 0);
  std::vector<std::uint32_t> component(vertices, none);
  std::vector<std::uint32_t> open;
  struct Frame {
    std::uint32_t vertex;
    std::size_t child = 0;
  };
  std::uint32_t counter = 0;
  std::uint32_t found = 0;
  for (std::uint32_t start = 0; start < vertices; ++start) {
    if (order[start] != none || next[start].empty()) continue;
    std::vector<Frame> path{{start}};
    while (!path.empty()) {
      const std::uint32_t v = path.back().vertex;
      if (path.back().child == 0) {
        order[v] = low[v] = counter++;
        open.push_back(v);
      }
      if (path.back().child < next[v].size()) {
        const std::uint32_t w = next[v][path.back().child++];
        if (order[w] == none)
          path.push_back({w});
        else if (component[w] == none)
          low[v] = std::min(low[v], order[w]);
        continue;
      }
      if (low[v] == order[v]) {
        for (std::uint32_t w = none; w != v;) {
          w = open.back();
          open.pop_back();
          component[w] = found;
        }
        ++found;
      }
      path.pop_back();
      if (!path.empty()) low[path.back().vertex] = std::min(low[path.back().vertex], low[v]);
    }
  }
  return component;
}

class LoopCheck {
 public:
  LoopCheck(const Definition& definition, Reporter& reporter)
      : definition_(definition), reporter_(reporter), edges_(LoopGraph(definition).build()) {}

  void run() {
    std::vector<std::uint32_t> all(edges_.size());
    for (std::uint32_t e = 0; e < all.size(); ++e) all[e] = e;
    std::vector<std::vector<std::uint32_t>> work{std::move(all)};
    while (!work.empty()) {
      const std::vector<std::uint32_t> live = std::move(work.back());
      work.pop_back();
      for (std::vector<std::uint32_t>& cycle : cycles(live)) {
        std::vector<std::uint32_t> rest = without_bounded(cycle);
        if (rest.size() == cycle.size())
          report(cycle);
        else if (!rest.empty())
          work.push_back(std::move(rest));
      }
    }
  }

 private:
  // The edges within each strongly connected component.
  std::vector<std::vector<std::uint32_t>> cycles(const std::vector<std::uint32_t>& live) const {
    const Numbering number(edges_, live);
    const std::vector<std::uint32_t> component = components(number, edges_, live);
    std::map<std::uint32_t, std::vector<std::uint32_t>> by_component;
    for (const std::uint32_t e : live)
      if (const std::uint32_t c = component[number.of(edges_[e].from)];
          c == component[number.of(edges_[e].to)])
        by_component[c].push_back(e);
    std::vector<std::vector<std::uint32_t>> result;
    for (auto& [c, edges] : by_component) result.push_back(std::move(edges));
    return result;
  }

  std::vector<std::uint32_t> without_bounded(const std::vector<std::uint32_t>& cycle) const {
    std::set<StateIndex> entered;
    for (const std::uint32_t e : cycle)
      entered.insert(edges_[e].entered.begin(), edges_[e].entered.end());
    const auto bounded = [&](std::uint32_t e) {
      return std::any_of(edges_[e].entered.begin(), edges_[e].entered.end(), [&](StateIndex s) {
        return definition_.states[s.value].budget && edges_[e].beyond != s &&
               !entered.contains(definition_.chart.state(s).parent);
      });
    };
    std::vector<std::uint32_t> rest;
    std::copy_if(cycle.begin(), cycle.end(), std::back_inserter(rest),
                 [&](std::uint32_t e) { return !bounded(e); });
    return rest;
  }

  void report(const std::vector<std::uint32_t>& cycle) {
    std::set<StateIndex> states;
    for (const std::uint32_t e : cycle) {
      const StateIndex s = LoopGraph::state_of(edges_[e].from);
      const Role role = LoopGraph::role_of(edges_[e].from);
      if ((role == here || role == spent) && definition_.chart.is_atomic(s)) states.insert(s);
    }
    // A cycle of entries alone does not exist: to enter, something was active.
    if (states.empty()) return;
    constexpr std::size_t shown_max = 6;
    std::string names;
    std::size_t shown = 0;
    bool has_budget = false;
    for (const StateIndex s : states) {
      has_budget = has_budget || definition_.states[s.value].budget.has_value();
      if (shown++ < shown_max)
        names += (names.empty() ? "'" : ", '") + definition_.chart.state(s).id + "'";
    }
    if (shown > shown_max) names += " and " + std::to_string(shown - shown_max) + " more";
    const std::string advice =
        has_budget ? "; a budget counts entries since the parent was entered, and an 'exhausted' "
                     "that leads back does not end the loop"
                   : "; give one of them 'budget: N' and 'exhausted: TARGET'";
    reporter_.error(definition_.states[states.begin()->value].place, "loop-without-budget",
                    (states.size() == 1 ? "state " + names + " can follow itself without end"
                                        : "the states " + names + " can repeat without end") +
                        advice);
  }

  const Definition& definition_;
  Reporter& reporter_;
  std::vector<Edge> edges_;
};

}  // namespace

void check_loops(const Definition& definition, Reporter& reporter) {
  LoopCheck(definition, reporter).run();
}

}  // namespace checkride::loader
