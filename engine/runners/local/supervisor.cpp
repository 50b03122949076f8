#include "engine/runners/local/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>

#include "engine/ports/clock.h"
#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/claim.h"
#include "engine/runners/local/environment.h"
#include "engine/runners/local/gpu_lock.h"
#include "engine/runners/local/guard_process.h"
#include "engine/runners/local/job_process.h"
#include "engine/runners/local/job_watch.h"
#include "engine/runners/local/outcome_check.h"
#include "engine/runners/local/process_identity.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

constexpr off_t reserve_bytes = 64 << 10;
constexpr int exit_no_manifest = 4;

void complain(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
}

// The world failed around the job.
JobOutcome from_error(const Error& error) {
  const bool full = error.code == ErrorCode::no_space;
  return not_completed(JobStatus::error, full ? FailureClass::resource : FailureClass::infra,
                       error.text());
}

JobOutcome unavailable(std::string message) {
  return not_completed(JobStatus::unavailable, FailureClass::unavailable, std::move(message));
}

// A kind that throws broke its contract; what it says is still worth keeping.
template <class Call>
JobOutcome caught(const JobSpec& spec, Call&& call) {
  std::string what = "an unknown exception";
  try {
    return call();
  } catch (const std::exception& exception) {
    what = exception.what();
  } catch (...) {
  }
  return not_completed(JobStatus::error, FailureClass::code,
                       "bug of the kind " + spec.kind + ": it threw " + what);
}

bool cancel_pending() {
  sigset_t pending;
  sigemptyset(&pending);
  ::sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1;
}

JobOutcome timed_out(TimeLimit limit, std::string message) {
  JobOutcome outcome = not_completed(JobStatus::error, FailureClass::timeout, std::move(message));
  outcome.limit = limit;
  return outcome;
}

JobOutcome cancelled(std::string message) {
  JobOutcome outcome = not_completed(JobStatus::error, FailureClass::none, std::move(message));
  outcome.cancelled = true;
  return outcome;
}

// One claimed attempt from here to its outcome.
class Attempt {
 public:
  Attempt(fs::path folder, const JobSpec& spec, const JobCatalog& catalog, ProcessIdentity identity)
      : folder_(std::move(folder)),
        spec_(spec),
        catalog_(catalog),
        identity_(std::move(identity)) {}

  JobOutcome carry_out();

 private:
  JobOutcome prepare_and_run();
  std::optional<JobOutcome> lock_devices();
  std::optional<JobOutcome> start_limit_passed() const;
  Result<JobEnd> watch(JobProcess& job, JobStream& output, JobStream& error, OutputMatch& match);
  Result<void> make_known(JobProcess& job);
  void run_own_kind() const;
  fs::path working_folder() const;
  JobOutcome conclude(const JobEnd& end, const JobProcess& job, const JobStream& output,
                      const JobStream& error, const OutputMatch& match);
  JobOutcome outcome_of_job(const JobEnd& end, const JobStream& output, const JobStream& error,
                            const OutputMatch& match);

