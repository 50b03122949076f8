// Loading takes time in proportion to the document, whatever its shape: four times the document may
// take nine times as long, where anything quadratic takes sixteen. Processor time, the least of
// three, so that a busy machine does not matter.
#include <time.h>

#include <algorithm>
#include <functional>

#include "tests/unit/loader/sample.h"

namespace checkride::test {
namespace {

constexpr double growth_max = 9.0;
constexpr double seconds_min = 0.002;  // below this the clock says nothing

double processor_seconds() {
  timespec now{};
  REQUIRE(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_to_load(const std::string& text) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double before = processor_seconds();
    const LoadResult result = load_definition(text, "t.yaml", options());
    least = std::min(least, processor_seconds() - before);
    REQUIRE_FALSE(result.diagnostics.size() > diagnostics_max + 1);
  }
  return std::max(least, seconds_min);
}

struct Shape {
  const char* name;
  std::string head;
  std::function<std::string(int)> unit;
  std::function<std::string(int)> tail;
  int count;
};

std::string number(int i) {
  return std::to_string(i);
}

std::string document(const Shape& shape, int count) {
  std::string text = "checkride: 1\nworkflow: big\n" + shape.head;
  for (int i = 0; i < count; ++i) text += shape.unit(i);
  return text + shape.tail(count);
}

const std::string job = "invoke: {job: git.status, with: {repo: /x}}";
const std::string parallel_head =
    "data: {n: {type: int, default: 0}}\nstates:\n  p:\n    type: parallel\n    on: {done: good}\n"
    "    states:\n";

std::vector<Shape> shapes() {
  const auto good = [](int) { return std::string("  good: {type: final}\n"); };
  const auto last = [](int n) { return "  s" + number(n) + ": {type: final}\n"; };
  return {
      {"regions", parallel_head,
       [](int i) {
         const std::string n = number(i);
         return "      r" + n + ":\n        states:\n          a" + n + ": {on: {go: b" + n +
                "}}\n          b" + n + ": {type: final}\n";
       },
       [](int) { return std::string("    entry: [{raise: go}]\n  good: {type: final}\n"); }, 600},
      {"regions that read each other's results", parallel_head,
       [](int i) {
         const std::string n = number(i);
         return "      r" + n + ":\n        states:\n          a" + n + ": {" + job +
                ", on: {done: {target: b" + n + ", actions: [{assign: {n: size(jobs.a" +
                number(std::max(0, i - 1)) + ".entries)}}]}, error: b" + n + "}}\n          b" + n +
                ": {type: final}\n";
       },
       good, 100},
      {"a chain of jobs", "states:\n",
       [](int i) {
         return "  s" + number(i) + ": {" + job + ", on: {done: [{guard: size(result.entries) > 0" +
                ", target: s" + number(i + 1) + "}, s" + number(i + 1) + "], error: s" +
                number(i + 1) + "}}\n";
       },
       last, 600},
      {"loops with budgets", "states:\n",
       [](int i) {
         const std::string n = number(i);
         const std::string next = number(i + 1);
         return "  s" + n + ": {budget: 3, exhausted: s" + next + ", " + job + ", on: {done: t" +
                n + ", error: s" + next + "}}\n  t" + n + ": {" + job + ", on: {done: s" + n +
                ", error: s" + next + "}}\n";
       },
       last, 400},
      {"ways back into a history state", "states:\n  good: {type: final}\n  bad: {type: final}\n",
       [](int i) {
         const std::string n = number(i);
         return "  d" + n + ": {" + job + ", on: {done: h, error: bad}}\n";
       },
       [](int n) {
         std::string text =
             "  work:\n    budget: 3\n    exhausted: bad\n    on: {done: good}\n    states:\n";
         for (int i = 0; i < n; ++i)
           text += "      b" + number(i) + ": {budget: 3, exhausted: e, " + job + ", on: {done: b" +
                   number(i + 1) + ", error: d" + number(i) + "}}\n";
         return text + "      b" + number(n) + ": {type: final}\n      e: {type: final}\n" +
                "      h: {type: history, target: b0}\n";
       },
       250},
      {"events raised and heard", "states:\n",
       [](int i) {
         const std::string n = number(i);
         return "  s" + n + ": {entry: [{raise: e" + n + "}], on: {e" + n + ": s" + number(i + 1) +
                "}}\n";
       },
       last, 1000},
      {"a chain against the order of the document",
       "entry: [{raise: go}]\nstates:\n  s0: {type: final}\n",
       [](int i) { return "  s" + number(i + 1) + ": {on: {go: s" + number(i) + "}}\n"; },
       [](int n) { return "initial: s" + number(n) + "\n"; }, 1500},
      {"messages", "messages:\n", [](int i) { return "  m" + number(i) + ": {type: int}\n"; },
       [](int n) {
         std::string text = "states:\n  a:\n    on:\n";
         for (int i = 0; i < n; ++i)
           text += "      message.m" + number(i) + ": {target: b, guard: event.data > 0}\n";
         return text + "  b: {type: final}\n";
       },
       1000},
      {"mistakes in guards", "data:\n",
       [](int i) { return "  d" + number(i) + ": {type: int, default: 0}\n"; },
       [](int n) {
         std::string text = "states:\n  a:\n    always:\n";
         for (int i = 0; i < n; ++i)
           text += "      - {guard: data.e" + number(i) + " == 1, target: b}\n";
         return text + "      - b\n  b: {type: final}\n";
       },
       1200},
  };
}

TEST_CASE("four times the document does not take much longer than four times", "[loader][growth]") {
  for (const Shape& shape : shapes()) {
    const std::string small = document(shape, shape.count);
    const std::string large = document(shape, 4 * shape.count);
    REQUIRE(large.size() <= document_bytes_max);
    // Caches that others fill can make one comparison wrong, hardly four; what is quadratic stays
    // so.
    double growth = seconds_to_load(large) / seconds_to_load(small);
    for (int again = 0; again < 3 && growth >= growth_max; ++again)
      growth = std::min(growth, seconds_to_load(large) / seconds_to_load(small));
    INFO(shape.name << ": growth " << growth);
    CHECK(growth < growth_max);
  }
}

TEST_CASE("machines are bounded in number and depth", "[loader][growth]") {
  const auto machines = [](int count, bool nested) {
    std::string text = "checkride: 1\nworkflow: big\nstates:\n";
    for (int i = 0; i < (nested ? 1 : count); ++i)
      text += "  s" + number(i) + ": {invoke: {machine: m" + number(i) + "}, on: {done: s" +
              number(i + 1) + ", error: s" + number(i + 1) + "}}\n";
    text += "  s" + number(nested ? 1 : count) + ": {type: final}\nmachines:\n";
    for (int i = 0; i < count; ++i)
      text += nested && i + 1 < count
                  ? "  m" + number(i) + ": {states: {a: {invoke: {machine: m" + number(i + 1) +
                        "}, on: {done: f, error: f}}, f: {type: final}}}\n"
                  : "  m" + number(i) + ": {states: {f: {type: final}}}\n";
    return text;
  };
  CHECK(load(machines(100, false)).definition != nullptr);
  CHECK_THAT(findings(load(machines(101, false))),
             Catch::Contains("a document has at most 100 machines"));
  CHECK(load(machines(32, true)).definition != nullptr);
  CHECK_THAT(findings(load(machines(33, true))),
             Catch::Contains("machines invoke each other deeper than 32 at 'm32'"));
}

TEST_CASE("a gate has a bounded number of options", "[loader][growth]") {
  std::string options = "o0";
  for (int i = 1; i <= 100; ++i) options += ", o" + number(i);
  CHECK_THAT(findings(load(with_states("  a: {invoke: {job: gate, with: {question: q}, options: [" +
                                       options + "]}, on: {answer: end}}\n"))),
             Catch::Contains("a gate has at most 100 options"));
}

}  // namespace
}  // namespace checkride::test
