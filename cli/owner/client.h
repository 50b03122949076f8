// The command line's side of the owner's socket: a LogReader over it, commands, and following a run.
// Blocking; one thread. A connection that breaks gives ErrorCode::unavailable: the owner left or died,
// and whoever asked may try the store's lock.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "cli/owner/wire.h"
#include "engine/base/files.h"
#include "engine/ports/event_log.h"
#include "engine/runtime/runtime.h"

namespace checkride::cli {

class OwnerClient final : public LogReader {
 public:
  // unavailable when nobody listens there.
  static Result<std::unique_ptr<OwnerClient>> connect(const std::filesystem::path& socket);

  Result<std::vector<RunHead>> heads() const override;
  Result<std::optional<RunHead>> head(const RunId& run) const override;
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override;
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override;
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override;
  Result<std::vector<SearchRow>> find(const std::string& fact_type,
                                      std::size_t count_max) const override;
  // The root runs that the owner drives now.
  Result<std::set<RunId>> driven() const;

  Result<void> store_definition(const StoredDefinition& definition);
  // The actor is the user at this end, or `claimed` when given.
  Result<CommandReply> submit(const CommandId& id, const RunId& run, const std::string& claimed,
                              const CommandBody& body);
  Result<VerifyReport> verify(const std::optional<RunId>& run) const;

  // Drives `root` while this connection lives. `moved` hears of each run of its tree that has new
  // records; returns when the tree rests. `idle` is called at least every 100 ms; where it says
  // false, following ends with timeout. The connection serves nothing else afterwards.
  Result<void> follow(const RunId& root, const std::function<void(const RunId&)>& moved,
                      const std::function<bool()>& idle);

 private:
  explicit OwnerClient(FileDescriptor socket) : socket_(std::move(socket)) {}
  template <class Fill>
  Result<void> ask(Fill&& fill) const;
  Result<std::string> receive() const;
  // Collects the items of an answer; `each` may say that it has seen enough.
  Result<void> items(const std::function<Result<bool>(schema::Item::Reader)>& each) const;

  FileDescriptor socket_;
};

}  // namespace checkride::cli