  fs::path folder_;
  const JobSpec& spec_;
  const JobCatalog& catalog_;
  ProcessIdentity identity_;
  const JobKind* kind_ = nullptr;
  std::optional<ProcessCommand> command_;  // of a foreign program
  EnvironmentVariables secrets_;
  GpuLocks locks_;  // held to the end of the attempt
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

std::optional<JobOutcome> Attempt::start_limit_passed() const {
  const auto& limit = spec_.limits.start_timeout;
  if (!limit || std::chrono::steady_clock::now() - begun_ < *limit) return std::nullopt;
  return timed_out(TimeLimit::start,
                   "it did not start within its start timeout of " + to_human(*limit));
}

// Another store may be using a GPU that this one has leased: wait for it.
std::optional<JobOutcome> Attempt::lock_devices() {
  sigset_t cancel;
  sigemptyset(&cancel);
  sigaddset(&cancel, SIGTERM);
  const timespec look_again{0, 100'000'000};
  for (bool told = false;; told = true) {
    const auto busy = locks_.take(spec_.leased);
    if (!busy) return from_error(busy.error());
    if (busy->empty()) return std::nullopt;
    if (!told) complain("waiting for GPU " + *busy + ", which is in use outside this store");
    if (auto late = start_limit_passed()) return late;
    if (::sigtimedwait(&cancel, nullptr, &look_again) == SIGTERM)
      return cancelled("cancelled before it started");
  }
}

JobOutcome Attempt::carry_out() {
  JobOutcome outcome = prepare_and_run();
  if (kind_ != nullptr) check_outcome(outcome, kind_->signature());
  SecretMask(secrets_).mask_outcome(outcome);
  outcome.started = identity_.started;
  outcome.ended = SystemClock().now();
  return outcome;
}

fs::path Attempt::working_folder() const {
  if (command_ && !command_->folder.empty()) return command_->folder;
  return spec_.folder.empty() ? folder_ : fs::path(spec_.folder);
}

JobOutcome Attempt::prepare_and_run() {
  kind_ = catalog_.find(spec_.kind);
  if (kind_ == nullptr) return unavailable("this checkride has no job kind '" + spec_.kind + "'");
  if (const std::uint32_t have = kind_->signature().version; have != spec_.kind_version)
    return unavailable("the run needs version " + std::to_string(spec_.kind_version) +
                       " of the kind " + spec_.kind + "; this checkride has version " +
                       std::to_string(have));
  auto secrets = find_secrets(spec_);
  if (!secrets) return unavailable(secrets.error().message);
  secrets_ = *std::move(secrets);
  auto match = OutputMatch::create(spec_.expect, spec_.parse);
  if (!match) return not_completed(JobStatus::error, FailureClass::code, match.error().message);
  std::optional<JobOutcome> refused;
  const JobOutcome threw = caught(spec_, [&] {
    auto command = kind_->command(spec_, JobContext{folder_, spec_.folder});
    if (command && !*command) {
      const Error& error = command->error();
      refused = error.code == ErrorCode::unavailable
                    ? unavailable(error.text())
                    : not_completed(JobStatus::error, FailureClass::code, error.text());
    } else if (command) {
      command_ = **std::move(command);
    }
    return JobOutcome{};
  });
  if (!threw.message.empty()) return threw;
  if (refused) return *refused;
  if (command_ && command_->argv.empty())
    return not_completed(JobStatus::error, FailureClass::code,
                         "bug of the kind " + spec_.kind + ": it named no program");
  if (cancel_pending()) return cancelled("cancelled before it started");
  if (auto ended = lock_devices()) return *std::move(ended);

  auto output = OutputFile::create(folder_ / "stdout", spec_.limits.output_bytes_max);
  if (!output) return from_error(output.error());
  auto error = OutputFile::create(folder_ / "stderr", spec_.limits.output_bytes_max);
  if (!error) return from_error(error.error());
  JobStream output_stream(OutputMatch::Stream::output, *std::move(output), secrets_);
  JobStream error_stream(OutputMatch::Stream::error, *std::move(error), secrets_);

  JobLaunch launch;
  launch.folder = working_folder();
  EnvironmentVariables added;
  if (command_) {
    launch.argv = command_->argv;
    launch.input = command_->input;
    added = command_->env;
  } else {
    launch.body = [this] { run_own_kind(); };
  }
  launch.environment = job_environment(spec_, identity_, added, secrets_);
  auto job = JobProcess::fork(launch);
  if (!job) return from_error(job.error());
  const auto abandon = [&] {
    ::kill(job->pid(), SIGKILL);  // it has not run an instruction of its own
    while (::waitpid(job->pid(), nullptr, 0) < 0 && errno == EINTR) {
    }
  };
  if (auto late = start_limit_passed()) {
    abandon();
    return *std::move(late);
  }
  if (auto known = make_known(*job); !known) {
    abandon();
    return from_error(known.error());
  }
  const auto end = watch(*job, output_stream, error_stream, *match);
  if (!end) return from_error(end.error());

  JobOutcome outcome = conclude(*end, *job, output_stream, error_stream, *match);
  for (JobStream* stream : {&output_stream, &error_stream}) {
    if (end->output_error) continue;
    auto artifact = stream->file.finish();
    if (!artifact) {
      JobOutcome damaged = from_error(artifact.error());
      damaged.failure = FailureClass::resource;
      return damaged;
    }
    outcome.artifacts.push_back(*std::move(artifact));
  }
  return outcome;
}

// Identity first, then the job: nothing of it runs before it can be found again.
Result<void> Attempt::make_known(JobProcess& job) {
  CR_TRY(const ProcessStat stat, process_stat(job.pid()));
  identity_.job_pid = stat.pid;
  identity_.job_start_ticks = stat.start_ticks;
  identity_.started = SystemClock().now();
  CR_CHECK(write_identity(folder_, identity_));
  // The engine may be gone already; then nobody reads this.
  static constexpr std::string_view word = "started\n";
  [[maybe_unused]] const ssize_t put = ::write(STDOUT_FILENO, word.data(), word.size());
  return {};
}

Result<JobEnd> Attempt::watch(JobProcess& job, JobStream& output, JobStream& error,
                              OutputMatch& match) {
  sigset_t heard;
  sigemptyset(&heard);
  sigaddset(&heard, SIGCHLD);
  sigaddset(&heard, SIGTERM);
  const FileDescriptor signals(::signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals) return fail_errno("listen for", "signals");
  JobWatch watch(job, output, error, match, spec_.limits);
  CR_CHECK(job.release());
  return watch.run(signals.get());
}

// In the child. Its result goes to disk masked, like everything else of it.
void Attempt::run_own_kind() const {
  JobOutcome outcome = caught(spec_, [&] {
    return kind_->run(spec_, JobContext{folder_, spec_.folder});
  });
  check_outcome(outcome, kind_->signature());
  SecretMask(secrets_).mask_outcome(outcome);
  if (const auto written = write_outcome(folder_, result_file, spec_.token, outcome); !written) {
    complain(written.error().text());
    std::fflush(nullptr);
    ::_exit(exit_no_manifest);
  }
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* name = ::sigabbrev_np(number);
    return "was ended by signal " + std::to_string(number) +
           (name != nullptr ? std::string(" (SIG") + name + ")" : "");
  }
  return "exited with " + std::to_string(WEXITSTATUS(status));
}

