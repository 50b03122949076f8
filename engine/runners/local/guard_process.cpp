#include "engine/runners/local/guard_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "engine/runners/local/process_identity.h"

namespace checkride {

namespace {

constexpr Duration kill_patience = std::chrono::seconds(30);

[[noreturn]] void guard(int pipe, const ProcessIdentity& identity, const Token& token) {
  ::setsid();
  ::prctl(PR_SET_NAME, "checkride-guard");
  // Nothing of the supervisor may be held open here, least of all the lock on the claim.
  const int quiet = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) ::dup2(quiet, fd);
  ::dup2(pipe, 3);
  ::close_range(4, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(number, SIG_IGN);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  char word = 0;
  ssize_t got = 0;
  do got = ::read(3, &word, 1);
  while (got < 0 && errno == EINTR);
  if (got != 1) kill_attempt(identity, token, kill_patience);
  ::_exit(0);
}

}  // namespace

Result<GuardProcess> GuardProcess::start(const ProcessIdentity& identity, const Token& token) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("open", "a pipe for the guard");
  FileDescriptor reader(ends[0]);
  GuardProcess process;
  process.pipe_.reset(ends[1]);
  // A clone without an exit signal: waitpid(-1) of the supervisor does not count it, so ECHILD
  // there still means that the whole job is gone.
  process.pid_ = static_cast<pid_t>(::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr));
  if (process.pid_ == 0) guard(reader.get(), identity, token);
  if (process.pid_ < 0) return fail_errno("start", "the guard process");
  return process;
}

void GuardProcess::dismiss() {
  if (pid_ < 0) return;
  const char word = 'x';
  if (::write(pipe_.get(), &word, 1) != 1) pipe_.reset();
  while (::waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace checkride
