#include "kernels/process/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "engine/base/pipe.h"
#include "kernels/process/descendants.h"

extern char** environ;

namespace checkride::kernels::process {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds tick{100};
constexpr milliseconds drain{200};  // for output still in the pipe once the command has ended

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

// What the new process does before the program; only calls that are safe after a fork of a process
// with threads. Leaves errno in `report` where it cannot go on.
[[noreturn]] void become(char* const* argv, char* const* env, const char* folder, int input,
                         int output, int report, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  if (::getppid() == parent && ::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 &&
      ::dup2(output, 2) == 2 && (*folder == '\0' || ::chdir(folder) == 0))
    ::execvpe(argv[0], argv, env);
  const int reason = errno;
  [[maybe_unused]] const ssize_t sent = ::write(report, &reason, sizeof reason);
  ::_exit(127);
}

struct Started {
  pid_t pid = 0;
  FileDescriptor output;
};

Result<Started> start(const ChildOptions& options) {
  if (options.argv.empty() || options.argv[0].empty())
    return fail(ErrorCode::invalid_argument, "there is no command to run; give argv or script");
  std::vector<std::string> argv_texts = options.argv;
  std::vector<std::string> env_texts = environment(options.env);
  const std::vector<char*> argv = pointers(argv_texts);
  const std::vector<char*> env = pointers(env_texts);
  const std::string folder = options.folder.string();
  CR_TRY(Pipe output, make_pipe());
  CR_TRY(Pipe report, make_pipe());
  CR_TRY(const FileDescriptor input, input_file(""));
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("start", options.argv[0]);
  if (pid == 0)
    become(argv.data(), env.data(), folder.c_str(), input.get(), output.write.get(),
           report.write.get(), parent);
  report.write.reset();
  output.write.reset();
  int reason = 0;
  ssize_t got = 0;
  while ((got = ::read(report.read.get(), &reason, sizeof reason)) < 0 && errno == EINTR) {
  }
  if (got == sizeof reason) {
    ::waitpid(pid, nullptr, 0);
    return fail(ErrorCode::unavailable, "'" + options.argv[0] + "' cannot be run" +
                                            (folder.empty() ? "" : " in " + folder) + ": " +
                                            std::strerror(reason));
  }
  ::fcntl(output.read.get(), F_SETFL, O_NONBLOCK);
  return Started{pid, std::move(output.read)};
}

// The command while it runs.
class Watch {
 public:
  Watch(const ChildOptions& options, Started started)
      : options_(options), started_(std::move(started)) {}

  ChildEnd run() {
    while (!ended_) {
      wait_a_moment();
      look();
      hurry();
    }
    end_.wall_s = seconds();
    const auto until = Clock::now() + drain;
    while (started_.output && Clock::now() < until && wait_for_output(milliseconds(10)))
      read_output();
    end_descendants();
    return end_;
  }

 private:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  // True unless the pipe stayed silent.
  bool wait_for_output(milliseconds at_most) {
    pollfd waited{started_.output.get(), POLLIN, 0};
    return ::poll(&waited, 1, static_cast<int>(at_most.count())) > 0;
  }

  void wait_a_moment() {
    if (!started_.output) {
      ::poll(nullptr, 0, 2);
      return;
    }
    if (wait_for_output(milliseconds(20))) read_output();
  }

  // All that is there, a bounded amount at a time.
  void read_output() {
    char bytes[64 << 10];
    for (int rounds = 0; rounds < 16; ++rounds) {
      const ssize_t got = ::read(started_.output.get(), bytes, sizeof bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        started_.output.reset();
        return;
      }
      if (options_.on_output) options_.on_output({bytes, static_cast<std::size_t>(got)}, seconds());
    }
  }

  // Memory now and then, and whether the command has ended.
  void look() {
    if (Clock::now() >= next_tick_) {
      next_tick_ = Clock::now() + tick;
      std::set<int> pids;
      std::uint64_t bytes = 0;
      for (const auto& [pid, resident] : descendants()) {
        pids.insert(pid);
        bytes += resident;
      }
      end_.peak_rss_bytes = std::max(end_.peak_rss_bytes, bytes);
      if (options_.on_tick) options_.on_tick(pids);
    }
    int status = 0;
    rusage used{};
    if (::wait4(started_.pid, &status, WNOHANG, &used) != started_.pid) return;
    ended_ = true;
    end_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    end_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    const auto in_seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    end_.cpu_s = in_seconds(used.ru_utime) + in_seconds(used.ru_stime);
    const auto resident = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    end_.peak_rss_bytes = std::max(end_.peak_rss_bytes, resident);
  }

  // Past its time the command is asked to end, then made to.
  void hurry() {
    const auto lived = Clock::now() - begin_;
    if (lived < options_.timeout || ended_) return;
    const bool late = lived >= options_.timeout + options_.grace;
    if (end_.timed_out && !late) return;
    end_.timed_out = true;
    for (const auto& [pid, bytes] : descendants()) ::kill(pid, late ? SIGKILL : SIGTERM);
  }

  // What the command left behind comes to us, a subreaper.
  static void end_descendants() {
    for (int round = 0; round < 50; ++round) {
      const std::map<int, std::uint64_t> left = descendants();
      for (const auto& [pid, bytes] : left) ::kill(pid, SIGKILL);
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      if (left.empty()) return;
      ::poll(nullptr, 0, 2);
    }
  }

  const ChildOptions& options_;
  Started started_;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point next_tick_ = begin_;
  bool ended_ = false;
  ChildEnd end_;
};

}  // namespace

Result<ChildEnd> run_child(const ChildOptions& options) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  CR_TRY(Started started, start(options));
  return Watch(options, std::move(started)).run();
}

}  // namespace checkride::kernels::process