std::string list_of(const std::vector<std::int64_t>& codes) {
  std::string text;
  for (const std::int64_t code : codes) text += (text.empty() ? "" : " or ") + std::to_string(code);
  return text.empty() ? "nothing" : text;
}

JobOutcome launch_failed(const LaunchFailure& failure, const std::string& program,
                         const fs::path& folder) {
  const std::string reason = std::strerror(failure.error);
  if (failure.stage == LaunchFailure::Stage::folder)
    return not_completed(JobStatus::error, FailureClass::infra,
                         "cannot enter the working folder '" + folder.native() + "': " + reason);
  const std::string message = "the program '" + program + "' cannot be started: " + reason;
  switch (failure.error) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case ENOEXEC: return unavailable(message);
    case E2BIG: return not_completed(JobStatus::error, FailureClass::code, message);
    default: return not_completed(JobStatus::error, FailureClass::infra, message);
  }
}

// The outcome of a job that ended by itself, by its kind and by what was expected of it.
JobOutcome Attempt::outcome_of_job(const JobEnd& end, const JobStream& output,
                                   const JobStream& error, const OutputMatch& match) {
  const int status = *end.wait_status;
  std::vector<std::string> unmet = match.unmet();
  const FileValues files = parse_files(spec_.parse, working_folder(), folder_ / "stdout",
                                       output.file.bytes_dropped() == 0);
  unmet.insert(unmet.end(), files.unmet.begin(), files.unmet.end());
  for (std::string& sentence : missing_files(spec_.expect, working_folder()))
    unmet.push_back(std::move(sentence));

  JobOutcome outcome;
  if (command_) {
    const auto& good = spec_.expect.exit_codes;
    if (WIFSIGNALED(status))
      unmet.insert(unmet.begin(), "it " + describe_end(status));
    else if (std::find(good.begin(), good.end(), WEXITSTATUS(status)) == good.end())
      unmet.insert(unmet.begin(), "it " + describe_end(status) + ", expected " + list_of(good));
    ProcessEnd process;
    if (WIFEXITED(status)) process.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) process.signal = WTERMSIG(status);
    process.stdout_tail = output.tail;
    process.stderr_tail = error.tail;
    process.values = match.values();
    for (const auto& [name, value] : files.values) process.values.set(name, value);
    process.unmet = unmet;
    outcome = caught(spec_, [&] { return kind_->finish(spec_, process); });
  } else if (auto result = read_outcome(folder_, result_file, spec_.token)) {
    outcome = *std::move(result);
  } else {
    // A KILL that was not ours is nearly always the kernel, out of memory.
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    outcome = not_completed(JobStatus::error, killed ? FailureClass::resource : FailureClass::code,
                            "the job " + describe_end(status) + " before it gave a result");
  }
  apply_unmet(outcome, unmet);
  const std::string& impossible =
      match.impossible().empty() ? files.impossible : match.impossible();
  if (!impossible.empty()) {
    outcome.status = JobStatus::error;
    outcome.failure = FailureClass::resource;
    outcome.completed = false;
    outcome.message = impossible;
  }
  return outcome;
}

