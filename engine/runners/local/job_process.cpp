#include "engine/runners/local/job_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <iostream>

#include "engine/base/pipe.h"

namespace checkride {

namespace {

[[noreturn]] void give_up(int failure_fd, LaunchFailure::Stage stage) {
  const LaunchFailure failure{stage, errno};
  [[maybe_unused]] const ssize_t put = ::write(failure_fd, &failure, sizeof failure);
  ::_exit(127);
}

// What the child does; `fds` are input, output, error, release and failure, moved to 0 to 4.
[[noreturn]] void be_the_job(const JobLaunch& launch, const std::array<int, 5>& fds,
                             pid_t supervisor) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) ::_exit(127);  // it died before the line above
  std::array<int, 5> high{};
  for (std::size_t i = 0; i < fds.size(); ++i) high[i] = ::fcntl(fds[i], F_DUPFD_CLOEXEC, 16);
  for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(high[i], static_cast<int>(i));
  ::close_range(5, ~0U, 0);  // the claim's lock, streams, our copies
  ::fcntl(3, F_SETFD, FD_CLOEXEC);
  ::fcntl(4, F_SETFD, FD_CLOEXEC);
  char word = 0;
  ssize_t got = 0;
  do got = ::read(3, &word, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(127);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  replace_environment(launch.environment);
  if (::chdir(launch.folder.c_str()) != 0) give_up(4, LaunchFailure::Stage::folder);
  if (launch.body) {
    ::close_range(3, ~0U, 0);
    launch.body();
    std::fflush(nullptr);
    std::cout.flush();
    ::_exit(0);
  }
  std::vector<char*> argv;
  for (const std::string& argument : launch.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());  // in the job's PATH, which is ours by now
  give_up(4, LaunchFailure::Stage::program);
}

}  // namespace

Result<JobProcess> JobProcess::fork(const JobLaunch& launch) {
  CR_TRY(const FileDescriptor input, input_file(launch.input));
  CR_TRY(Pipe output, make_pipe());
  CR_TRY(Pipe error, make_pipe());
  CR_TRY(Pipe release, make_pipe());
  CR_TRY(Pipe failure, make_pipe());
  const pid_t supervisor = ::getpid();
  std::fflush(nullptr);  // or the child prints our buffers again
  JobProcess job;
  job.pid_ = ::fork();
  if (job.pid_ < 0) return fail_errno("fork", "the job");
  if (job.pid_ == 0) {
    release.write.reset();  // or its own copy would keep it waiting for a dead supervisor
    be_the_job(launch,
               {input.get(), output.write.get(), error.write.get(), release.read.get(),
                failure.write.get()},
               supervisor);
  }
  ::setpgid(job.pid_, job.pid_);  // here too: whoever comes first, the group exists from now on
  for (const FileDescriptor* end : {&output.read, &error.read, &failure.read})
    ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  job.output = std::move(output.read);
  job.error = std::move(error.read);
  job.release_ = std::move(release.write);
  job.failure_ = std::move(failure.read);
  return job;
}

Result<void> JobProcess::release() {
  const char word = 'g';
  if (::write(release_.get(), &word, 1) != 1) return fail_errno("start", "the job");
  release_.reset();
  return {};
}

std::optional<LaunchFailure> JobProcess::failure() const {
  LaunchFailure failure{};
  if (::read(failure_.get(), &failure, sizeof failure) != sizeof failure) return std::nullopt;
  return failure;
}

}  // namespace checkride
