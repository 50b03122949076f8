// Watches one job until it and all it started have ended: streams its output, enforces the timeout,
// hears a cancel, and ends what needs ending: TERM, a grace period, KILL.
//
// Belongs to a supervisor: single-threaded, subreaper of the job, signals blocked.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/decider/job.h"
#include "engine/runners/local/job_process.h"
#include "engine/runners/local/output_file.h"
#include "engine/runners/local/output_match.h"
#include "engine/runners/local/secret_mask.h"

namespace checkride {

// One stream of the job on its way: masked, matched, written, its tail remembered.
struct JobStream {
  JobStream(OutputMatch::Stream which, OutputFile file_, const EnvironmentVariables& secrets)
      : stream(which), file(std::move(file_)), mask(secrets) {}
  OutputMatch::Stream stream;
  OutputFile file;
  SecretMask mask;
  std::string tail;  // last 64 KiB, masked
};

// How the watching ended.
struct JobEnd {
  enum class Cause : std::uint8_t { itself, cancelled, timed_out, silent, output_failed };
  Cause cause = Cause::itself;
  std::optional<int> wait_status;     // of the job itself; absent: it could not be killed
  std::optional<Error> output_error;  // why the output could not be written
  std::size_t left_behind = 0;        // processes that had to be ended after the job's own end
  std::vector<pid_t> survivors;       // what KILL did not end
};

class JobWatch {
 public:
  JobWatch(JobProcess& job, JobStream& output, JobStream& error, OutputMatch& match,
           const JobLimits& limits);

  // Blocks until the end. `signals` is a signalfd for SIGCHLD and SIGTERM.
  Result<JobEnd> run(int signals);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase : std::uint8_t { running, lingering, terminating, killing };

  void on_signals(int signals);
  void reap();
  void on_deadline();
  void drain(FileDescriptor& pipe, JobStream& stream, int reads_max);
  void keep(JobStream& stream, const std::string& bytes);
  void terminate(JobEnd::Cause cause);
  void kill_all();
  void signal_all(int number);
  bool ended() const;
  std::optional<Clock::time_point> silent_at() const;
  std::optional<Clock::time_point> next_deadline() const;

  JobProcess& job_;
  JobStream& output_;
  JobStream& error_;
  OutputMatch& match_;
  JobLimits limits_;
  Phase phase_ = Phase::running;
  std::optional<Clock::time_point> deadline_;  // of the phase
  Clock::time_point give_up_{};
  Clock::time_point last_output_{};
  bool all_gone_ = false;
  bool gave_up_ = false;
  JobEnd end_;
};

}  // namespace checkride
