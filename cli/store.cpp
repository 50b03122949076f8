#include "cli/store.h"

#include <thread>

#include "cli/owner/client.h"
#include "engine/base/version.h"
#include "engine/runners/local/process_identity.h"

namespace checkride::cli {

namespace {

// Between taking the lock and listening an owner needs a moment.
constexpr int connect_tries_max = 500;
constexpr std::chrono::milliseconds connect_wait(20);
constexpr int readers_max = 20;  // one after the other, for one question

// A store opened read-only, as a reader.
class ReadOnlyStore final : public LogReader {
 public:
  explicit ReadOnlyStore(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  Result<std::vector<RunHead>> heads() const override { return store_->reader().heads(); }
  Result<std::optional<RunHead>> head(const RunId& run) const override {
    return store_->reader().head(run);
  }
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override {
    return store_->reader().read(run, from, each);
  }
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override {
    return store_->reader().snapshot(run, at_most);
  }
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override {
    return store_->reader().definition(hash);
  }
  Result<std::vector<SearchRow>> find(const std::string& fact_type,
                                      std::size_t count_max) const override {
    return store_->reader().find(fact_type, count_max);
  }

 private:
  std::unique_ptr<Store> store_;
};

Result<std::unique_ptr<Store>> open_read_only(const std::filesystem::path& store) {
  StoreOptions options;
  options.mode = StoreMode::read_only;
  options.lock_wait = Duration(0);
  return Store::open(store, options);
}

Result<std::unique_ptr<OwnerClient>> connect_to_owner(const std::filesystem::path& store) {
  CR_TRY(const std::filesystem::path socket, owner_socket(store));
  return OwnerClient::connect(socket);
}

// Read-only if nobody owns the store, else its owner; which of the two may change while we look.
template <class ReadOnly, class Owner>
auto reader_or_owner(const std::filesystem::path& store, ReadOnly&& read_only, Owner&& owner)
    -> decltype(read_only(std::unique_ptr<Store>())) {
  for (int tries = 0;; ++tries) {
    if (auto client = connect_to_owner(store)) return owner(*std::move(client));
    auto opened = open_read_only(store);
    if (opened) return read_only(*std::move(opened));
    if (opened.error().code != ErrorCode::locked || tries >= connect_tries_max)
      return tl::unexpected(std::move(opened).error());
    std::this_thread::sleep_for(connect_wait);
  }
}

using Reader = Result<std::unique_ptr<LogReader>>;

// The owner may end while a verb reads: the verb goes on with the store, or with the next owner.
class SteadyReader final : public LogReader {
 public:
  SteadyReader(std::filesystem::path store, std::unique_ptr<LogReader> reader)
      : store_(std::move(store)), reader_(std::move(reader)) {}

  static Reader open(const std::filesystem::path& store) {
    return reader_or_owner(
        store,
        [](std::unique_ptr<Store> opened) -> Reader {
          return std::make_unique<ReadOnlyStore>(std::move(opened));
        },
        [](std::unique_ptr<OwnerClient> client) -> Reader { return client; });
  }

  Result<std::vector<RunHead>> heads() const override {
    return ask([](const LogReader& log) { return log.heads(); });
  }
  Result<std::optional<RunHead>> head(const RunId& run) const override {
    return ask([&](const LogReader& log) { return log.head(run); });
  }
  Result<void> read(const RunId& run, Sequence from,
                    const std::function<bool(const Record&)>& each) const override {
    return ask([&](const LogReader& log) {
      return log.read(run, from, [&](const Record& record) {
        from = Sequence(record.last().value + 1);  // where another reader goes on
        return each(record);
      });
    });
  }
  Result<std::optional<Snapshot>> snapshot(const RunId& run, Sequence at_most) const override {
    return ask([&](const LogReader& log) { return log.snapshot(run, at_most); });
  }
  Result<std::optional<StoredDefinition>> definition(const Digest& hash) const override {
    return ask([&](const LogReader& log) { return log.definition(hash); });
  }
  Result<std::vector<SearchRow>> find(const std::string& type, std::size_t max) const override {
    return ask([&](const LogReader& log) { return log.find(type, max); });
  }

 private:
  template <class Ask>
  auto ask(Ask&& question) const -> decltype(question(std::declval<const LogReader&>())) {
    for (int tries = 0;; ++tries) {
      auto answer = question(*reader_);
      if (answer || answer.error().code != ErrorCode::unavailable || tries == readers_max)
        return answer;
      auto reader = open(store_);
      if (!reader) return tl::unexpected(std::move(reader).error());
      reader_ = *std::move(reader);
    }
  }

  std::filesystem::path store_;
  mutable std::unique_ptr<LogReader> reader_;
};

}  // namespace

Result<std::filesystem::path> owner_socket(const std::filesystem::path& store) {
  CR_TRY(const std::string id, store_id(store));
  return socket_path(id);
}

Result<std::unique_ptr<Store>> open_for_writing(const std::filesystem::path& store) {
  StoreOptions options;
  options.build = build_version;
  options.host = current_host();
  CR_TRY(options.boot_id, current_boot_id());
  return Store::open(store, options);
}

Result<std::unique_ptr<LogReader>> open_for_reading(const std::filesystem::path& store) {
  CR_TRY(std::unique_ptr<LogReader> reader, SteadyReader::open(store));
  return std::make_unique<SteadyReader>(store, std::move(reader));
}

Result<VerifyReport> verify_store(const std::filesystem::path& store,
                                  const std::optional<RunId>& run) {
  for (int tries = 0;; ++tries) {
    auto report = reader_or_owner(
        store,
        [&](std::unique_ptr<Store> opened) -> Result<VerifyReport> { return opened->verify(run); },
        [&](std::unique_ptr<OwnerClient> client) -> Result<VerifyReport> {
          return client->verify(run);
        });
    // The owner may end meanwhile.
    if (report || report.error().code != ErrorCode::unavailable || tries == readers_max)
      return report;
  }
}

Result<void> AttemptKeeper::keep(const Token& token, const std::vector<Artifact>& artifacts) {
  for (const Artifact& artifact : artifacts) {
    CR_TRY(const StoredArtifact stored,
           artifacts_.put_file(attempts_ / token.value / artifact.name));
    if (stored.digest != artifact.digest)
      return fail(ErrorCode::corrupt, "'" + artifact.name + "' of attempt " + token.value +
                                          " is not what its supervisor wrote");
  }
  return {};
}

}  // namespace checkride::cli