JobOutcome Attempt::conclude(const JobEnd& end, const JobProcess& job, const JobStream& output,
                             const JobStream& error, const OutputMatch& match) {
  const auto failure = job.failure();
  JobOutcome outcome;
  if (end.cause == JobEnd::Cause::cancelled) {
    outcome = cancelled("cancelled");
  } else if (end.cause == JobEnd::Cause::timed_out) {
    outcome =
        timed_out(TimeLimit::run, "it ran longer than its run timeout of " +
                                      to_human(spec_.limits.run_timeout.value_or(Duration(0))));
  } else if (end.cause == JobEnd::Cause::silent) {
    outcome = timed_out(TimeLimit::silence,
                        "it printed nothing for its silence timeout of " +
                            to_human(spec_.limits.silence_timeout.value_or(Duration(0))));
  } else if (end.output_error) {
    outcome = not_completed(JobStatus::error, FailureClass::resource,
                            "its output could not be kept: " + end.output_error->text());
  } else if (failure) {
    outcome = launch_failed(*failure, command_ ? command_->argv[0] : spec_.kind, working_folder());
  } else if (end.wait_status) {
    outcome = outcome_of_job(end, output, error, match);
  }
  if (end.wait_status && WIFSIGNALED(*end.wait_status))
    outcome.signal = WTERMSIG(*end.wait_status);
  else if (end.wait_status && command_ && !failure)
    outcome.exit_code = WEXITSTATUS(*end.wait_status);
  if (!end.survivors.empty()) {
    outcome.completed = false;
    outcome.status = JobStatus::error;
    outcome.failure = FailureClass::infra;
    outcome.message = "processes of the job could not be killed:";
    for (const pid_t pid : end.survivors) outcome.message += " " + std::to_string(pid);
  } else if (end.left_behind > 0) {
    const std::string note =
        std::to_string(end.left_behind) + " processes the job had left behind were ended";
    complain(note);
    if (outcome.message.empty()) outcome.message = note;
  }
  return outcome;
}

// Space to give back when the disk is full at the end. Its absence is no error: then there is none.
void reserve_space(const fs::path& folder) {
  const FileDescriptor file(
      ::open((folder / reserve_file).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file && ::posix_fallocate(file.get(), 0, reserve_bytes) != 0)
    ::unlink((folder / reserve_file).c_str());
}

Result<void> write_manifest(const fs::path& folder, const Token& token, const JobOutcome& outcome) {
  auto written = write_outcome(folder, manifest_file, token, outcome);
  ::unlink((folder / reserve_file).c_str());
  if (written) return written;
  written = write_outcome(folder, manifest_file, token, outcome);
  if (written) return written;
  // Not even now: the fact of the end matters more than the result.
  JobOutcome bare = from_error(written.error());
  bare.cancelled = outcome.cancelled;
  bare.exit_code = outcome.exit_code;
  bare.signal = outcome.signal;
  bare.started = outcome.started;
  bare.ended = outcome.ended;
  return write_outcome(folder, manifest_file, token, bare);
}

void set_up_process() {
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD}) sigaddset(&blocked, number);
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // inherited "ignore" would reap the job behind our back
  ::signal(SIGPIPE, SIG_IGN);  // nobody may be listening any more
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of write, not our end
}

}  // namespace

int supervise(const fs::path& attempt_folder, const JobCatalog& catalog) {
  set_up_process();
  const auto guarded = split_off_guard();
  if (!guarded) {
    complain(guarded.error().text());
    return exit_no_manifest;
  }
  if (*guarded) return **guarded;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // the guard's does not pass to its child
  std::error_code no_cwd;
  const fs::path folder = fs::absolute(attempt_folder, no_cwd);
  const auto spec = read_spec(folder);
  if (!spec) {
    complain(spec.error().text());
    return exit_no_manifest;
  }
  const auto identity = own_identity(SystemClock().now());
  if (!identity) {
    complain(identity.error().text());
    return exit_no_manifest;
  }
  const auto claim = take_claim(folder, *identity);
  if (!claim) {
    complain(claim.error().text());
    return claim.error().code == ErrorCode::already_exists ? 0 : exit_no_manifest;
  }
  reserve_space(folder);
  Attempt attempt(folder, *spec, catalog, *identity);
  const JobOutcome outcome = attempt.carry_out();
  const auto written = write_manifest(folder, spec->token, outcome);
  if (written) return 0;
  complain(written.error().text());
  return exit_no_manifest;
}

}  // namespace checkride
