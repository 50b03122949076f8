#include "engine/runners/local/guard_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <ctime>

#include "engine/runners/local/process_identity.h"

namespace checkride {

namespace {

constexpr auto kill_patience = std::chrono::seconds(30);
constexpr timespec look_again_after = {0, 50'000'000};
constexpr int exit_killed = 4;

// Reaps what has ended. True when nothing is left; keeps the wait status of `child`.
bool reap(pid_t child, int* status, bool* child_ended) {
  for (;;) {
    int ended = 0;
    const pid_t pid = ::waitpid(-1, &ended, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return true;
    if (pid == 0) return false;
    if (pid != child) continue;
    *status = ended;
    *child_ended = true;
  }
}

int guard(pid_t child) {
  ::prctl(PR_SET_NAME, "checkride-guard");
  // Nobody may wait for an end of file that only our copies hold back.
  const int quiet = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(quiet, STDIN_FILENO);
  ::dup2(quiet, STDOUT_FILENO);
  sigset_t heard;
  sigemptyset(&heard);
  sigaddset(&heard, SIGCHLD);
  sigaddset(&heard, SIGTERM);
  int status = 0;
  bool child_ended = false;
  bool all_gone = reap(child, &status, &child_ended);
  while (!child_ended) {
    const int number = ::sigwaitinfo(&heard, nullptr);
    if (number == SIGTERM) ::kill(child, SIGTERM);
    all_gone = reap(child, &status, &child_ended);
  }
  const auto give_up = std::chrono::steady_clock::now() + kill_patience;
  sigdelset(&heard, SIGTERM);
  while (!all_gone && std::chrono::steady_clock::now() < give_up) {
    for (const ProcessStat& stat : descendants()) ::kill(stat.pid, SIGKILL);
    ::sigtimedwait(&heard, nullptr, &look_again_after);
    all_gone = reap(child, &status, &child_ended);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : exit_killed;
}

}  // namespace

Result<std::optional<int>> split_off_guard() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    return fail_errno("become", "the guard of an attempt");
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("start", "the supervisor beside its guard");
  if (child > 0) return std::optional<int>(guard(child));
  ::setsid();
  return std::optional<int>();
}

}  // namespace checkride
