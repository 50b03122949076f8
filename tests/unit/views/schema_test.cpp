// The JSON Schema says what the loader says, as far as shapes go.
#include "workflows/views/schema.h"

#include <catch2/catch.hpp>

#include "tests/support/json_schema.h"
#include "tests/unit/views/documents.h"
#include "workflows/loader/language.h"

namespace checkride::test {
namespace {

std::string problem_of(std::string_view text) {
  return schema_error(schema(), json_of(text)).value_or("");
}

TEST_CASE("every definition of the project fits the schema", "[views][schema]") {
  const auto documents = whole_documents();
  CHECK(documents.size() >= 2);
  for (const Document& document : documents) {
    INFO(document.name);
    CHECK(problem_of(document.text) == "");
  }
}

// An editor offers what `properties` of the node say, before it is clear which form is meant.
TEST_CASE("every kind of job and type of state is offered before one is chosen", "[views][schema]") {
  const auto& definitions = schema().at("$defs");
  const auto& job = definitions.at("any_invocation").at("properties").at("job");
  REQUIRE(job.at("anyOf").as_array().size() == 2);
  std::size_t offered = 0;
  for (const auto& kinds : job.at("anyOf").as_array()) {
    const std::string name(kinds.at("$ref").as_string().subview(8));
    offered += definitions.at(name).at("enum").as_array().size();
  }
  CHECK(offered + 1 >= catalog().signatures().size());  // `machine` has a key of its own
  CHECK(definitions.at("any_state").at("properties").at("type").at("enum").as_array().size() == 3);
}

TEST_CASE("every key names a form or a map, and every map and form is used", "[views][schema]") {
  std::string all;
  for (const auto& map : loader::language_maps()) {
    for (const auto& key : map.keys) {
      INFO(map.name << "." << key.name << ": " << key.form);
      CHECK((loader::find_form(key.form) != nullptr || loader::find_map(key.form) != nullptr));
      CHECK(key.description.ends_with('.'));
      all += " " + std::string(key.form);
    }
  }
  const std::string text = json_schema(catalog().signatures());
  for (const auto& form : loader::language_forms()) {
    INFO(form.name);
    CHECK(text.find("\"#/$defs/" + std::string(form.name) + "\"") != std::string::npos);
  }
}

// One place for every map of the language: HERE stands inside its braces.
struct Spot {
  const char* map;
  const char* text;
};
const std::string head = "checkride: 1\nworkflow: w\n";
const std::string tail = "  end: {type: final}\n";
const Spot spots[] = {
    {"message", "messages: {go: {HERE}}\nstates:\n  s: {on: {message.go: end}}\n"},
    {"workflow", "checkride: 1\nworkflow: w\nHERE\nstates:\n  s: {always: end}\n"},
    {"machine",
     "machines:\n  m: {HERE, states: {e: {type: final}}}\nstates:\n  s: {always: end}\n"},
    {"param", "params: {p: {type: int, default: 1, HERE}}\nstates:\n  s: {always: end}\n"},
    {"data_field", "data: {p: {type: int, default: 1, HERE}}\nstates:\n  s: {always: end}\n"},
    {"state", "states:\n  s: {always: end, HERE}\n"},
    {"final_state", "states:\n  s: {always: end}\n  f: {type: final, HERE}\n"},
    {"history_state",
     "states:\n  s: {states: {a: {always: end}, h: {type: history, target: a, HERE}}}\n"},
    {"transition", "states:\n  s: {always: {target: end, HERE}}\n"},
    {"action", "states:\n  s: {entry: {HERE}, always: end}\n"},
    {"raise", "states:\n  s: {entry: {raise: {event: e, HERE}}, on: {e: end}}\n"},
    {"send", "states:\n  s: {entry: {send: {event: e, HERE}}, on: {e: end}}\n"},
    {"if_branch", "states:\n  s: {entry: {if: [{HERE}]}, always: end}\n"},
    {"job",
     "states:\n  s: {invoke: {job: note, with: {text: x}, HERE}, on: {done: end, error: end}}\n"},
    {"probe",
     "data: {b: {type: dyn, default: 1}}\nstates:\n  s: {invoke: {job: exec, with: {argv: [a]}, "
     "repeat: probe, probe: {job: patch.recover, with: {before: '${data.b}', patch: p}, HERE}}, "
     "on: "
     "{done: end, error: end}}\n"},
    {"gate", "states:\n  s: {invoke: {job: gate, with: {question: q}, HERE}, on: {answer: end}}\n"},
    {"machine_invocation",
     "machines: {m: {states: {e: {type: final}}}}\nstates:\n  s: {invoke: {machine: m, HERE}, on: "
     "{done: end, error: end}}\n"},
    {"timeout",
     "states:\n  s: {invoke: {job: note, with: {text: x}, timeout: {run: 1s, HERE}}, on: {done: "
     "end, "
     "error: end}}\n"},
    {"retry_rule",
     "states:\n  s: {invoke: {job: note, with: {text: x}, retry: {max: 1, HERE}}, on: {done: end, "
     "error: end}}\n"},
    {"retry_classes",
     "states:\n  s: {invoke: {job: note, with: {text: x}, retry: {code: 1, HERE}}, on: {done: end, "
     "error: end}}\n"},
    {"expect",
     "states:\n  s: {invoke: {job: exec, with: {argv: [a]}, repeat: safe, expect: {HERE}}, on: "
     "{done: end, error: end}}\n"},
    {"parse_rule",
     "states:\n  s: {invoke: {job: exec, with: {argv: [a]}, repeat: safe, parse: {v: {regex: "
     "'(a)', "
     "HERE}}}, on: {done: end, error: end}}\n"},
    {"expiry",
     "states:\n  s: {invoke: {job: gate, with: {question: q}, expiry: {after: 1d, answer: reject, "
     "HERE}}, on: {answer: end}}\n"},
};

std::string at(const Spot& spot, std::string_view key) {
  std::string text = spot.text;
  const std::size_t here = text.find("HERE");
  text.replace(here, 4, key);
  if (key.empty() && text.substr(here, 2) == ", ") text.erase(here, 2);
  if (key.empty() && here >= 2 && text.substr(here - 2, 3) == ", }") text.erase(here - 2, 2);
  return std::string(spot.map) == "workflow" ? text + tail : head + text + tail;
}

TEST_CASE("each map of a document has exactly the keys of its table", "[views][schema]") {
  CHECK(std::size(spots) == loader::language_maps().size());
  for (const Spot& spot : spots) {
    const std::string good = at(spot, "");
    INFO(good);
    CHECK(problem_of(good) == "");
    for (const LoadDiagnostic& d : load_real(good).diagnostics)
      CHECK(d.severity != LoadDiagnostic::Severity::error);

    const std::string bad = at(spot, "zzz: 1");
    INFO(bad);
    CHECK(problem_of(bad) != "");
    std::string keys;
    for (const std::string& key : loader::keys_of(spot.map))
      keys += (keys.empty() ? "" : ", ") + key;
    std::string said;
    for (const LoadDiagnostic& d : load_real(bad).diagnostics)
      if (d.rule == "unknown-key") said = d.message;
    INFO(said);
    CHECK(said.ends_with("has no key 'zzz'; it may have " + keys));
  }
}

TEST_CASE("what a table calls required is missed by schema and loader", "[views][schema]") {
  for (const Spot& spot : spots) {
    for (const auto& key : loader::find_map(spot.map)->keys) {
      if (!key.required || key.name == "job" || key.name == "type" || key.name == "states" ||
          key.name == "machine")
        continue;  // without these it is another map
      std::string text = at(spot, "");
      const std::string needle = std::string(key.name) + ": ";
      const std::size_t begin =
          text.find(needle, std::string(spot.map) == "workflow" ? 0 : head.size());
      INFO(spot.map << "." << key.name << "\n" << text);
      REQUIRE(begin != std::string::npos);
      text.replace(begin, key.name.size(), "zz" + std::string(key.name));
      INFO(text);
      CHECK(problem_of(text) != "");
      CHECK(load_real(text).definition == nullptr);
    }
  }
}

TEST_CASE("planted errors do not fit the schema", "[views][schema]") {
  const char* cases[] = {
      "states: {}",
      "states: [a]",
      "states: {1a: {}}",
      "params: {p: strin}\nstates: {s: {always: end}}",
      "params: {a b: int}\nstates: {s: {always: end}}",
      "params: {p: {type: int, secret: 1}}\nstates: {s: {always: end}}",
      "data: {n: int}\nstates: {s: {always: end}}",
      "errors: stop\nstates: {s: {always: end}}",
      "states: {s: {type: paralel}}",
      "states: {s: {type: final, on: {e: end}}}",
      "states: {s: {type: final, outcome: ok}}",
      "states: {s: {type: history}}",
      "states: {s: {type: history, target: a, history: flat}}",
      "states: {s: {always: [end, 7]}}",
      "states: {s: {always: 'two words'}}",
      "states: {s: {always: {guard: '${data.n > 0}', target: end}}}",
      "states: {s: {after: {soon: end}}}",
      "states: {s: {on: {e: {target: []}}}}",
      "states: {s: {on: [e]}}",
      "states: {s: {entry: {raise: e, send: {event: e}}}}",
      "states: {s: {entry: {raise: 'a b'}}}",
      "states: {s: {entry: {send: {delay: 1s}}}}",
      "states: {s: {entry: {if: []}}}",
      "states: {s: {title: x, verdict: good}}",
      "states: {s: {budget: 1.5, exhausted: end}}",
      "states: {s: {budget: 1, exhausted: {guard: 'true', target: end}}}",
      "states: {s: {invoke: {}}}",
      "states: {s: {invoke: shell}}",
      "states: {s: {invoke: {job: shel, with: {script: x}}}}",
      "states: {s: {invoke: {job: shell}}}",
      "states: {s: {invoke: {job: shell, with: {}}}}",
      "states: {s: {invoke: {job: shell, with: {script: 1}}}}",
      "states: {s: {invoke: {job: shell, with: {script: x, evn: {}}}}}",
      "states: {s: {invoke: {job: exec, with: {argv: ls}}}}",
      "states: {s: {invoke: {job: git.status, with: {repo: x, allowed: [1]}}}}",
      "states: {s: {invoke: {job: gate, with: {}}}}",
      "states: {s: {invoke: {job: gate, with: {question: q}, retry: 1}}}",
      "states: {s: {invoke: {job: gate, with: {question: q}, who: ann}}}",
      "states: {s: {invoke: {job: gate, with: {question: q}, expiry: {after: 1d}}}}",
      "states: {s: {invoke: {machine: m, join: most}}}",
      "states: {s: {invoke: {machine: m, concurrency: 0}}}",
      "states: {s: {invoke: {machine: m, each: params.x}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, timeout: 5}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, timeout: {whole: 5s}}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, retry: {max: many}}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, retry: {sometimes: 1}}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, repeat: never}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, expect: {exit_code: 300}}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, output_max: 64MB}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, parse: {v: {type: int}}}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, parse: {v: {regex: x, pointer: /a}}}}}",
      "states: {s: {invoke: {job: shell, with: {script: x}, secrets: [A, A]}}}",
      "states: {s: {undo: {machine: m}}}",
  };
  for (const char* text : cases) {
    INFO(text);
    CHECK(problem_of(head + text) != "");
    CHECK(load_real(head + text).definition == nullptr);
  }
  CHECK(problem_of("checkride: 2\nworkflow: w\nstates: {s: {type: final}}") != "");
  CHECK(problem_of("checkride: 1\nworkflow: a/b\nstates: {s: {type: final}}") != "");
  CHECK(problem_of("[]") != "");
}

TEST_CASE("a value of any type may be an expression", "[views][schema]") {
  CHECK(
      problem_of(head +
                 "states: {s: {invoke: {job: exec, with: {argv: '${params.a}', env: {A: '${x}'}}}, "
                 "on: {done: e}}}") == "");
}

}  // namespace
}  // namespace checkride::test
