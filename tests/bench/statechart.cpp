// Macrosteps in memory, on one core: how fast the interpreter moves a chart from one stable
// configuration to the next when guards and content cost nothing. Targets: at
// least 3,000,000/s on the flat chart and 1,500,000/s on the nested one; XState 5 does 306,000 and
// 148,000 with charts of these shapes.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "engine/base/assert.h"
#include "engine/statechart/interpreter.h"

namespace checkride::statechart {
namespace {

// A host whose guards hold and whose content counts.
class CountingHost final : public Host {
 public:
  Verdict evaluate(TransitionIndex, ConditionIndex, const ChartEvent*,
                   const Interpreter&) override {
    ++guards;
    return {true, HostError::none, {}};
  }
  Outcome execute(ContentIndex, const ChartEvent*, Interpreter&) override {
    ++contents;
    return {};
  }
  void on_microstep(const Microstep& step) override {
    exits += step.exited.size();
    entries += step.entered.size();
  }
  std::uint64_t guards = 0;
  std::uint64_t contents = 0;
  std::uint64_t exits = 0;
  std::uint64_t entries = 0;
};

class Builder {
 public:
  Builder() { chart.states.emplace_back(); }
  StateIndex add(StateIndex parent, const std::string& id, StateKind kind = StateKind::state) {
    const StateIndex s(static_cast<std::uint32_t>(chart.states.size()));
    chart.states[parent.value].children.push_back(s);
    StateNode node;
    node.id = id;
    node.kind = kind;
    node.parent = parent;
    node.onentry = {ContentIndex(contents_++)};
    chart.states.push_back(std::move(node));
    return s;
  }
  void on(StateIndex source, const std::string& event, std::vector<StateIndex> targets,
          bool guarded = false) {
    Transition t;
    t.source = source;
    t.events = {event};
    t.targets = std::move(targets);
    if (guarded) t.cond = ConditionIndex(0);
    chart.states[source.value].transitions.push_back(
        TransitionIndex(static_cast<std::uint32_t>(chart.transitions.size())));
    chart.transitions.push_back(std::move(t));
  }
  Chart chart;

 private:
  std::uint32_t contents_ = 0;
};

// Ten states in a ring; each also listens to other events, and the root to "reset".
Chart flat_chart() {
  Builder b;
  std::vector<StateIndex> ring;
  for (int i = 0; i < 10; ++i) ring.push_back(b.add(root_state, "s" + std::to_string(i)));
  for (std::size_t i = 0; i < ring.size(); ++i) {
    b.on(ring[i], "error", {ring[0]});
    b.on(ring[i], "skip.*", {ring[(i + 2) % ring.size()]});
    b.on(ring[i], "next", {ring[(i + 1) % ring.size()]}, true);
  }
  b.on(root_state, "reset", {ring[0]});
  const auto valid = b.chart.validate();
  CR_ASSERT(valid.has_value(), valid ? std::string() : valid.error().text());
  return std::move(b.chart);
}

// work (compound) > busy (parallel) > three regions, each a compound of two phases of two steps;
// "tick" moves every region by one step, each second time from one phase to the next.
Chart nested_chart() {
  Builder b;
  const StateIndex work = b.add(root_state, "work");
  const StateIndex busy = b.add(work, "busy", StateKind::parallel);
  for (const std::string name : {"a", "b", "c"}) {
    const StateIndex region = b.add(busy, name);
    std::vector<StateIndex> steps;
    for (int phase = 0; phase < 2; ++phase) {
      const StateIndex p = b.add(region, name + std::to_string(phase));
      for (int step = 0; step < 2; ++step) {
        steps.push_back(b.add(p, name + std::to_string(phase) + std::to_string(step)));
      }
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      b.on(steps[i], "tick", {steps[(i + 1) % steps.size()]}, i == 0);
    }
    b.on(region, "restart." + name, {region});
  }
  const StateIndex out = b.add(root_state, "out");
  b.on(work, "leave", {out});
  b.on(out, "enter", {work});
  const auto valid = b.chart.validate();
  CR_ASSERT(valid.has_value(), valid ? std::string() : valid.error().text());
  return std::move(b.chart);
}

void run(benchmark::State& bench, const Chart& chart, const std::vector<std::string>& names) {
  CountingHost host;
  ChartState state;
  Interpreter interpreter(chart, state, host);
  CR_ASSERT(interpreter.start() == MacrostepEnd::stable);
  std::vector<ChartEvent> events;
  for (const std::string& name : names) events.push_back({name, ChartEvent::Type::external, {}});
  const std::uint64_t entries_before = host.entries;
  std::size_t next = 0;
  for (auto _ : bench) {
    const MacrostepEnd end = interpreter.dispatch(events[next]);
    CR_ASSERT(end == MacrostepEnd::stable);
    if (++next == events.size()) next = 0;
  }
  const auto count = static_cast<std::uint64_t>(bench.iterations());
  CR_ASSERT(host.entries - entries_before >= count);  // every one moved something
  bench.SetItemsProcessed(static_cast<std::int64_t>(bench.iterations()));
  bench.counters["states entered each"] =
      static_cast<double>(host.entries - entries_before) / static_cast<double>(count);
}

void flat(benchmark::State& bench) {
  run(bench, flat_chart(), {"next"});
}
BENCHMARK(flat);

// Three regions move in every macrostep.
void nested_parallel(benchmark::State& bench) {
  run(bench, nested_chart(), {"tick"});
}
BENCHMARK(nested_parallel);

// The whole of the nested chart is left and entered again.
void nested_leave_and_enter(benchmark::State& bench) {
  run(bench, nested_chart(), {"leave", "enter"});
}
BENCHMARK(nested_leave_and_enter);

}  // namespace
}  // namespace checkride::statechart

BENCHMARK_MAIN();
