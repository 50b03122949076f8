// What a durable step costs: the log's append of one record of some 500 bytes against one append of
// 512 bytes with fdatasync, taken in turn on the same disk, as a ratio of medians; then groups of
// 128 records of as many runs with one sync. Prints; asserts nothing. A program, not a test:
//   store_bench [FOLDER]    (default: the current folder; must be on the disk in question)
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "store/rocksdb/store.h"

using namespace checkride;
using Clock_ = std::chrono::steady_clock;

namespace {

constexpr int single_steps = 1500;
constexpr int groups = 300;
constexpr std::uint64_t group_size = 128;

// A finished job, the guard it was judged by, and the step it led to.
Append typical_step(const std::string& run, std::uint64_t first) {
  Append append;
  Record& record = append.record;
  record.run = RunId(run);
  record.first = Sequence(first);
  record.build = "bench 1";
  record.command = CommandId("cmd-" + std::to_string(first));
  record.time = Timestamp{1'790'000'000'000'000'000 + static_cast<std::int64_t>(first)};
  JobFinished finished;
  finished.command.token = Token(run + "." + std::to_string(first));
  finished.command.outcome.status = JobStatus::pass;
  finished.command.outcome.completed = true;
  cel::Map result;
  result.set("exit_code", cel::Value(0));
  result.set("seconds", cel::Value(1.25));
  finished.command.outcome.result = cel::Value(result);
  record.events.emplace_back(finished);
  RecordedFact fact;
  fact.path = "result.exit_code";
  fact.value = cel::Value(0);
  GuardCandidate candidate;
  candidate.transition = statechart::TransitionIndex(4);
  candidate.holds = true;
  candidate.facts = {fact};
  record.events.emplace_back(GuardEvaluated{"done.invoke.build", {candidate}});
  TransitionTaken taken;
  taken.transitions = {statechart::TransitionIndex(4)};
  taken.trigger = "done.invoke.build";
  taken.exited = {statechart::StateIndex(3)};
  taken.entered = {statechart::StateIndex(5)};
  record.events.emplace_back(taken);
  append.summary.root = record.run;
  append.summary.mode = RunMode::running;
  append.summary.definition_name = "bench";
  append.summary.definition = sha256("bench");
  append.summary.updated = record.time;
  return append;
}

template <class Work>
double microseconds(Work&& work) {
  const auto begin = Clock_::now();
  work();
  return std::chrono::duration<double, std::micro>(Clock_::now() - begin).count();
}

double quantile(std::vector<double> all, double q) {
  std::sort(all.begin(), all.end());
  return all[static_cast<std::size_t>(q * static_cast<double>(all.size() - 1))];
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(4);
}

std::unique_ptr<Store> open_store(const std::filesystem::path& folder,
                                  const StoreOptions& options) {
  auto store = Store::open(folder / "store", options);
  if (!store) give_up(store.error().text());
  return *std::move(store);
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = std::filesystem::absolute(argc > 1 ? argv[1] : ".") /
                                       ("store-bench." + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  StoreOptions options;
  options.heads_folder = folder / "heads";
  auto store = open_store(folder, options);
  EventLog& log = *store->log();
  const FileDescriptor bare(
      ::open((folder / "bare").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::array<char, 512> block{};

  std::vector<double> append_us;
  std::vector<double> sync_us;
  std::uint64_t next = 1;
  for (int i = 0; i < single_steps; ++i, next += 3) {
    sync_us.push_back(microseconds([&] {
      if (::write(bare.get(), block.data(), block.size()) != 512 || ::fdatasync(bare.get()) != 0)
        give_up("cannot write the bare file");
    }));
    Append step = typical_step("single", next);
    append_us.push_back(microseconds([&] {
      const auto committed = log.append(std::span(&step, 1));
      if (!committed) give_up(committed.error().text());
    }));
  }
  const double sync_p50 = quantile(sync_us, 0.5);
  const double append_p50 = quantile(append_us, 0.5);
  std::printf("one sync of 512 bytes   p50 %8.1f us  p99 %8.1f us\n", sync_p50,
              quantile(sync_us, 0.99));
  std::printf("one durable step        p50 %8.1f us  p99 %8.1f us  ratio %.2f\n", append_p50,
              quantile(append_us, 0.99), append_p50 / sync_p50);

  std::vector<std::uint64_t> at(group_size, 1);
  double append_total = 0;
  for (int g = 0; g < groups; ++g) {
    std::vector<Append> batch;
    for (std::uint64_t r = 0; r < group_size; ++r, at[r - 1] += 3)
      batch.push_back(typical_step("run-" + std::to_string(r), at[r]));
    append_total += microseconds([&] {
      const auto committed = log.append(batch);
      if (!committed) give_up(committed.error().text());
    });
  }
  std::printf("groups of %llu           %8.0f records/s\n",
              static_cast<unsigned long long>(group_size),
              static_cast<double>(groups) * static_cast<double>(group_size) / append_total * 1e6);
  const auto report = store->verify();
  if (!report) give_up(report.error().text());
  const double seconds = std::chrono::duration<double>(report->took).count();
  std::printf("verify                  %8.0f records/s  %6.1f MB/s  %zu problems\n",
              static_cast<double>(report->records) / seconds,
              static_cast<double>(report->bytes) / seconds / 1e6, report->problems.size());
  std::printf("bytes per record        %8.0f\n",
              static_cast<double>(report->bytes) / static_cast<double>(report->records));
  store.reset();
  const double write_us = microseconds([&] { store = open_store(folder, options); });
  store.reset();
  options.mode = StoreMode::read_only;
  const double read_us = microseconds([&] { store = open_store(folder, options); });
  const double heads_us = microseconds([&] {
    if (!store->reader().heads()) give_up("cannot read the heads");
  });
  std::printf("opening, owner          %8.1f ms\n", write_us / 1e3);
  std::printf("opening, reader         %8.1f ms  and all heads %.1f ms\n", read_us / 1e3,
              heads_us / 1e3);
  store.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return 0;
}
