#include "cli/engine.h"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <ostream>

#include "cli/resources.h"
#include "engine/base/files.h"
#include "engine/base/version.h"
#include "engine/runners/local/process_identity.h"

namespace checkride::cli {

namespace {

constexpr std::chrono::milliseconds tick_every(100);

// The crash tests' point: dies as by kill -9 right after the N-th record of this process is durable,
// before anything learns of it.
void crash_when_told(Runtime& runtime) {
  const char* after = std::getenv("CHECKRIDE_CRASH_AFTER_RECORDS");
  if (after == nullptr) return;
  const long wanted = std::strtol(after, nullptr, 10);
  runtime.observe([wanted, seen = 0L](const Record&, const RunState&) mutable {
    if (++seen == wanted) ::kill(::getpid(), SIGKILL);
  });
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const Context& context) {
  std::unique_ptr<Engine> engine(new Engine);
  CR_TRY(engine->store_, open_for_writing(context.store));
  CR_CHECK(make_folders(context.attempts()));
  EventLog& log = *engine->store_->log();
  for (const std::string& notice : engine->store_->notices())
    context.err << "checkride: " << notice << "\n";
  engine->keeper_ =
      std::make_unique<AttemptKeeper>(engine->store_->artifacts(), context.attempts());
  engine->definitions_ = std::make_unique<StoredDefinitions>(log, context.catalog);
  RuntimeOptions options;
  options.build = build_version;
  options.boot_id = current_boot_id().value_or("");
  options.units_of = [&context_err = context.err,
                      store = context.store](const std::string& resource) {
    auto units = units_of(store, resource);
    if (!units) context_err << "checkride: " << units.error().text() << "\n";
    return units.value_or(std::vector<std::string>());
  };
  engine->runtime_ =
      std::make_unique<Runtime>(engine->io_, log, engine->clock_, *engine->definitions_,
                                *engine->keeper_, std::move(options));
  engine->runner_ = std::make_unique<LocalRunner>(
      engine->io_, *engine->runtime_, context.catalog, context.attempts(),
      std::vector<std::string>{"/proc/self/exe", "supervise"});
  engine->runtime_->set_runner(*engine->runner_);
  crash_when_told(*engine->runtime_);
  engine->comment_on_opening(context);
  CR_CHECK(engine->runtime_->recover());
  engine->server_ =
      std::make_unique<OwnerServer>(engine->io_, *engine->runtime_, log, engine->clock_,
                                    [store = engine->store_.get()](const auto& run) {
                                      return store->verify(run);
                                    });
  CR_TRY(const std::filesystem::path socket, owner_socket(context.store));
  CR_CHECK(engine->server_->listen(socket));
  engine->server_->on_driving([comments = engine->commentary_.get()](const RunId& root, bool drives) {
    comments->info((drives ? "driving for a follower run=" : "follower left run=") + root.value);
  });
  return engine;
}

void Engine::comment_on_opening(const Context& context) {
  commentary_ = std::make_unique<Commentary>(context.store);
  commentary_->info("store opened build=" + std::string(build_version));
  for (const std::string& notice : store_->notices()) commentary_->info("notice " + notice);
  std::size_t runs = 0;
  std::size_t live = 0;
  if (const auto heads = log().heads())
    for (const RunHead& head : *heads) {
      if (head.run.value.starts_with("@")) continue;
      ++runs;
      if (head.summary.mode != RunMode::finished) ++live;
    }
  commentary_->info("recovering live_runs=" + std::to_string(live) +
                    " runs=" + std::to_string(runs));
  runtime_->observe([comments = commentary_.get()](const Record& record, const RunState& state) {
    comments->record(record, state);
  });
}

Engine::~Engine() {
  if (server_) server_->close();
  if (runtime_) runtime_->shutdown();
  if (commentary_) commentary_->info("store closed");
  // The runner posts to the io_context, so it goes before it; the log last of all.
  server_.reset();
  runner_.reset();
  runtime_.reset();
}

Command Engine::command(CommandId id, RunId run, Actor actor, CommandBody body) const {
  Command made;
  made.id = std::move(id);
  made.run = std::move(run);
  made.actor = std::move(actor);
  made.time = clock_.now();
  made.monotonic = clock_.monotonic();
  made.body = std::move(body);
  return made;
}

Result<void> Engine::run_until(const std::function<bool()>& done) {
  bool interrupted = false;
  boost::asio::signal_set signals(io_, SIGINT, SIGTERM, SIGHUP);
  signals.async_wait([&](const boost::system::error_code& failed, int) {
    if (!failed) interrupted = true;
  });
  while (!done() && !interrupted && !runtime_->fatal()) {
    io_.restart();
    io_.run_one();
  }
  signals.cancel();
  io_.restart();
  io_.poll();  // lets the cancelled wait end before what it refers to is gone
  if (runtime_->fatal()) return failed();
  if (interrupted) return fail(ErrorCode::timeout, "interrupted; running jobs go on");
  return {};
}

tl::unexpected<Error> Engine::failed() {
  commentary_->error("fatal " + runtime_->fatal()->text());
  return tl::unexpected(*runtime_->fatal());
}

Result<CommandReply> Engine::submit(Command command) {
  // What happened while nobody drove comes before this command (decision 24).
  while (runtime_->recovering() && !runtime_->fatal()) {
    io_.restart();
    io_.run_one();
  }
  std::optional<CommandReply> answer;
  runtime_->submit(std::move(command), [&](const CommandReply& reply) { answer = reply; });
  // A command on its way to the disk is waited for even when a signal comes.
  while (!answer && !runtime_->fatal()) {
    io_.restart();
    io_.run_one();
  }
  if (runtime_->fatal()) return failed();
  if (answer->error) return tl::unexpected(*answer->error);
  return *answer;
}

Result<void> Engine::follow(const RunId& root, const std::function<void(const RunId&)>& moved,
                            const std::function<void()>& tick) {
  bool following = true;
  runtime_->observe([&following, moved, root](const Record& record, const RunState& state) {
    if (following && state.start.root == root) moved(record.run);
  });
  CR_CHECK(runtime_->drive(root));
  commentary_->info("driving run=" + root.value);
  boost::asio::steady_timer ticking(io_);
  const std::function<void()> wait = [&] {
    ticking.expires_after(tick_every);
    ticking.async_wait([&](const boost::system::error_code& failed) {
      if (failed || !following) return;
      tick();
      wait();
    });
  };
  if (tick) wait();
  const Result<void> ended = run_until([&] { return runtime_->at_rest(root); });
  runtime_->stop_driving(root);
  commentary_->info((ended ? "at rest run=" : "stopped driving run=") + root.value);
  following = false;
  ticking.cancel();
  io_.restart();
  io_.poll();  // lets the cancelled wait end before what it refers to is gone
  return ended;
}

Result<void> Engine::serve_followers() {
  return run_until([&] { return server_->followers() == 0; });
}

}  // namespace checkride::cli
