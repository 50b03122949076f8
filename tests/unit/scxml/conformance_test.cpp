// The structure cases of the conformance suite, out to SCXML, in as a definition, out and in again:
// the chart behaves as the case says. The suite is no part of the source; without it there is
// nothing to compare.
#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "engine/base/files.h"
#include "engine/statechart/interpreter.h"
#include "workflows/loader/reader.h"
#include "workflows/scxml/scxml.h"
#include "workflows/scxml/text.h"

namespace checkride {
namespace {

namespace json = boost::json;
using scxml::xml_escape;

std::string text(const json::value& value) {
  return std::string(value.as_string().data(), value.as_string().size());
}
std::string joined(const json::value& list) {
  std::string result;
  for (const json::value& item : list.as_array())
    result += (result.empty() ? "" : " ") + text(item);
  return result;
}
std::string attribute(const std::string& name, const std::string& value) {
  return " " + name + "=\"" + xml_escape(value) + "\"";
}

// The suite's JSON as the SCXML it was made from.
class Writer {
 public:
  std::string write(const json::object& machine) {
    out_ = "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" version=\"1.0\" datamodel=\"cel\">\n";
    inside(machine);
    return out_ + "</scxml>\n";
  }

 private:
  void inside(const json::object& object) {
    if (const auto* initial = object.if_contains("initial")) {
      out_ += "<initial>";
      transition(initial->as_object());
      out_ += "</initial>\n";
    }
    for (const char* key : {"onentry", "onexit"}) {
      const auto* blocks = object.if_contains(key);
      if (blocks == nullptr) continue;
      for (const json::value& block : blocks->as_array()) {
        out_ += "<" + std::string(key) + ">";
        actions(block.as_array());
        out_ += "</" + std::string(key) + ">\n";
      }
    }
    if (const auto* list = object.if_contains("transitions"))
      for (const json::value& t : list->as_array()) transition(t.as_object());
    if (const auto* list = object.if_contains("states"))
      for (const json::value& s : list->as_array()) state(s.as_object());
  }
  void state(const json::object& object) {
    const auto* kind = object.if_contains("kind");
    const std::string name = kind == nullptr ? "state" : text(*kind);
    out_ += "<" + name + attribute("id", text(object.at("id")));
    if (const auto* deep = object.if_contains("deep"); deep != nullptr && deep->as_bool())
      out_ += attribute("type", "deep");
    out_ += ">\n";
    if (const auto* fallback = object.if_contains("default")) transition(fallback->as_object());
    inside(object);
    out_ += "</" + name + ">\n";
  }
  void transition(const json::object& object) {
    out_ += "<transition";
    for (const char* key : {"event", "target"})
      if (const auto* list = object.if_contains(key); list != nullptr && !list->as_array().empty())
        out_ += attribute(key, joined(*list));
    for (const char* key : {"cond", "type"})
      if (const auto* value = object.if_contains(key)) out_ += attribute(key, text(*value));
    out_ += ">";
    if (const auto* list = object.if_contains("actions")) actions(list->as_array());
    out_ += "</transition>\n";
  }
  void actions(const json::array& list) {
    for (const json::value& action : list) {
      if (const auto* raise = action.as_object().if_contains("raise"))
        out_ += "<raise" + attribute("event", text(*raise)) + "/>";
      else
        out_ += "<send" + attribute("event", text(action.at("send"))) +
                attribute("delay", std::to_string(action.at("delay").as_int64()) + "ms") + "/>";
    }
  }

  std::string out_;
};

class NoSurroundings final : public loader::Surroundings {
 public:
  const JobSignature* find_kind(std::string_view) const override { return nullptr; }
  std::vector<std::string> kind_names() const override { return {}; }
  std::shared_ptr<const Definition> machine(const std::string&, Place) override { return nullptr; }
};

// Read but not linted: most cases have states that nothing leaves.
std::shared_ptr<const Definition> read(const std::string& yaml) {
  loader::Diagnostics diagnostics;
  loader::Reporter reporter(diagnostics, "case.yaml");
  const auto root = loader::read_yaml(yaml, reporter);
  REQUIRE(root);
  NoSurroundings surroundings;
  loader::DefinitionReader reader(surroundings, reporter, yaml, false);
  auto definition = reader.read(*root, "case");
  INFO(yaml);
  for (const LoadDiagnostic& found : diagnostics.sorted())
    if (found.severity == LoadDiagnostic::Severity::error) FAIL(to_string(found));
  REQUIRE(definition != nullptr);
  return definition;
}

// Runs a definition whose content is nothing but raise and whose guards are nothing but In().
// Delayed sends are watchdogs here: no time passes.
class Runner final : public statechart::Host, private cel::Activation {
 public:
  explicit Runner(const Definition& definition)
      : definition_(definition), interpreter_(definition.chart, state_, *this) {}
  void start() { interpreter_.start(); }
  void send(const std::string& event) {
    interpreter_.dispatch({event, statechart::ChartEvent::Type::external, {}});
  }
  std::vector<std::string> leaves() const {
    std::vector<std::string> ids;
    for (const auto s : state_.configuration)
      if (definition_.chart.is_atomic(s)) ids.push_back(definition_.chart.state(s).id);
    std::sort(ids.begin(), ids.end());
    return ids;
  }

