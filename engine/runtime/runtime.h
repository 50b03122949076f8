// The one shell around the pure core: takes commands, decides, has the records written and synced
// by a writer thread, and only then answers, tells observers and carries out what the state owes
// the world (jobs, children, timers). One thread runs the io_context and owns everything here; the
// writer and the workers receive values and give values back. docs/architecture.md.
//
// Opening is recovery: heads are read, finished jobs of live runs collected, due timers recorded.
// New attempts start only in runs that are driven.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/decide.h"
#include "engine/ports/clock.h"
#include "engine/ports/event_log.h"
#include "engine/ports/job_runner.h"
#include "engine/runtime/lease_allocator.h"

namespace checkride {

// Gives the definition of a hash, from the log's stored source. Called on the engine's thread.
class DefinitionSource {
 public:
  virtual ~DefinitionSource() = default;
  virtual Result<std::shared_ptr<const Definition>> definition(const Digest& hash) = 0;
};

// Puts what an attempt left behind where it lasts, durable when it returns. Called on a worker
// thread.
class ArtifactKeeper {
 public:
  virtual ~ArtifactKeeper() = default;
  virtual Result<void> keep(const Token& token, const std::vector<Artifact>& artifacts) = 0;
};

struct CommandReply {
  bool accepted = false;
  bool repeated = false;
  Sequence sequence;
  std::string reason;          // of a rejection
  std::optional<Error> error;  // the command could not be decided at all
};

struct RuntimeOptions {
  std::string build;
  std::uint64_t snapshot_events = 512;    // a snapshot per run every so many events
  std::size_t batch_records_max = 256;    // written with one sync
  LeaseAllocator::UnitsOf units_of = {};  // what there is to lease; nothing where it is not set
  std::string boot_id = {};               // of this machine, as kept with leases
};

class Runtime final : public JobListener {
 public:
  using Reply = std::function<void(const CommandReply&)>;
  // Told of each durable record and the state after the newest decision of its run.
  using Observer = std::function<void(const Record&, const RunState&)>;

  Runtime(boost::asio::io_context& io, EventLog& log, Clock& clock, DefinitionSource& definitions,
          ArtifactKeeper& artifacts, RuntimeOptions options);
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  void set_runner(JobRunner& runner) { runner_ = &runner; }
  void observe(Observer observer) { observers_.push_back(std::move(observer)); }

  // Collects what finished while nobody drove, and records which timers are overdue. Call once,
  // before anything else; commands are for the time when nothing is being collected any more.
  Result<void> recover();
  bool recovering() const { return !collecting_.empty(); }

  // Decides now, replies once it is durable. A StartRun's definition must have been stored.
  void submit(Command command, Reply reply = {});

  // From now on the tree under `root` gets its jobs started and its timers fired.
  Result<void> drive(const RunId& root);
  void stop_driving(const RunId& root);
  std::vector<RunId> driven() const;

  // Nothing in the tree can move without a person: it has ended, or only gates and incidents
  // remain.
  bool at_rest(const RunId& root) const;
  // Newest decided state of a run held in memory, or null.
  const RunState* state(const RunId& run) const;
  Result<std::shared_ptr<const Definition>> definition_of(const RunId& run);
  // Set when the log failed; nothing decided after it was released and the process must end (exit
  // 4).
  const std::optional<Error>& fatal() const { return fatal_; }
  std::uint64_t records_committed() const { return records_committed_; }
  std::uint64_t syncs() const { return syncs_; }

  // Waits for the writer, stops watching jobs (they go on) and cancels timers.
  void shutdown();

  // JobListener
  void on_started(const Token& token, const ProcessIdentity& identity, bool adopted) override;
  void on_finished(const Token& token, const JobOutcome& outcome) override;
  void on_unknown(const Token& token, const std::string& findings) override;

 private:
  struct Live {
    RunState state;
    std::shared_ptr<const Definition> definition;
    std::uint64_t pending = 0;  // decided, not yet durable
    Sequence snapshot_at;       // last snapshot
    Digest chain;               // of the newest durable record
    // Resources that the definition's attempts may need; absent: they never wait for a lease.
    std::optional<std::set<std::string>> resources;
  };
  struct Waiting {  // a decision on its way to the log
    Append append;
    Reply reply;
    CommandReply answer;
  };

  Result<Live*> load(const RunId& run);
  void enqueue(Live& live, Decision decision, const Command& command, Reply reply);
  void write_next();
  void committed(std::vector<Waiting> batch, Result<std::vector<Committed>> result);
  void carry_out(const RunId& run);
  void carry_out(const RunState& state, const RunJob& job);
  void carry_out(const RunState& state, const StartChild& child);
  void carry_out(const RunState& state, const StopJob& job);
  void carry_out(const RunState& state, const AwaitTimer& timer);
  void carry_out(const RunState& state, const AwaitLease& job);
  void start_child(const RunState& parent, const JobIntended& intent);
  void deliver_to_parent(const RunState& child);
  void deliver_unstarted(const RunState& parent, const JobIntended& intent);
  void pass_pause_on(const RunState& parent, Live& child);
  // leases.cpp
  void register_leases(const RunState& state);
  void note_leases(const RunId& run, const std::vector<Event>& events);
  void note_places(const Record& record);
  void release_rebooted(const RunState& state);
  bool may_start(const RunId& run) const;
  void grant_waiting();
  void recover_attempt(const JobSpec& spec);
  // timers.cpp
  void drop_timers(const RunState& state);
  bool collects(const RunState& state) const;
  void fire_due(const RunId& run, Timestamp until);
  void forget_ended(const Event& event);
  // Whether what is owed can come about without a person.
  bool child_moves(const JobIntended& intent) const;
  bool moves(const RunState& state, const RunJob& job) const;
  bool moves(const RunState& state, const StartChild& child) const;
  bool moves(const RunState& state, const StopJob& job) const;
  bool moves(const RunState& state, const AwaitTimer& timer) const;
  bool moves(const RunState& state, const AwaitLease& job) const;
  void fail_fatally(Error error);
  Command engine_command(const RunId& run, std::string id, CommandBody body) const;

  boost::asio::io_context& io_;
  EventLog& log_;
  Clock& clock_;
  DefinitionSource& definitions_;
  ArtifactKeeper& artifacts_;
  RuntimeOptions options_;
  JobRunner* runner_ = nullptr;
  boost::asio::thread_pool writer_{1};
  boost::asio::thread_pool workers_{2};
  std::vector<Observer> observers_;

  std::map<RunId, std::unique_ptr<Live>> live_;
  std::map<RunId, int> driven_;  // root -> followers
  std::vector<Waiting> queue_;
  bool writing_ = false;
  bool stopping_ = false;
  std::optional<Error> fatal_;
  std::uint64_t records_committed_ = 0;
  std::uint64_t syncs_ = 0;

  LeaseAllocator leases_;
  std::uint64_t decided_ = 0;      // attempts that wait, in the order they were decided
  std::set<Token> fresh_;          // intended or granted by this process: start, not recover
  std::map<Token, RunId> active_;  // handed to the runner, end not yet seen
  std::set<Token> cancelled_;      // cancel passed on
  std::set<Token> settling_;       // a FinishJob is on its way
  std::set<Token> collecting_;     // ended while nobody drove, the end not yet decided on
  struct Armed {
    Timestamp due;
    std::unique_ptr<boost::asio::steady_timer> timer;
  };
  std::map<std::pair<RunId, TimerId>, Armed> timers_;
  // Gone with this object: what other threads post back then finds nobody and does nothing.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace checkride
