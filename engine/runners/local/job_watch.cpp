#include "engine/runners/local/job_watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "engine/runners/local/process_identity.h"

namespace checkride {

namespace {

constexpr std::size_t tail_bytes_max = 64 << 10;
constexpr std::size_t read_bytes = 64 << 10;
constexpr int reads_per_round = 16;
// What may hold a pipe after all processes are gone (a descriptor passed elsewhere) is not waited
// for.
constexpr int reads_at_end = 256;
// Children that finish by themselves right after the job (a `tee`, a shell's background process)
// get this long before they are told to.
constexpr Duration linger_max = std::chrono::seconds(2);
constexpr Duration kill_again_after = std::chrono::milliseconds(100);
constexpr Duration kill_patience = std::chrono::seconds(10);

}  // namespace

JobWatch::JobWatch(JobProcess& job, JobStream& output, JobStream& error, OutputMatch& match,
                   const JobLimits& limits)
    : job_(job), output_(output), error_(error), match_(match), limits_(limits) {
  if (limits_.run_timeout) deadline_ = Clock::now() + *limits_.run_timeout;
  last_output_ = Clock::now();
}

bool JobWatch::ended() const {
  return gave_up_ || (all_gone_ && !job_.output && !job_.error);
}

Result<JobEnd> JobWatch::run(int signals) {
  while (!ended()) {
    int wait_ms = -1;
    if (const auto next = next_deadline()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now());
      wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    }
    std::array<pollfd, 3> fds = {
        {{signals, POLLIN, 0}, {job_.output.get(), POLLIN, 0}, {job_.error.get(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), wait_ms) < 0 && errno != EINTR)
      return fail_errno("wait for", "the job");
    if (fds[1].revents != 0) drain(job_.output, output_, reads_per_round);
    if (fds[2].revents != 0) drain(job_.error, error_, reads_per_round);
    if (fds[0].revents != 0) on_signals(signals);
    if (deadline_ && Clock::now() >= *deadline_)
      on_deadline();
    else if (const auto quiet = silent_at(); quiet && Clock::now() >= *quiet)
      terminate(JobEnd::Cause::silent);
  }
  keep(output_, output_.mask.finish());
  keep(error_, error_.mask.finish());
  match_.finish();
  return end_;
}

std::optional<JobWatch::Clock::time_point> JobWatch::silent_at() const {
  if (phase_ != Phase::running || !limits_.silence_timeout) return std::nullopt;
  return last_output_ + *limits_.silence_timeout;
}

std::optional<JobWatch::Clock::time_point> JobWatch::next_deadline() const {
  const auto quiet = silent_at();
  if (!quiet || (deadline_ && *deadline_ < *quiet)) return deadline_;
  return quiet;
}

void JobWatch::on_signals(int signals) {
  signalfd_siginfo info{};
  while (::read(signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) reap();
    if (info.ssi_signo == SIGTERM && !end_.wait_status) terminate(JobEnd::Cause::cancelled);
  }
}

void JobWatch::reap() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid == job_.pid()) {
      end_.wait_status = status;
      if (phase_ == Phase::running) {
        phase_ = Phase::lingering;
        deadline_ = Clock::now() + std::min(limits_.grace, linger_max);
      }
    } else if (pid < 0 && errno == ECHILD) {
      // We are the subreaper: no child means no descendant. The rest of the output lies in the
      // pipes.
      all_gone_ = true;
      drain(job_.output, output_, reads_at_end);
      drain(job_.error, error_, reads_at_end);
      job_.output.reset();
      job_.error.reset();
      return;
    } else if (pid <= 0) {
      return;
    }
  }
}

void JobWatch::on_deadline() {
  switch (phase_) {
    case Phase::running: terminate(JobEnd::Cause::timed_out); break;
    case Phase::lingering:
      end_.left_behind = descendants().size();
      terminate(JobEnd::Cause::itself);
      break;
    case Phase::terminating:
      phase_ = Phase::killing;
      give_up_ = Clock::now() + kill_patience;
      kill_all();
      break;
    case Phase::killing:
      if (Clock::now() < give_up_) {
        kill_all();
      } else {
        gave_up_ = true;
        for (const ProcessStat& stat : descendants()) end_.survivors.push_back(stat.pid);
      }
      break;
  }
}

void JobWatch::terminate(JobEnd::Cause cause) {
  if (phase_ == Phase::terminating || phase_ == Phase::killing) return;
  end_.cause = cause;
  phase_ = Phase::terminating;
  deadline_ = Clock::now() + limits_.grace;
  signal_all(SIGTERM);
  signal_all(SIGCONT);  // a stopped process takes the other only when it goes on
}

// The group at once, so that nobody in it sees a sibling die first; then what left the group. After
// the job is reaped its group's number may be another's: only what descends from us counts then.
void JobWatch::signal_all(int number) {
  const bool whole_group = !end_.wait_status;
  if (whole_group) ::kill(-job_.pid(), number);
  for (const ProcessStat& stat : descendants())
    if (!whole_group || stat.group != job_.pid()) ::kill(stat.pid, number);
}

void JobWatch::kill_all() {
  deadline_ = Clock::now() + kill_again_after;
  signal_all(SIGKILL);
}

void JobWatch::drain(FileDescriptor& pipe, JobStream& stream, int reads_max) {
  std::array<char, read_bytes> block;
  for (int i = 0; i < reads_max && pipe; ++i) {
    const ssize_t got = ::read(pipe.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return pipe.reset();
    last_output_ = Clock::now();
    keep(stream, stream.mask.pass({block.data(), static_cast<std::size_t>(got)}));
  }
}

void JobWatch::keep(JobStream& stream, const std::string& bytes) {
  if (bytes.empty()) return;
  match_.pass(stream.stream, bytes);
  stream.tail += bytes;
  if (stream.tail.size() > tail_bytes_max)
    stream.tail.erase(0, stream.tail.size() - tail_bytes_max);
  if (end_.output_error) return;
  if (auto kept = stream.file.append(bytes); !kept) {
    // Evidence is lost, so the attempt cannot pass any more: end it rather than let it run blind.
    end_.output_error = std::move(kept).error();
    if (!end_.wait_status) terminate(JobEnd::Cause::output_failed);
  }
}

}  // namespace checkride
