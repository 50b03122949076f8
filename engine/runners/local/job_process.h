// The process of a job, as its supervisor starts it: leader of its own process group, killed by the
// kernel when the supervisor dies, with pipes for its output. It is forked first and released
// later, so that its identity is on disk before its first instruction.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/result.h"
#include "engine/runners/local/environment.h"

namespace checkride {

struct JobLaunch {
  std::vector<std::string> argv;     // a foreign program, looked up in the job's PATH; or
  std::function<void()> body;        // our own code, run in the child; its return ends the process
  std::filesystem::path folder;      // working folder
  EnvironmentVariables environment;  // all of it
  std::string input;                 // standard input; empty: /dev/null
};

// Why the job did not come to run.
struct LaunchFailure {
  enum class Stage : int { folder, program } stage;
  int error;  // errno
};

class JobProcess {
 public:
  // Call from a single-threaded process. The child waits for release().
  static Result<JobProcess> fork(const JobLaunch& launch);
  JobProcess(JobProcess&&) noexcept = default;
  JobProcess& operator=(JobProcess&&) noexcept = default;

  pid_t pid() const { return pid_; }
  // Lets it run. After an error it never does.
  Result<void> release();
  // Once it has ended: whether that was before its program ran.
  std::optional<LaunchFailure> failure() const;

  // Read ends, non-blocking.
  FileDescriptor output;
  FileDescriptor error;

 private:
  JobProcess() = default;
  pid_t pid_ = -1;
  FileDescriptor release_;
  FileDescriptor failure_;
};

}  // namespace checkride
