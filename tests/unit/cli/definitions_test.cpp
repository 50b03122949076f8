// The verbs that work on definitions: graph, explain, schema.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "cli/commands/explain.h"
#include "cli/commands/graph.h"
#include "cli/commands/schema.h"
#include "cli/render/json.h"
#include "tests/unit/cli/procedure.h"
#include "tests/unit/cli/session.h"

using namespace checkride;
using namespace checkride::cli;

namespace {

GraphOptions graph(const std::string& format, const std::string& machine = "") {
  GraphOptions options;
  options.source = "demo";
  options.format = format;
  options.machine = machine;
  return options;
}

const char* const broken = "checkride: 1\nworkflow: b\nstates: {a: {always: c}}\n";

TEST_CASE("graph prints the format that was asked for", "[cli]") {
  Session session;
  session.sources["demo"] = procedure;
  CHECK(cmd_graph(session.context(), graph("mermaid")) == exit_ok);
  CHECK(session.out().find("stateDiagram-v2") != std::string::npos);
  CHECK(cmd_graph(session.context(), graph("dot")) == exit_ok);
  CHECK(session.out().starts_with("digraph \"demo\" {"));
  CHECK(cmd_graph(session.context(), graph("dot", "nothing")) == exit_usage);
  CHECK(session.err().find("there is no machine 'nothing'; it has ") != std::string::npos);
  session.sources["demo"] = broken;
  CHECK(cmd_graph(session.context(), graph("dot")) == exit_usage);
  CHECK(session.err().find("demo.yaml:3:22: error: there is no state 'c'") != std::string::npos);
}

TEST_CASE("SVG without Graphviz is refused with what to do", "[cli]") {
  Session session;
  session.sources["demo"] = procedure;
  GraphOptions options = graph("svg");
  options.dot = "no-such-program-of-graphviz";
  CHECK(cmd_graph(session.context(), options) == exit_failed);
  CHECK(session.err() ==
        "checkride: SVG is drawn by Graphviz, which is not installed; install it (Debian: "
        "graphviz), or use --format dot or mermaid\n");
  options.dot = "/bin/false";
  CHECK(cmd_graph(session.context(), options) == exit_failed);
  CHECK(session.err().find("gave no picture") != std::string::npos);
}

TEST_CASE("SVG is drawn where Graphviz is", "[cli]") {
  if (::access("/usr/bin/dot", X_OK) != 0) {
    WARN("Graphviz is not installed; nothing was drawn");
    return;
  }
  Session session;
  session.sources["demo"] = procedure;
  REQUIRE(cmd_graph(session.context(), graph("svg")) == exit_ok);
  const std::string svg = session.out();
  CHECK(svg.find("<svg") != std::string::npos);
  CHECK(svg.find("</svg>") != std::string::npos);
}

TEST_CASE("explain and schema print text or one JSON document", "[cli]") {
  Session session;
  session.sources["demo"] = procedure;
  session.sources["broken"] = broken;
  CHECK(cmd_explain(session.context(), {"demo"}) == exit_ok);
  CHECK(session.out().starts_with("# "));
  CHECK(cmd_explain(session.context(), {"broken"}) == exit_usage);
  CHECK(cmd_explain(session.context(), {"nothing"}) == exit_usage);
  CHECK(cmd_explain(session.context(true), {"demo"}) == exit_ok);
  const json::value told = json::parse(session.out());
  CHECK(told.at("workflow") == "demo");
  CHECK(told.at("machines").at(0).at("steps").as_array().size() > 1);
  CHECK(cmd_explain(session.context(true), {"broken"}) == exit_usage);
  CHECK(session.err().find("broken.yaml:3:22: error: there is no state 'c'") != std::string::npos);

  CHECK(cmd_schema(session.context(), {"json"}) == exit_ok);
  const json::value schema = json::parse(session.out());
  CHECK(schema.at("$defs").at("job_kinds").at("enum").at(0) == "check");
  CHECK(cmd_schema(session.context(), {"md"}) == exit_ok);
  CHECK(session.out().find("| `check` | Says whether something is in order |") !=
        std::string::npos);
}

}  // namespace
