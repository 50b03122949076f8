#include "engine/runners/local/local_runner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/ports/clock.h"
#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/claim.h"
#include "engine/runners/local/outcome_check.h"
#include "engine/runners/local/settle.h"

namespace checkride {

namespace fs = std::filesystem;
namespace asio = boost::asio;

namespace {

constexpr std::size_t inline_threads = 2;
constexpr std::size_t file_threads = 2;  // one may be busy ending a dead supervisor's job
constexpr std::size_t log_bytes_max = 1 << 16;
constexpr Duration spawn_patience = std::chrono::milliseconds(100);

struct Spawned {
  pid_t pid = -1;
  FileDescriptor process;  // pidfd
  FileDescriptor notice;   // readable when identity.json is there
};

Result<Spawned> spawn_supervisor(const std::vector<std::string>& command, const fs::path& folder) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("open", "a pipe for the supervisor");
  Spawned spawned;
  spawned.notice.reset(ends[0]);
  const FileDescriptor writer(ends[1]);
  ::fcntl(spawned.notice.get(), F_SETFL, O_NONBLOCK);

  std::vector<std::string> words = command;
  words.push_back(folder.native());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  // Signals the supervisor listens for are blocked from birth: a cancel cannot kill it before it
  // listens. Descriptors of the engine stop at the spawn.
  sigset_t blocked;
  sigset_t all;
  sigemptyset(&blocked);
  sigfillset(&all);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD}) sigaddset(&blocked, number);
  const fs::path log = folder / supervisor_log_file;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  ::posix_spawnattr_setsigmask(&attributes, &blocked);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  const int error =
      ::posix_spawnp(&spawned.pid, argv[0], &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    errno = error;
    return fail_errno("start the supervisor", command.front());
  }
  spawned.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, spawned.pid, 0)));
  if (!spawned.process) {
    auto failed = fail_errno("watch", "the supervisor");
    ::kill(spawned.pid, SIGKILL);
    ::waitpid(spawned.pid, nullptr, 0);
    return failed;
  }
  return spawned;
}

JobOutcome from_error(const Error& error) {
  const bool full = error.code == ErrorCode::no_space;
  JobOutcome outcome = not_completed(
      JobStatus::error, full ? FailureClass::resource : FailureClass::infra, error.text());
  outcome.ended = SystemClock().now();
  return outcome;
}

JobOutcome run_inline(const JobKind& kind, const JobSpec& spec, const fs::path& folder) {
  const SystemClock clock;
  const Timestamp started = clock.now();
  JobOutcome outcome;
  Result<void> made = make_folders(folder);
  if (made && !spec.folder.empty()) made = make_folders(spec.folder);
  if (!made) {
    outcome = from_error(made.error());
  } else {
    try {
      outcome = kind.run(spec, JobContext{folder, spec.folder});
    } catch (const std::exception& exception) {
      outcome = not_completed(JobStatus::error, FailureClass::code,
                              "bug of the kind " + spec.kind + ": it threw " + exception.what());
    }
    std::vector<std::string> unmet =
        missing_files(spec.expect, spec.folder.empty() ? folder : fs::path(spec.folder));
    if (!spec.expect.log_contains.empty() || !spec.parse.empty())
      unmet.push_back("the kind " + spec.kind + " prints no output to look into");
    apply_unmet(outcome, unmet);
    check_outcome(outcome, kind.signature());
  }
  outcome.started = started;
  outcome.ended = clock.now();
  return outcome;
}

}  // namespace

struct LocalRunner::Implementation {
  // An attempt from start() or recover() until its one report. Handlers and pool tasks hold it
  // weakly: after a detach they find nothing and fall silent.
  struct Watch {
    Watch(asio::io_context& io, JobSpec spec_)
        : spec(std::move(spec_)), process(io), notice(io), timer(io) {}
    JobSpec spec;
    asio::posix::stream_descriptor process;
    asio::posix::stream_descriptor notice;
    asio::steady_timer timer;  // run timeout of an inline job, start timeout of another
    std::array<char, 16> word{};
    pid_t child = -1;  // a supervisor of ours, to be reaped
    bool in_pool = false;
    bool cancel_wanted = false;
    bool reported_started = false;
  };
  using WatchPointer = std::shared_ptr<Watch>;

