// The owner's side of the socket: answers readers from the log, passes commands to the runtime, drives
// what its clients follow. Runs on the engine's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "engine/ports/event_log.h"
#include "engine/runtime/runtime.h"

namespace checkride::cli {

class OwnerServer {
 public:
  using Verify = std::function<Result<VerifyReport>(const std::optional<RunId>&)>;

  OwnerServer(boost::asio::io_context& io, Runtime& runtime, EventLog& log, Clock& clock,
              Verify verify);
  ~OwnerServer();
  // Takes over a stale socket file: whoever holds the store's lock may.
  Result<void> listen(const std::filesystem::path& path);
  void close();
  // Told when a client begins and ends to follow a run.
  void on_driving(std::function<void(const RunId&, bool drives)> told) {
    driving_ = std::move(told);
  }
  // Runs that clients follow now.
  std::size_t followers() const;

 private:
  class Session;
  void accept();
  void notify(const Record& record, const RunState& state);

  boost::asio::io_context& io_;
  Runtime& runtime_;
  EventLog& log_;
  Clock& clock_;
  Verify verify_;
  std::function<void(const RunId&, bool)> driving_;
  std::filesystem::path path_;
  std::optional<boost::asio::local::stream_protocol::acceptor> acceptor_;
  std::set<std::shared_ptr<Session>> sessions_;
};

}  // namespace checkride::cli
