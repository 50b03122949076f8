// What every verb is given: where the store is, how to read it, which job kinds there are, and where
// to print. main.cpp builds it once. A verb is a function from a Context and its options to an exit
// code; it holds no state of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/definition.h"
#include "engine/ports/event_log.h"
#include "engine/ports/job_kind.h"

namespace checkride::cli {

// README.md says what each means to a caller.
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,     // the run failed, was cancelled, rolled back or incomplete; a command was rejected
  exit_usage = 2,      // usage or definition error
  exit_waiting = 3,    // waits for a person
  exit_engine = 4,     // store or engine error
  exit_interrupted = 130,
};

struct Context {
  std::ostream& out;
  std::ostream& err;
  bool json = false;
  bool terminal = false;                 // out is a terminal: control characters are kept from it
  std::filesystem::path store;           // folder of the store
  const JobCatalog& catalog;
  // Opens the store for reading: through its owner's socket, else read-only. not_found when there is
  // no store yet.
  std::function<Result<std::unique_ptr<LogReader>>()> open_reader;
  // The definition of a hash, loaded again from the source the log keeps (machines included).
  std::function<Result<std::shared_ptr<const Definition>>(const LogReader&, const Digest&)>
      definition;
  // A definition by name (shipped) or path (YAML file): its text and source name.
  std::function<Result<std::pair<std::string, std::string>>(const std::string&)> find_source;
  bool colours = false;  // a terminal, and neither NO_COLOR nor TERM=dumb says otherwise
  bool redraw = false;   // a terminal that can move its cursor

  std::vector<std::string> resources = {};  // "gpu=2", to be declared in the store

  std::filesystem::path attempts() const { return store / "attempts"; }
  std::filesystem::path artifacts() const { return store / "artifacts"; }
};

// Prints "checkride: MESSAGE" (or {"error": ...} with --json) and gives the exit code that fits.
int report_error(const Context& context, const Error& error);

}  // namespace checkride::cli