 private:
  Verdict evaluate(statechart::TransitionIndex, statechart::ConditionIndex cond,
                   const statechart::ChartEvent*, const statechart::Interpreter&) override {
    const auto value = definition_.conditions[cond.value].evaluate(*this);
    REQUIRE(value);
    return {value->as_bool(), statechart::HostError::none, {}};
  }
  Outcome execute(statechart::ContentIndex content, const statechart::ChartEvent*,
                  statechart::Interpreter& interpreter) override {
    for (const Action& action : definition_.contents[content.value]) {
      if (const auto* send = std::get_if<SendAction>(&action.node)) {
        REQUIRE(send->delay > Duration(0));
        continue;
      }
      interpreter.raise(
          {std::get<RaiseAction>(action.node).event, statechart::ChartEvent::Type::internal, {}});
    }
    return {};
  }
  const cel::Value* find(std::string_view) const override { return nullptr; }
  bool in(std::string_view id) const override {
    const auto state = definition_.chart.find(id);
    return state && interpreter_.in(*state);
  }

  const Definition& definition_;
  statechart::ChartState state_;
  statechart::Interpreter interpreter_;
};

// Ids as definitions write them.
std::vector<std::string> sorted(const json::value& list) {
  std::vector<std::string> result;
  for (const json::value& item : list.as_array()) {
    result.push_back(text(item));
    std::replace(result.back().begin(), result.back().end(), '.', '_');
  }
  std::sort(result.begin(), result.end());
  return result;
}

void check_behaviour(const Definition& definition, const json::object& test) {
  Runner runner(definition);
  runner.start();
  if (const auto* initial = test.if_contains("initial")) CHECK(runner.leaves() == sorted(*initial));
  const auto* steps = test.if_contains("steps");
  if (steps == nullptr) return;
  for (const json::value& step : steps->as_array()) {
    if (const auto* event = step.as_object().if_contains("event")) runner.send(text(*event));
    CHECK(runner.leaves() == sorted(step.at("configuration")));
  }
}

TEST_CASE("structure cases behave the same after the way through SCXML", "[scxml][conformance]") {
  const char* shared = std::getenv("CHECKRIDE_SHARED");
  const char* source = std::getenv("CHECKRIDE_SOURCE");
  const std::filesystem::path folder =
      std::filesystem::path(shared != nullptr   ? std::string(shared)
                            : source != nullptr ? std::string(source) + "/../shared"
                                                : "../shared") /
      "conformance/statechart";
  if (!std::filesystem::exists(folder)) {
    std::cout << "skipped: there is no " << folder.string() << std::endl;
    std::exit(77);  // as CTest knows it
  }
  std::size_t compared = 0;
  std::size_t refused = 0;
  for (const char* file : {"scion.json", "w3c.json"}) {
    const auto content = read_file(folder / file, 64U << 20);
    REQUIRE(content);
    const json::value suite = json::parse(*content);
    for (const json::value& item : suite.at("tests").as_array()) {
      const json::object& test = item.as_object();
      if (text(test.at("tier")) != "structure") continue;
      INFO(text(test.at("id")));
      const auto first = import_scxml(Writer().write(test.at("machine").as_object()), "case");
      REQUIRE(first);
      if (!first->complete()) {
        // Only content of initial and history transitions, which definitions lack, is refused.
        for (const ScxmlRemark& remark : first->remarks)
          if (remark.severity == ScxmlRemark::Severity::error)
            CHECK_THAT(remark.message, Catch::Matchers::Contains("a definition has none"));
        ++refused;
        continue;
      }
      check_behaviour(*read(first->yaml), test);
      const auto out = export_scxml(first->yaml, "case.yaml");
      REQUIRE(out);
      const auto second = import_scxml(out->scxml, "case");
      REQUIRE(second);
      CHECK(second->complete());
      INFO(out->scxml);
      check_behaviour(*read(second->yaml), test);
      ++compared;
    }
  }
  std::cout << compared << " structure cases compared, " << refused
            << " hold content that definitions lack and were refused\n";
  CHECK(compared > 4 * refused);
  CHECK(compared > 20);
}

}  // namespace
}  // namespace checkride
