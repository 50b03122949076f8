// A writer to be killed: opens the store, appends records to a few runs in synced groups, and
// prints the record number of each group after it was acknowledged. Ends only by signal or error.
//   store_writer STORE HEADS_FOLDER GROUP
#include <cstdio>
#include <cstdlib>
#include <map>

#include "store/rocksdb/store.h"

using namespace checkride;

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  StoreOptions options;
  options.heads_folder = argv[2];
  options.build = "writer 1";
  const auto store = Store::open(argv[1], options);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().text().c_str());
    return 4;
  }
  EventLog& log = *(*store)->log();
  const std::size_t group = static_cast<std::size_t>(std::atoi(argv[3]));
  std::map<std::string, std::uint64_t> next;
  for (std::uint64_t round = 0;; ++round) {
    std::vector<Append> batch;
    for (std::size_t i = 0; i < group; ++i) {
      const std::string run = "run-" + std::to_string((round + i) % 5);
      auto at = next.find(run);
      if (at == next.end()) {
        const auto head = log.head(RunId(run));
        if (!head) return 4;
        at = next.emplace(run, *head ? (*head)->last.value + 1 : 1).first;
      }
      Append append;
      append.record.run = RunId(run);
      append.record.first = Sequence(at->second);
      append.record.build = "writer 1";
      append.record.command = CommandId("c" + std::to_string(round));
      append.record.events.emplace_back(RunCancelRequested{CancelRun{std::string(200, 'r')}});
      append.record.events.emplace_back(EventTaken{});
      at->second += 2;
      batch.push_back(std::move(append));
    }
    const auto committed = log.append(batch);
    if (!committed) {
      std::fprintf(stderr, "%s\n", committed.error().text().c_str());
      return 4;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(committed->back().global.value));
    std::fflush(stdout);
  }
}
