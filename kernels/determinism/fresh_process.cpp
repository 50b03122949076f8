#include "kernels/determinism/fresh_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "engine/base/pipe.h"

namespace checkride::kernels::determinism {

namespace {

// Shorter than what a pipe takes in one piece.
struct Answer {
  std::uint64_t value = 0;
  ErrorCode code = ErrorCode::internal;
  bool good = false;
  char text[1024] = {};
};

void work_and_leave(const std::function<Result<std::uint64_t>()>& work, int pipe) {
  Answer answer;
  const Result<std::uint64_t> result = work();
  if (result) {
    answer.good = true;
    answer.value = *result;
  } else {
    const std::string text = result.error().text();
    answer.code = result.error().code;
    std::memcpy(answer.text, text.data(), std::min(text.size(), sizeof answer.text - 1));
  }
  const bool written = ::write(pipe, &answer, sizeof answer) == ssize_t{sizeof answer};
  ::_exit(written ? 0 : 1);
}

Result<void> wait_readable(int fd, std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(ErrorCode::timeout, "the second process did not answer");
    pollfd watched{fd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::min<long>(left.count(), 60'000)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("wait for", "the second process");
  }
}

}  // namespace

Result<std::uint64_t> in_fresh_process(const std::function<Result<std::uint64_t>()>& work,
                                       std::chrono::milliseconds timeout) {
  CR_TRY(Pipe pipe, make_pipe());
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("start", "a second process");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    work_and_leave(work, pipe.write.get());
  }
  pipe.write.reset();
  const Result<void> answered = wait_readable(pipe.read.get(), timeout);
  Answer answer;
  const bool whole =
      answered && ::read(pipe.read.get(), &answer, sizeof answer) == ssize_t{sizeof answer};
  if (!answered) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!answered) return tl::unexpected(answered.error());
  if (!whole)
    return fail(ErrorCode::internal,
                WIFSIGNALED(status)
                    ? "the second process died of signal " + std::to_string(WTERMSIG(status))
                    : "the second process left without an answer");
  const Error told{answer.code, answer.text, {}};
  // What was asked is wrong in this process too.
  if (!answer.good && told.code == ErrorCode::invalid_argument) return tl::unexpected(told);
  if (!answer.good) return fail(told, "in the second process");
  return answer.value;
}

}  // namespace checkride::kernels::determinism
