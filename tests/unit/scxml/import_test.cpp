// Charts of other tools as definitions.
#include <catch2/catch.hpp>

#include "workflows/loader/load.h"
#include "workflows/scxml/condition.h"
#include "workflows/scxml/scxml.h"

namespace checkride {
namespace {

ScxmlImport import_good(const std::string& inside, const std::string& attributes = {}) {
  const auto imported =
      import_scxml("<scxml xmlns='http://www.w3.org/2005/07/scxml' version='1.0' " + attributes +
                       ">\n" + inside + "\n</scxml>",
                   "chart");
  REQUIRE(imported.has_value());
  return *imported;
}

std::string errors_of(const ScxmlImport& imported) {
  std::string text;
  for (const ScxmlRemark& remark : imported.remarks) {
    if (remark.severity == ScxmlRemark::Severity::error)
      text += std::to_string(remark.place.line) + ": " + remark.message + "\n";
  }
  return text;
}

std::shared_ptr<const Definition> load(const ScxmlImport& imported) {
  const LoadResult result = load_definition(imported.yaml, "chart.yaml", {});
  std::string found;
  for (const LoadDiagnostic& diagnostic : result.diagnostics)
    if (diagnostic.severity == LoadDiagnostic::Severity::error)
      found += to_string(diagnostic) + "\n";
  INFO(imported.yaml << found);
  REQUIRE(result.definition != nullptr);
  return result.definition;
}

TEST_CASE("a chart with variables, timers and history becomes a definition", "[scxml]") {
  const ScxmlImport imported = import_good(R"xml(
  <datamodel><data id="tries" expr="0"/><data id="who"/></datamodel>
  <state id="idle">
    <onentry><send event="timeout" delay="1.5s" id="t"/><log expr="'hello'"/></onentry>
    <onexit><cancel sendid="t"/></onexit>
    <transition event="timeout" cond="tries &lt; 3 &amp;&amp; !In('work.a')" target="work">
      <assign location="tries" expr="tries + 1"/>
    </transition>
    <transition event="timeout error" target="end"/>
  </state>
  <parallel id="work">
    <transition event="done.state.work" target="end"/>
    <transition event="stop." target="end"/>
    <state id="left" initial="work.a">
      <history id="h" type="deep"><transition target="work.a"/></history>
      <state id="work.a"><transition target="work.b"/></state>
      <final id="work.b"/>
    </state>
    <state><final/></state>
  </parallel>
  <final id="end"/>)xml",
                                           "name='my chart' datamodel='ecmascript' initial='idle'");
  CHECK(errors_of(imported).empty());
  CHECK(imported.complete());
  const auto definition = load(imported);
  CHECK(definition->name == "my_chart");
  CHECK_FALSE(definition->park_on_error);
  const statechart::Chart& chart = definition->chart;
  CHECK(chart.find("work_a").has_value());
  CHECK(chart.state(*chart.find("h")).kind == statechart::StateKind::history_deep);
  CHECK(definition->conditions.at(0).source() == R"(data.tries < 3 && !In("work_a"))");
  // What changed or is missing is said in the file, too.
  CHECK_THAT(imported.yaml, Catch::Matchers::Contains("'work.a' is called 'work_a'") &&
                                Catch::Matchers::Contains("'log' is left out"));
}

TEST_CASE("transitions keep their order though definitions group them by event", "[scxml]") {
  const auto definition = load(import_good(R"xml(
  <state id="a">
    <transition event="x" cond="In('b')" target="b"/>
    <transition event="*" cond="In('a')" target="c"/>
    <transition event="x" target="b"/>
    <transition event="send.me" target="c"/>
  </state>
  <state id="b"><onentry><raise event="x"/></onentry><transition event="x" target="c"/></state>
  <final id="c"/>)xml"));
  std::vector<std::string> order;
  for (const auto t : definition->chart.state(*definition->chart.find("a")).transitions)
    order.push_back(definition->chart.transition(t).events.front());
  CHECK(order == std::vector<std::string>{"x", "*", "x", "send.me"});
}

TEST_CASE("what has no counterpart is listed with its place and never guessed", "[scxml]") {
  struct Row {
    const char* inside;
    const char* expected;
  };
  const auto row = GENERATE(values<Row>({
      {"<state id='a'><transition event='e' cond='f(1)' target='a'/></state>", "'f'"},
      {"<datamodel><data id='x'/></datamodel><state id='a'><transition event='e' "
       "cond='x ? 1 : 2' target='a'/></state>",
       "'?'"},
      {"<state id='a'><invoke type='scxml'/></state>", "'invoke' is left out"},
      {"<state id='a'><onentry><script>x()</script></onentry></state>", "'script' is left out"},
      {"<state id='a'><onentry><send event='e' target='http://x'/></onentry></state>",
       "another session"},
      {"<state id='a'><onentry><send eventexpr='e'/></onentry></state>", "no fixed name"},
      {"<state id='a'><onentry><send event='e' delay='soon'/></onentry></state>", "'soon'"},
      {"<state id='a'><onentry><assign location='y' expr='1'/></onentry></state>", "'y'"},
      {"<state id='a'><transition event='e' target='nowhere'/></state>", "'nowhere'"},
      {"<state id='a'/><state id='a'/>", "'a'"},
      {"<state id='a'><initial><transition target='b'><raise event='e'/></transition></initial>"
       "<state id='b'/></state>",
       "initial transition"},
      {"<datamodel><data id='x' expr='f()'/></datamodel><state id='a'/>", "no literal"},
  }));
  const ScxmlImport imported = import_good(row.inside, "datamodel='ecmascript'");
  CHECK_FALSE(imported.complete());
  CHECK_THAT(errors_of(imported),
             Catch::Matchers::StartsWith("2: ") && Catch::Matchers::Contains(row.expected));
  CHECK_THAT(imported.yaml, Catch::Matchers::Contains("# 2:"));
}

TEST_CASE("a condition without translation makes lint refuse the definition", "[scxml]") {
  const ScxmlImport imported = import_good(
      "<state id='a'><transition event='e' cond='window.ok' target='b'/></state><final id='b'/>",
      "datamodel='ecmascript'");
  CHECK(load_definition(imported.yaml, "chart.yaml", {}).definition == nullptr);
}

TEST_CASE("simple ECMAScript is CEL, the rest is refused", "[scxml]") {
  scxml::Names names;
  names.data = {"x", "list"};
  names.states = {{"s.1", "s_1"}};
  const auto cel = [&](const char* source) {
    const auto translated = scxml::to_cel(source, names);
    return translated ? *translated : "refused: " + translated.error().message;
  };
  CHECK(cel("x === 1 && x !== 'a\\'b'") == R"(data.x == 1 && data.x != "a'b")");
  CHECK(cel("!(In('s.1') || x.y>=2.5)") == R"(!(In("s_1") || data.x.y >= 2.5))");
  CHECK(cel("_event.data.ok == true") == "event.data.ok == true");
  CHECK(cel("_event.name === \"go\"") == R"(event.name == "go")");
  for (const char* source : {"y", "x.f()", "x = 1", "x++", "x / 2", "x % 2", "In(x)", "In('z')",
                             "[1]", "x ? 1 : 2", "typeof x", "'open", "", "Math.PI", "x => 1"}) {
    INFO(source);
    CHECK_THAT(cel(source), Catch::Matchers::StartsWith("refused: "));
  }
}

}  // namespace
}  // namespace checkride
