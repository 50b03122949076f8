// A procedure small enough to know by heart, with jobs, gates, timers, children, undo and a probe;
// and the shorthands that read and play cases of it.
#pragma once

#include <memory>
#include <string>

#include "store/memory/memory_log.h"
#include "workflows/rehearsal/expect.h"
#include "workflows/rehearsal/plan.h"

namespace checkride::test {

// Kinds without anything behind them: `check` ({what?: string} -> {ok: bool, count: int, files?:
// list<string>}), and `look`, which tells {verdict, findings?, result?}.
std::vector<const JobSignature*> stage_kinds();

extern const char* const stage;  // the YAML text, workflow "stage"

// Ends the test with the diagnostics when the text is wrong.
std::shared_ptr<const Definition> load_stage(const std::string& text = stage);

// The diagnostics of a document of cases, one a line; the header line is put in front, so the text
// starts on line 2.
std::string mistakes(const std::string& text);
std::shared_ptr<const rehearsal::CaseFile> read_well(const std::string& text);

struct Played {
  std::shared_ptr<const Definition> definition;
  std::shared_ptr<const rehearsal::CaseFile> file;
  MemoryLog log;
  std::unique_ptr<rehearsal::Coverage> coverage;
  rehearsal::Rehearsed rehearsed;

  std::string differences(const std::string& report = "") const;  // one a line
  std::string unused() const;                                     // one a line
};
// Plays the only case of a document.
std::unique_ptr<Played> play(const std::string& text);

}  // namespace checkride::test