  Implementation(asio::io_context& io_, JobListener& listener_, const JobCatalog& catalog_,
                 fs::path attempts_, std::vector<std::string> supervisor_)
      : io(io_),
        listener(listener_),
        catalog(catalog_),
        attempts(std::move(attempts_)),
        supervisor(std::move(supervisor_)) {}

  fs::path folder_of(const Token& token) const { return attempts / token.value; }

  // Runs `work` on the pool and hands its value to `then` on the engine's thread, unless the
  // attempt is no longer watched by then.
  template <class Work, class Then>
  void on_pool(asio::thread_pool& pool, const WatchPointer& watch, Work work, Then then) {
    auto busy = asio::make_work_guard(io);  // io_context::run() must not end meanwhile
    asio::post(pool, [this, weak = std::weak_ptr<Watch>(watch), busy = std::move(busy),
                      work = std::move(work), then = std::move(then)]() mutable {
      auto value = work();
      asio::post(
          io, [weak = std::move(weak), value = std::move(value), then = std::move(then)]() mutable {
            if (const WatchPointer alive = weak.lock()) then(alive, std::move(value));
          });
    });
  }

  void start(const JobSpec& spec);
  void run_in_pool(const WatchPointer& watch, const JobKind& kind);
  void spawn(const WatchPointer& watch);
  void limit_start(const WatchPointer& watch, Duration left);
  void start_is_late(const WatchPointer& watch);
  void watch_process(const WatchPointer& watch);
  void watch_notice(const WatchPointer& watch);
  void settle(const WatchPointer& watch);
  void settled(const WatchPointer& watch, Settlement settlement, bool unclaimed,
               const std::string& log);
  void cancel(const Token& token);
  void send_cancel(Watch& watch);
  void report_started(Watch& watch, const ProcessIdentity& identity, bool adopted);
  void finish(const WatchPointer& watch, const JobOutcome& outcome);
  WatchPointer add(const JobSpec& spec);
  bool inline_kind(const JobKind* kind) const {
    return kind != nullptr && !kind->signature().supervised;
  }

  asio::io_context& io;
  JobListener& listener;
  const JobCatalog& catalog;
  fs::path attempts;
  std::vector<std::string> supervisor;
  std::unordered_map<Token, WatchPointer> watches;
  asio::thread_pool files{file_threads};
  asio::thread_pool inlines{inline_threads};
};

LocalRunner::Implementation::WatchPointer LocalRunner::Implementation::add(const JobSpec& spec) {
  const auto [place, is_new] = watches.try_emplace(spec.token);
  if (!is_new) return nullptr;
  place->second = std::make_shared<Watch>(io, spec);
  return place->second;
}

void LocalRunner::Implementation::start(const JobSpec& spec) {
  const WatchPointer watch = add(spec);
  if (watch == nullptr) return;
  const JobKind* kind = catalog.find(spec.kind);
  if (inline_kind(kind)) return run_in_pool(watch, *kind);
  if (spec.limits.start_timeout) limit_start(watch, *spec.limits.start_timeout);
  spawn(watch);  // an unknown kind too: its supervisor says so, like that of a missing version
}

// Up to the claim the limit is kept here: a claim made void cannot start any more. From then on the
// supervisor keeps it.
void LocalRunner::Implementation::limit_start(const WatchPointer& watch, Duration left) {
  watch->timer.expires_after(left);
  watch->timer.async_wait([this, weak = std::weak_ptr<Watch>(watch)](auto error) {
    const WatchPointer alive = weak.lock();
    if (error || alive == nullptr || alive->reported_started) return;
    if (alive->child < 0) return limit_start(alive, spawn_patience);  // it is being spawned
    start_is_late(alive);
  });
}

