// A run played by hand: decide() over an in-memory log, with a clock that moves a second per
// command. Jobs do nothing; the test says how they end. What the verbs then print is compared as
// text.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include "cli/context.h"
#include "engine/decider/decide.h"
#include "store/memory/memory_log.h"

namespace checkride::cli {

class Session {
 public:
  Session();

  // Loads the document and starts a run of it; a definition with errors fails the test.
  void start(const std::string& yaml, const std::string& run, cel::Map params = {});
  // Sends a command; false when it was rejected. Children that it starts are started, and children
  // that end are told to their parents.
  bool send(const RunId& run, CommandBody body, Actor actor = {Actor::Kind::engine, "engine"});

  // Ends the live attempt of a state.
  void finish(const std::string& run, const std::string& state, cel::Map result,
              JobStatus status = JobStatus::pass);
  void fail_job(const std::string& run, const std::string& state, FailureClass failure,
                const std::string& message);
  bool answer(const std::string& run, const std::string& state, const std::string& decision,
              const std::string& reason = "");
  bool resolve(const std::string& run, ResolveIncident::How how, const std::string& reason);
  void fire_next_timer(const std::string& run);

  RunState state(const std::string& run) const;
  Context context(bool json = false);
  std::string out();  // what was printed since the last call
  std::string err();

  std::function<void(Record&)> alter;          // what a reader is given instead of what is stored
  std::map<std::string, std::string> sources;  // definitions by name
  std::filesystem::path store = "/nonexistent/store";
  MemoryLog log;
  std::shared_ptr<const Definition> definition;
  Timestamp now;

 private:
  std::shared_ptr<const Definition> definition_of(const Digest& hash) const;
  void follow(const RunId& run);

  JobCatalog catalog_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::map<RunId, RunState> states_;
  std::uint64_t commands_ = 0;
};

cel::Map result(bool ok, int count = 0, cel::List files = {});

}  // namespace checkride::cli
