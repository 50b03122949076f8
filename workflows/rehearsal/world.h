// The scripted world behind rehearse(): the runs, what is due and when, and which part of the
// scripts comes next. Internal to workflows/rehearsal.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "engine/decider/decide.h"
#include "workflows/rehearsal/rehearse.h"
#include "workflows/rehearsal/script_reader.h"

namespace checkride::rehearsal {

class World {
 public:
  World(std::shared_ptr<const Definition> definition, const CaseFile& file, const Case& one,
        EventLog& log, Coverage& coverage, const RehearsalOptions& options);

  Result<Rehearsed> play();

 private:
  using Part = ScriptReader::Part;
  struct Live {
    RehearsedRun run;
    std::vector<const Script*> layers;  // the nearest first
    std::map<std::pair<Part, std::string>, std::size_t> taken;
    std::size_t incidents_taken = 0;
    Digest chain;
  };
  // Something that will come to pass by itself.
  struct Due {
    Timestamp at;
    std::size_t order = 0;
    RunId run;
    CommandBody body;
    Actor actor;
    const void* plan = nullptr;  // of the case: used once it has come to pass
  };

  Result<bool> send(const RunId& run, CommandBody body, const Actor& actor);
  void note_parent(RehearsedRun& child, const ParentLink& link) const;
  Result<bool> start_root();
  Result<bool> step();  // false: nothing is due any more
  std::optional<Due> next_due();
  std::optional<Due> next_timer() const;
  bool outdated(const Due& due) const;
  // Not now: the run, or the one that would start it, is paused.
  bool held(const Due& due) const;
  // A cancel or rollback of the case that is due now.
  Result<bool> person_ends_it();

  void look(Live& live);
  void look(Live& live, const RunJob& job);
  void look(Live& live, const StartChild& child);
  void look(Live& live, const StopJob& job);
  void look(Live& live, const AwaitTimer& timer);
  void look(Live& live, const AwaitLease& job);
  void open_gates(Live& live);
  void open_incidents(Live& live);
  void signal(Live& live);
  void pause_tree();
  void pass_pause_on(const RunState& parent, const RunState& child);
  void tell_parent(Live& child);

  // The next planned step of a state; null after noting what is missing.
  const Planned* take(Live& live, Part part, const std::string& state, const InvokeSpec& invoke);
  void missing(const Live& live, Part part, const std::string& state, const InvokeSpec& invoke,
               std::size_t visit);
  // Whether something planned for a state, or for the start, is to come about now.
  bool occasion(const Live& live, const std::string& in) const;
  void schedule(const std::string& key, Duration after, const RunId& run, CommandBody body,
                Actor actor, const void* plan = nullptr);
  const InvokeSpec& invoke_of(const Live& live, const JobIntended& intent, Part& part) const;
  Actor person(const std::string& by) const;
  std::shared_ptr<const Definition> machine(const Digest& hash) const;
  std::string name_of(const Live& live) const;  // "gh200-rebase", "apply-one-patch of 'one'"
  std::string what_it_waits_for() const;
  void problem(std::string text);

  std::shared_ptr<const Definition> definition_;
  const CaseFile& file_;
  const Case& case_;
  EventLog& log_;
  Coverage& coverage_;
  const RehearsalOptions& options_;

  Timestamp now_;
  std::map<RunId, Live> runs_;
  std::vector<RunId> started_;               // in order
  std::map<std::string, Due> due_;           // by what it is about: "job TOKEN", "gate TOKEN", ...
  std::set<std::string> known_;              // planned once, whatever came of it
  std::map<Token, const Planned*> waiting_;  // attempts planned before they had their lease
  std::map<RunId, std::vector<const Script*>> layers_;  // of children to come
  std::size_t orders_ = 0;
  std::size_t steps_ = 0;
  bool cancelled_ = false;
  bool rolled_back_ = false;
  std::string problem_;
  std::set<const void*> used_;
};

}  // namespace checkride::rehearsal
