// What guards cost: the bare evaluation, the evaluation that records its facts, and the one that
// records a trace, for the guard that the design sets its limits by (200 ns bare, 100 ns more with
// its facts). Run it with --benchmark_repetitions=9 and read the least CPU time: on a shared machine the
// rest is other people's work.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

#include "engine/cel/program.h"

namespace checkride::cel {
namespace {

constexpr std::string_view typical =
    "result.exit_code == 0 && result.metrics.ratio < 1.03 && size(result.conflicts) == 0";
constexpr std::string_view result_text =
    R"({"exit_code": 0, "log": "build.log", "metrics": {"count": 12, "ratio": 1.01},
        "conflicts": []})";

template <class T, class E>
T required(tl::expected<T, E> value, std::string_view what) {
  if (!value) {
    std::fprintf(stderr, "bench_cel: %.*s is not valid\n", static_cast<int>(what.size()),
                 what.data());
    std::exit(2);
  }
  return *std::move(value);
}

Environment environment() {
  const Type result =
      required(parse_type("{exit_code: int, log: string, metrics: {count: int, ratio: double}, "
                          "conflicts: list<string>}"),
               "the type");
  return Environment().variable("result", result).variable("limit", Type::integer());
}

// The decider's activation answers a handful of names as well.
VariableActivation activation() {
  VariableActivation values;
  values.set("params", Value(Map()));
  values.set("result", required(from_json(result_text), result_text));
  values.set("limit", Value(3));
  return values;
}

void evaluate(benchmark::State& state, std::string_view source) {
  const Program program = required(Program::compile(source, environment()), source);
  const VariableActivation values = activation();
  for (auto _ : state) {
    const EvalResult result = program.evaluate(values);
    benchmark::DoNotOptimize(result);
  }
}

void bare(benchmark::State& state) {
  evaluate(state, typical);
}
BENCHMARK(bare);

// One vector a guard, as the decider has it.
void with_facts(benchmark::State& state) {
  const Program program = required(Program::compile(typical, environment()), typical);
  const VariableActivation values = activation();
  for (auto _ : state) {
    std::vector<Fact> facts;
    EvalOptions options;
    options.facts = &facts;
    const EvalResult result = program.evaluate(values, options);
    benchmark::DoNotOptimize(result);
    benchmark::DoNotOptimize(facts.data());
  }
}
BENCHMARK(with_facts);

void with_trace(benchmark::State& state) {
  const Program program = required(Program::compile(typical, environment()), typical);
  const VariableActivation values = activation();
  for (auto _ : state) {
    TraceNode trace;
    EvalOptions options;
    options.trace = &trace;
    const EvalResult result = program.evaluate(values, options);
    benchmark::DoNotOptimize(result);
    benchmark::DoNotOptimize(trace.children.data());
  }
}
BENCHMARK(with_trace);

void one_comparison(benchmark::State& state) {
  evaluate(state, "result.exit_code == 0");
}
BENCHMARK(one_comparison);

void arithmetic(benchmark::State& state) {
  evaluate(state, "(limit + 2) * 3 - limit % 2 > limit");
}
BENCHMARK(arithmetic);

void quantifier_over_100(benchmark::State& state) {
  std::string list = "[0";
  for (int i = 1; i < 100; ++i) list += ", " + std::to_string(i);
  evaluate(state, list + "].all(x, x < 1000)");
}
BENCHMARK(quantifier_over_100);

void compile_typical(benchmark::State& state) {
  const Environment names = environment();
  for (auto _ : state) {
    const auto program = Program::compile(typical, names);
    benchmark::DoNotOptimize(program);
  }
}
BENCHMARK(compile_typical);

}  // namespace
}  // namespace checkride::cel

BENCHMARK_MAIN();
