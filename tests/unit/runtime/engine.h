// An engine over a log in memory and a scripted world, which a test can end and start again as
// after a kill: the log and the world stay.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "engine/runtime/runtime.h"
#include "store/memory/memory_log.h"
#include "tests/support/given.h"
#include "tests/support/scripted_runner.h"

namespace checkride::test {

// A MemoryLog whose appends can be held up.
class HeldLog final : public EventLog {
 public:
  MemoryLog inner;

  void hold() { set(true); }
  void let_go() { set(false); }

  Result<std::vector<RunHead>> heads() const override { return inner.heads(); }
  Result<std::optional<RunHead>> head(const RunId& run) const override { return inner.head(run); }
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override {
    return inner.read(run, from, each);
  }
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override {
    return inner.snapshot(run, at_most);
  }
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override {
    return inner.definition(hash);
  }
  Result<std::vector<SearchRow>> find(const std::string& type, std::size_t max) const override {
    return inner.find(type, max);
  }
  Result<std::vector<Committed>> append(std::span<Append> batch) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !held_; });
    return inner.append(batch);
  }
  Result<void> store_definition(const StoredDefinition& stored) override {
    return inner.store_definition(stored);
  }
  Epoch epoch() const override { return inner.epoch(); }

 private:
  void set(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

// Wall time that a test can move ahead.
class MovableClock final : public Clock {
 public:
  Timestamp now() const override { return system_.now() + ahead; }
  Duration monotonic() const override { return system_.monotonic() + ahead; }
  Duration ahead{0};

 private:
  SystemClock system_;
};

class KnownDefinitions final : public DefinitionSource {
 public:
  void add(const std::shared_ptr<const Definition>& definition) {
    known_[definition->hash] = definition;
    for (const auto& [hash, machine] : definition->machines) known_[hash] = machine;
  }
  Result<std::shared_ptr<const Definition>> definition(const Digest& hash) override {
    const auto found = known_.find(hash);
    if (found == known_.end()) return fail(ErrorCode::not_found, "no such definition");
    return found->second;
  }

 private:
  std::map<Digest, std::shared_ptr<const Definition>> known_;
};

class NoArtifacts final : public ArtifactKeeper {
 public:
  Result<void> keep(const Token& token, const std::vector<Artifact>& artifacts) override {
    static_cast<void>(token);
    static_cast<void>(artifacts);
    return {};
  }
};

class Machine {
 public:
  explicit Machine(std::string_view body) : definition(load_document(body)) {
    definitions.add(definition);
    boot();
  }
  ~Machine() {
    log.let_go();
    halt();
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void halt() {
    if (!engine) return;
    engine->runtime.shutdown();
    engine.reset();
  }
  // As a new process on the same machine.
  void boot() {
    halt();
    if (booted_) log.inner.reopen();
    booted_ = true;
    engine = std::make_unique<Engine>(*this);
    engine->runtime.set_runner(engine->runner);
    engine->runtime.observe([this](const Record& record, const RunState&) {
      for (const Event& event : record.events) seen.emplace_back(event_name(event));
    });
    REQUIRE(engine->runtime.recover());
  }

  Runtime& runtime() { return engine->runtime; }
  const RunState& state(const std::string& run = "r") {
    const RunState* found = runtime().state(RunId(run));
    INFO(run);
    REQUIRE(found != nullptr);
    return *found;
  }

  // Runs the engine's thread until this holds; fails the test when it never does.
  void until(const std::function<bool()>& holds) {
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!holds()) {
      if (engine->io.stopped()) engine->io.restart();
      engine->io.run_one_for(std::chrono::milliseconds(100));
      if (std::chrono::steady_clock::now() > late) FAIL("it never happened");
    }
  }
  void until_rest(const std::string& root = "r") {
    until([&] { return runtime().at_rest(RunId(root)); });
  }
  // Lets everything that can happen now happen.
  void settle() {
    bool marked = false;
    std::size_t records = 0;
    do {
      records = runtime().records_committed();
      marked = false;
      engine->io.poll();
      boost::asio::post(engine->io, [&] { marked = true; });
      until([&] { return marked; });
    } while (records != runtime().records_committed());
  }

  CommandReply submit(CommandBody body, const std::string& run = "r") {
    std::optional<CommandReply> reply;
    runtime().submit(command(std::move(body), run), [&](const CommandReply& r) { reply = r; });
    until([&] { return reply.has_value(); });
    return *reply;
  }
  Command command(CommandBody body, const std::string& run = "r") {
    Command command;
    command.id = CommandId("c" + std::to_string(++commands_));
    command.run = RunId(run);
    command.actor = Actor{Actor::Kind::local, "ada"};
    command.time = clock.now();
    command.body = std::move(body);
    return command;
  }
  CommandBody start_command(const std::string& run = "r") const {
    StartRun start;
    start.definition = definition->hash;
    start.definition_name = definition->name;
    start.root = RunId(run);
    start.folder = "/runs/" + run;
    return start;
  }
  // Starts and drives.
  void start(const std::string& run = "r") {
    REQUIRE(submit(start_command(run), run).accepted);
    REQUIRE(runtime().drive(RunId(run)));
  }
  bool happened(std::string_view event) const {
    return std::find(seen.begin(), seen.end(), event) != seen.end();
  }
  // The token of the newest attempt of a state that ran.
  Token started(const std::string& at) const {
    for (auto spec = world.started().rbegin(); spec != world.started().rend(); ++spec)
      if (spec->state == at) return spec->token;
    FAIL("no attempt of " << at << " ran");
    return {};
  }

  HeldLog log;
  ScriptedWorld world{[](const JobSpec&) { return passed(1); }};
  MovableClock clock;
  KnownDefinitions definitions;
  NoArtifacts artifacts;
  std::shared_ptr<const Definition> definition;
  std::vector<std::string> seen;     // events that observers were told of
  LeaseAllocator::UnitsOf units_of;  // of the next boot, as the id below
  std::string boot_id = "boot";

  struct Engine {
    explicit Engine(Machine& m)
        : runtime(io, m.log, m.clock, m.definitions, m.artifacts,
                  RuntimeOptions{"test", 8, 64, m.units_of, m.boot_id}),
          runner(io, runtime, m.world) {}
    boost::asio::io_context io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        io.get_executor()};
    Runtime runtime;
    ScriptedRunner runner;
  };
  std::unique_ptr<Engine> engine;

 private:
  bool booted_ = false;
  int commands_ = 0;
};

}  // namespace checkride::test