void LocalRunner::Implementation::start_is_late(const WatchPointer& watch) {
  on_pool(
      files, watch, [folder = folder_of(watch->spec.token)] { return void_claim(folder); },
      [this](const WatchPointer& alive, const Result<void>& voided) {
        if (!voided || alive->child < 0) return;  // claimed, or ended meanwhile
        // What hangs before its claim holds nothing and has started nothing.
        ::syscall(SYS_pidfd_send_signal, alive->process.native_handle(), SIGKILL, nullptr, 0);
        asio::post(files, [child = std::exchange(alive->child, -1)] {
          while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
          }
        });
        JobOutcome outcome =
            not_completed(JobStatus::error, FailureClass::timeout,
                          "it did not start within its start timeout of " +
                              to_human(alive->spec.limits.start_timeout.value_or(Duration(0))));
        outcome.limit = TimeLimit::start;
        outcome.ended = SystemClock().now();
        finish(alive, outcome);
      });
}

void LocalRunner::Implementation::run_in_pool(const WatchPointer& watch, const JobKind& kind) {
  watch->in_pool = true;
  if (watch->spec.limits.run_timeout) {
    const Duration timeout = *watch->spec.limits.run_timeout;
    watch->timer.expires_after(timeout);
    watch->timer.async_wait([this, weak = std::weak_ptr<Watch>(watch), timeout](auto error) {
      const WatchPointer alive = weak.lock();
      if (error || alive == nullptr) return;
      JobOutcome outcome =
          not_completed(JobStatus::error, FailureClass::timeout,
                        "it ran longer than its run timeout of " + to_human(timeout));
      outcome.limit = TimeLimit::run;
      outcome.ended = SystemClock().now();
      finish(alive, outcome);
    });
  }
  on_pool(
      inlines, watch,
      [&kind, spec = watch->spec, folder = folder_of(watch->spec.token)] {
        return run_inline(kind, spec, folder);
      },
      [this](const WatchPointer& alive, const JobOutcome& outcome) { finish(alive, outcome); });
}

void LocalRunner::Implementation::spawn(const WatchPointer& watch) {
  on_pool(
      files, watch,
      [command = supervisor, spec = watch->spec, folder = folder_of(watch->spec.token)] {
        return prepare_attempt(folder, spec).and_then([&] {
          return spawn_supervisor(command, folder);
        });
      },
      [this](const WatchPointer& alive, Result<Spawned> spawned) {
        if (!spawned) return finish(alive, from_error(spawned.error()));
        alive->child = spawned->pid;
        alive->process.assign(spawned->process.release());
        alive->notice.assign(spawned->notice.release());
        if (alive->cancel_wanted) send_cancel(*alive);
        watch_notice(alive);
        watch_process(alive);
      });
}

void LocalRunner::Implementation::watch_notice(const WatchPointer& watch) {
  watch->notice.async_read_some(
      asio::buffer(watch->word),
      [this, weak = std::weak_ptr<Watch>(watch)](auto error, std::size_t) {
        const WatchPointer alive = weak.lock();
        if (error || alive == nullptr) return;
        if (const auto identity = read_identity(folder_of(alive->spec.token)))
          report_started(*alive, *identity, false);
      });
}

void LocalRunner::Implementation::watch_process(const WatchPointer& watch) {
  watch->process.async_wait(asio::posix::stream_descriptor::wait_read,
                            [this, weak = std::weak_ptr<Watch>(watch)](auto error) {
                              const WatchPointer alive = weak.lock();
                              if (!error && alive != nullptr) settle(alive);
                            });
}

// The supervisor has ended, or an earlier engine left the attempt to us: find out what became of
// it.
void LocalRunner::Implementation::settle(const WatchPointer& watch) {
  boost::system::error_code ignored;
  watch->process.close(ignored);
  struct Looked {
    Settlement settlement;
    bool unclaimed = false;  // a supervisor of ours ended without so much as a claim
    std::string log;
  };
  on_pool(
      files, watch,
      [folder = folder_of(watch->spec.token), token = watch->spec.token,
       child = std::exchange(watch->child, -1)] {
        Looked looked;
        if (child > 0) {
          while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
          }
          looked.unclaimed = look_at_attempt(folder, token).trace == AttemptTrace::absent;
          looked.log = read_file(folder / supervisor_log_file, log_bytes_max).value_or("");
        }
        looked.settlement = settle_attempt(folder, token);
        return looked;
      },
      [this](const WatchPointer& alive, Looked looked) {
        settled(alive, std::move(looked.settlement), looked.unclaimed, looked.log);
      });
}

