// What a rehearsal is told: a document of cases, each with params, the outcomes its jobs and gates
// come to, and what is expected of it. Read against the definition, so that an unknown state, a
// result of a wrong type or an answer that a gate does not take is refused with line and column
// before anything is rehearsed. docs/guides/test-a-procedure.md shows the language.
//
// Pure: the same text and definition give the same cases and diagnostics.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decider/command.h"
#include "engine/decider/definition.h"
#include "workflows/loader/load.h"

namespace checkride::rehearsal {

struct Script;

// How one attempt of a job, one opening of a gate or one visit of a machine's state ends.
struct Planned {
  enum class Kind : std::uint8_t {
    outcome,   // a job's result or error
    unknown,   // whether the job still runs cannot be told
    answer,    // of a gate
    wait,      // never by itself: until it is cancelled, or a gate expires
    children,  // of a machine's state: scripts for its child runs
    usual,     // as the document's `usual` says
  } kind = Kind::outcome;
  JobOutcome outcome;
  std::string decision;  // of an answer
  std::string text;      // its reason; what was found about an unknown job
  std::string by;        // who answers; empty: the first who may
  Duration takes{0};     // virtual time from begin to end
  // How the attempt comes to the resources it needs; by itself: at once.
  enum class Lease : std::uint8_t { granted, refused, never } lease = Lease::granted;
  Duration lease_after{0};              // how long it waits before they are granted
  std::shared_ptr<const Script> every;  // for each child
  std::map<std::string, std::shared_ptr<const Script>> items;  // for those of one element
  Place place;
};

// What comes to pass each time: a single outcome every time, a list one after the other, and then
// nothing more (docs/decisions/0021-rehearsal.md).
struct Series {
  bool list = false;
  std::vector<Planned> steps;  // never empty
};

struct PlannedResolution {
  bool wait = false;  // nobody resolves it
  ResolveIncident resolve;
  std::string by;
  Place place;
};

// A person, or another program, does something to a run: `after` a state has become active, or
// after the start where `in` is empty.
struct PlannedSignal {
  std::string name;
  cel::Value data;
  std::string in;
  Duration after{0};
  std::string why;
  std::string by;
  Place place;
};

// The whole tree stands still, for a while or for good.
struct PlannedPause {
  std::string in;
  Duration after{0};
  std::optional<Duration> lasts;
  std::string why;
  std::string by;
  Place place;
};

// What one run is told, by state id.
struct Script {
  std::map<std::string, Series> outcomes;
  std::map<std::string, Series> probes;      // of the state's `probe` job
  std::map<std::string, Series> undo;        // of the state's `undo` job
  std::vector<PlannedResolution> incidents;  // in the order they are raised
  std::vector<PlannedSignal> signals;        // messages it gets
};

// A person ends the run: when `in` becomes active, or after its end where `in` is empty.
struct PlannedEnd {
  std::string in;
  std::string why;
  std::string by;
  Place place;
};

struct Expectation {
  std::string outcome;  // a run outcome or "waiting"; empty: any
  std::optional<std::int64_t> exit_code;
  std::vector<std::string> visits;  // entered in this order, others between them
  std::vector<std::string> avoids;  // never entered
  std::vector<std::pair<std::string, Verdict>> verdicts;
  cel::Map data;                       // at the end
  std::vector<std::string> incidents;  // kinds raised, in this order
  std::vector<std::string> report;     // texts that lines of the report hold
  // By state and element; of the last child started for it.
  std::vector<std::pair<std::pair<std::string, std::string>, Expectation>> children;
};

struct Case {
  std::string name;
  Place place;
  cel::Map params;
  std::optional<Timestamp> clock;  // virtual time of its start
  Script script;
  std::optional<PlannedEnd> cancel;
  std::optional<PlannedEnd> rollback;
  std::vector<PlannedPause> pauses;
  Expectation expect;
};

struct CaseFile {
  std::string source_name;
  cel::Map params;  // of every case, unless its own say otherwise
  Script usual;
  std::vector<Case> cases;
};

struct CasesResult {
  std::shared_ptr<const CaseFile> file;     // null when any diagnostic is an error
  std::vector<LoadDiagnostic> diagnostics;  // by place
};

inline constexpr std::size_t cases_max = 1'000;

// JSON Schema (draft 2020-12) of such documents, for editors: their shape; what only read_cases()
// knows (states, types of results) it lets through.
std::string cases_schema();

// A document with `cases`, or one that is a single case itself (its name: `source_name`).
CasesResult read_cases(std::string_view text, std::string source_name,
                       const Definition& definition);

// The names under which the elements of `each` are scripted: a text as it is, else its CEL text;
// "#1" for the first of all works too.
std::string element_key(const cel::Value& element);

// An outcome of the job in words of the document, every required field with an empty value: what to
// add where one is missing.
std::string outcome_skeleton(const InvokeSpec& invoke);

}  // namespace checkride::rehearsal
