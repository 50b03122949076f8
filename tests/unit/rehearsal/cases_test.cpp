// What is said about a document of cases that is wrong: where, what, and what was probably meant.
#include <catch2/catch.hpp>

#include "tests/unit/rehearsal/stage.h"

namespace checkride::test {
namespace {

using Catch::Contains;

TEST_CASE("unknown states, params and keys are named with place and suggestion", "[rehearsal]") {
  CHECK(mistakes("outcomes: {biuld: {result: {ok: true, count: 1}}}") ==
        "cases.yaml:2:12: error: there is no state 'biuld' in stage; did you mean 'build'? "
        "[unknown-state]\n");
  CHECK_THAT(mistakes("outcomes:\n  parts: {outcomes: {wrok: wait}}"),
             Contains("cases.yaml:3:22: error: there is no state 'wrok' in stage/part; did you "
                      "mean 'work'?"));
  CHECK_THAT(mistakes("params: {itmes: []}"),
             Contains("2:10: error: stage has no parameter 'itmes'; did you mean 'items'?"));
  CHECK_THAT(mistakes("outcome: {}"), Contains("did you mean 'outcomes'?"));
  CHECK_THAT(mistakes("expect: {visits: [build, prats]}"), Contains("did you mean 'parts'?"));
  CHECK_THAT(mistakes("expect: {data: {sen: 1}}"), Contains("did you mean 'seen'?"));
  CHECK_THAT(mistakes("cancel: {in: bulid}"), Contains("did you mean 'build'?"));
}

TEST_CASE("results are checked against the kind's type, field by field", "[rehearsal]") {
  const std::string all = mistakes(
      "outcomes:\n"
      "  build:\n"
      "    result:\n"
      "      okay: true\n"
      "      count: many\n"
      "      files: [a, 7]\n");
  CHECK_THAT(all, Contains("cases.yaml:5:7: error: the result of 'build' has no field 'okay'"));
  CHECK_THAT(all, Contains("cases.yaml:6:14: error: the result of 'build'.count: "));
  CHECK_THAT(all, Contains("cases.yaml:7:18: error: the result of 'build'.files[1]: "));
  CHECK_THAT(all, Contains("cases.yaml:5:7: error: the result of 'build' lacks ok (bool)"));
  CHECK(mistakes("outcomes: {build: {result: {ok: true, count: 1}}}") == "");  // files is optional
}

TEST_CASE("an outcome is one thing, of a job that there is", "[rehearsal]") {
  CHECK_THAT(mistakes("outcomes: {build: {result: {ok: true, count: 1}, error: {class: code}}}"),
             Contains("is one of result, but, error, unknown"));
  CHECK_THAT(mistakes("outcomes: {good: {result: {}}}"), Contains("state 'good' of stage invokes"));
  CHECK_THAT(mistakes("undo: {ask: {result: {}}}"), Contains("has no undo"));
  CHECK_THAT(mistakes("probes: {rest: {result: {}}}"), Contains("has no probe"));
  CHECK_THAT(mistakes("outcomes: {build: {error: {class: oops}}}"), Contains("failure class"));
  CHECK_THAT(mistakes("outcomes: {build: {but: {ok: false}}}"), Contains("`usual` has none"));
  CHECK_THAT(mistakes("outcomes: {build: usual}"), Contains("has no outcome for state 'build'"));
  CHECK_THAT(mistakes("outcomes: {parts: wait}"), Contains("its children wait"));
  CHECK_THAT(mistakes("outcomes: {build: []}"), Contains("the list of outcomes is empty"));
  CHECK_THAT(mistakes("outcomes: {rest: {result: {ok: true, count: 1}, takes: soon}}"),
             Contains("`takes` must be a duration"));
}

TEST_CASE("an answer is one that the gate takes, from one who may give it", "[rehearsal]") {
  CHECK_THAT(mistakes("outcomes: {ask: {choose: agian, why: x}}"),
             Contains("'agian' is no answer to this gate; it takes approve, reject, waive, again; "
                      "did you mean 'again'?"));
  CHECK_THAT(mistakes("outcomes: {ask: reject}"), Contains("needs a reason"));
  CHECK_THAT(mistakes("outcomes: {ask: {approve: x, by: eve}}"),
             Contains("eve may not answer this gate; it is for ada, bob"));
  CHECK_THAT(mistakes("outcomes: {ask: {approve: x, waive: y}}"), Contains("one answer at a time"));
}

TEST_CASE("the document says what it is and for which workflow", "[rehearsal]") {
  const auto definition = load_stage();
  const auto read = rehearsal::read_cases("cases: []\n", "c.yaml", *definition);
  CHECK(read.file == nullptr);
  CHECK_THAT(to_string(read.diagnostics.front()), Contains("starts with 'rehearsal: 1'"));
  CHECK_THAT(mistakes("workflow: other"), Contains("these cases are for 'other', not for 'stage'"));
  CHECK_THAT(mistakes("cases: []"), Contains("`cases` must be a list"));
  CHECK_THAT(mistakes("cases: [{name: a}, {name: a}]"), Contains("'a' stands above already"));
  CHECK_THAT(mistakes("cases: [{params: {}}]"), Contains("the case has no name"));
  CHECK_THAT(mistakes("expect: {outcome: great}"), Contains("not 'great'"));
  CHECK_THAT(mistakes("expect: {verdicts: {ask: passed}}"), Contains("has no title"));
  CHECK_THAT(mistakes("expect: {children: {build: {}}}"), Contains("invokes no machine"));
  CHECK_THAT(mistakes("incidents: [{retry: }]"), Contains("in one way, with a reason"));
}

TEST_CASE("an empty outcome is spelled out for a person to fill in", "[rehearsal]") {
  const auto definition = load_stage();
  const auto invoke = [&](const char* state) {
    return *definition->states[definition->chart.find(state)->value].invoke;
  };
  CHECK(rehearsal::outcome_skeleton(invoke("build")) == "{result: {ok: false, count: 0}}");
  CHECK(rehearsal::outcome_skeleton(invoke("ask")) == "{approve: WHY}");
}

}  // namespace
}  // namespace checkride::test