void LocalRunner::Implementation::settled(const WatchPointer& watch, Settlement settlement,
                                          bool unclaimed, const std::string& log) {
  switch (settlement.kind) {
    case Settlement::Kind::adopt:
      watch->process.assign(settlement.supervisor.release());
      report_started(*watch, settlement.identity, true);
      if (watch->cancel_wanted) send_cancel(*watch);
      watch_process(watch);
      return;
    case Settlement::Kind::unknown: {
      const WatchPointer kept = watch;  // the map's was perhaps the last
      const Token token = kept->spec.token;
      watches.erase(token);
      listener.on_unknown(token, settlement.findings);
      return;
    }
    case Settlement::Kind::ended: break;
  }
  JobOutcome& outcome = settlement.outcome;
  if (outcome.never_started && unclaimed) {
    // Asking again would fail again: this is no race of two engines but a supervisor that cannot
    // run.
    outcome =
        not_completed(JobStatus::error, FailureClass::infra,
                      "the supervisor ended before it claimed the attempt" +
                          (log.empty() ? std::string() : ": " + log.substr(0, log.find('\n'))));
    outcome.never_started = true;  // its claim was voided: it provably cannot start any more
    outcome.ended = SystemClock().now();
  }
  // The notice and the end may arrive together, in any order; tell of the start first.
  if (watch->notice.is_open() && settlement.started)
    report_started(*watch, settlement.identity, false);
  finish(watch, outcome);
}

void LocalRunner::Implementation::report_started(Watch& watch, const ProcessIdentity& identity,
                                                 bool adopted) {
  if (std::exchange(watch.reported_started, true)) return;
  listener.on_started(watch.spec.token, identity, adopted);
}

void LocalRunner::Implementation::finish(const WatchPointer& watch, const JobOutcome& outcome) {
  const Token token = watch->spec.token;
  watches.erase(token);  // first: the listener may start or recover at once
  listener.on_finished(token, outcome);
}

void LocalRunner::Implementation::cancel(const Token& token) {
  const auto place = watches.find(token);
  if (place == watches.end() || std::exchange(place->second->cancel_wanted, true)) return;
  const WatchPointer watch = place->second;
  if (!watch->in_pool) {
    if (watch->process.is_open()) send_cancel(*watch);
    return;
  }
  asio::post(io, [this, weak = std::weak_ptr<Watch>(watch)] {
    const WatchPointer alive = weak.lock();
    if (alive == nullptr) return;
    JobOutcome outcome = not_completed(JobStatus::error, FailureClass::none, "cancelled");
    outcome.cancelled = true;
    outcome.ended = SystemClock().now();
    finish(alive, outcome);
  });
}

void LocalRunner::Implementation::send_cancel(Watch& watch) {
  ::syscall(SYS_pidfd_send_signal, watch.process.native_handle(), SIGTERM, nullptr, 0);
}

LocalRunner::LocalRunner(asio::io_context& io, JobListener& listener, const JobCatalog& catalog,
                         fs::path attempts, std::vector<std::string> supervisor)
    : implementation_(std::make_unique<Implementation>(
          io, listener, catalog, fs::absolute(attempts), std::move(supervisor))) {}

LocalRunner::~LocalRunner() {
  detach();
  // What has not begun is dropped: a start without a claim, which the next engine finds.
  implementation_->files.stop();
  implementation_->inlines.stop();
  implementation_->files.join();
  implementation_->inlines.join();
}

void LocalRunner::start(const JobSpec& spec) {
  implementation_->start(spec);
}

void LocalRunner::recover(const JobSpec& spec) {
  const JobKind* kind = implementation_->catalog.find(spec.kind);
  if (implementation_->inline_kind(kind)) return implementation_->start(spec);
  const auto watch = implementation_->add(spec);
  if (watch != nullptr) implementation_->settle(watch);
}

void LocalRunner::cancel(const Token& token) {
  implementation_->cancel(token);
}

AttemptTrace LocalRunner::look(const Token& token) const {
  return look_at_attempt(implementation_->folder_of(token), token).trace;
}

void LocalRunner::detach() {
  implementation_->watches.clear();
}

fs::path LocalRunner::attempt_folder(const Token& token) const {
  return implementation_->folder_of(token);
}

}  // namespace checkride
