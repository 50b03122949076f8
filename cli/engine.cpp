#include "cli/engine.h"

#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "engine/base/files.h"
#include "engine/base/version.h"

namespace checkride::cli {

Result<std::unique_ptr<Engine>> Engine::open(const Context& context) {
  CR_TRY(OpenStore store, open_for_writing(context.store));
  CR_CHECK(make_folders(context.attempts()));
  std::unique_ptr<Engine> engine(new Engine);
  engine->log_ = std::move(store.log);
  engine->keeper_ = std::move(store.keeper);
  engine->definitions_ = std::make_unique<StoredDefinitions>(*engine->log_, context.catalog);
  RuntimeOptions options;
  options.build = build_version;
  engine->runtime_ =
      std::make_unique<Runtime>(engine->io_, *engine->log_, engine->clock_, *engine->definitions_,
                                *engine->keeper_, std::move(options));
  engine->runner_ = std::make_unique<LocalRunner>(
      engine->io_, *engine->runtime_, context.catalog, context.attempts(),
      std::vector<std::string>{"/proc/self/exe", "supervise"});
  engine->runtime_->set_runner(*engine->runner_);
  CR_CHECK(engine->runtime_->recover());
  engine->server_ =
      std::make_unique<OwnerServer>(engine->io_, *engine->runtime_, *engine->log_, engine->clock_,
                                    std::move(store.verify));
  CR_CHECK(engine->server_->listen(store.socket));
  return engine;
}

Engine::~Engine() {
  if (server_) server_->close();
  if (runtime_) runtime_->shutdown();
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
  if (runtime_->fatal()) return tl::unexpected(*runtime_->fatal());
  if (interrupted) return fail(ErrorCode::timeout, "interrupted; running jobs go on");
  return {};
}

Result<CommandReply> Engine::submit(Command command) {
  std::optional<CommandReply> answer;
  runtime_->submit(std::move(command), [&](const CommandReply& reply) { answer = reply; });
  // A command on its way to the disk is waited for even when a signal comes.
  while (!answer && !runtime_->fatal()) {
    io_.restart();
    io_.run_one();
  }
  if (runtime_->fatal()) return tl::unexpected(*runtime_->fatal());
  if (answer->error) return tl::unexpected(*answer->error);
  return *answer;
}

Result<void> Engine::follow(const RunId& root, const std::function<void(const RunId&)>& moved) {
  bool following = true;
  runtime_->observe([&following, moved, root](const Record& record, const RunState& state) {
    if (following && state.start.root == root) moved(record.run);
  });
  CR_CHECK(runtime_->drive(root));
  const Result<void> ended = run_until([&] { return runtime_->at_rest(root); });
  runtime_->stop_driving(root);
  following = false;
  return ended;
}

Result<void> Engine::serve_followers() {
  return run_until([&] { return server_->followers() == 0; });
}

}  // namespace checkride::cli
