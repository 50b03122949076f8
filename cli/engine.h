// The owner of a store, put together: log, runtime, local runner, socket. Exists while an acting verb
// runs; several runs may be driven at once, by this process and for the clients of its socket.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/commentary.h"
#include "cli/context.h"
#include "cli/definitions.h"
#include "cli/owner/server.h"
#include "cli/store.h"
#include "engine/runners/local/local_runner.h"
#include "engine/runtime/runtime.h"

namespace checkride::cli {

class Engine {
 public:
  // locked when another process owns the store.
  static Result<std::unique_ptr<Engine>> open(const Context& context);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Blocks until the command is durable and answered.
  Result<CommandReply> submit(Command command);
  Command command(CommandId id, RunId run, Actor actor, CommandBody body) const;

  // Drives `root` until nothing in its tree can move without a person. `moved` hears of each run with
  // new records; `tick`, where given, is called every 100 ms. Error timeout: interrupted by a signal
  // (jobs go on).
  Result<void> follow(const RunId& root, const std::function<void(const RunId&)>& moved,
                      const std::function<void()>& tick = {});
  // Goes on serving as long as clients follow something.
  Result<void> serve_followers();

  EventLog& log() { return *store_->log(); }
  Runtime& runtime() { return *runtime_; }
  JobRunner& runner() { return *runner_; }
  StoredDefinitions& definitions() { return *definitions_; }

 private:
  Engine() = default;
  Result<void> run_until(const std::function<bool()>& done);
  tl::unexpected<Error> failed();  // the runtime's fatal error
  void comment_on_opening(const Context& context);

  boost::asio::io_context io_{1};
  SystemClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Commentary> commentary_;
  std::unique_ptr<StoredDefinitions> definitions_;
  std::unique_ptr<ArtifactKeeper> keeper_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<LocalRunner> runner_;
  std::unique_ptr<OwnerServer> server_;
};

}  // namespace checkride::cli
