#include "kernels/tools/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "engine/base/files.h"
#include "engine/base/pipe.h"
#include "kernels/job/inputs.h"

namespace checkride::kernels::tools {

namespace {

using Clock = std::chrono::steady_clock;

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// The first process of the group. It waits for the other end of its pipe to close, whether by this
// program's will or by its death, and then ends the whole group, itself included.
class Group {
 public:
  static Result<Group> make() {
    CR_TRY(Pipe pipe, make_pipe());
    const pid_t pid = ::fork();
    if (pid < 0) return fail_errno("start a process", "of the group");
    if (pid == 0) {
      ::setpgid(0, 0);
      // What this process had open must not stay open for as long as the guard lives.
      const auto kept = static_cast<unsigned>(pipe.read.get());
      if (kept > 0) ::close_range(0, kept - 1, 0);
      ::close_range(kept + 1, ~0u, 0);
      char byte = 0;
      while (::read(pipe.read.get(), &byte, 1) < 0 && errno == EINTR) {
      }
      ::kill(0, SIGKILL);
      ::_exit(127);
    }
    ::setpgid(pid, pid);  // on both sides: whoever comes first
    return Group(pid, std::move(pipe.write));
  }
  Group(Group&&) = default;
  Group& operator=(Group&&) = delete;
  ~Group() {
    if (!alive_) return;
    ::kill(-id_, SIGKILL);
    wait_for(id_);
  }
  pid_t id() const { return id_; }

 private:
  Group(pid_t id, FileDescriptor alive) : id_(id), alive_(std::move(alive)) {}
  pid_t id_;
  FileDescriptor alive_;  // moved from: nothing to end
};

// In the child: becomes the program. What keeps it from doing so goes back as errno.
[[noreturn]] void become(std::vector<char*>& words, pid_t group, int output, int problem) {
  ::setpgid(0, group);
  const int input = ::open("/dev/null", O_RDONLY);
  if (input >= 0 && ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
      ::dup2(output, STDERR_FILENO) >= 0) {
    std::signal(SIGPIPE, SIG_DFL);
    ::execvp(words[0], words.data());
  }
  const int reason = errno;
  [[maybe_unused]] const ssize_t told = ::write(problem, &reason, sizeof reason);
  ::_exit(127);
}

// Reads until the program and all that hold its output are gone, or the time is up.
void read_output(int fd, const ChildCommand& command, ChildEnd& end) {
  const Clock::time_point deadline = Clock::now() + command.timeout;
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      end.timed_out = true;
      return;
    }
    pollfd ready{fd, POLLIN, 0};
    const int count =
        ::poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left + 1, 1 << 30)));
    if (count <= 0) continue;
    const ssize_t bytes = ::read(fd, buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return;
    const std::size_t room = command.output_bytes_max - end.output.size();
    const std::size_t kept = std::min(room, static_cast<std::size_t>(bytes));
    end.output.append(buffer.data(), kept);
    if (kept < static_cast<std::size_t>(bytes)) end.truncated = true;
  }
}

}  // namespace

Result<ChildEnd> run_child(const ChildCommand& command) {
  if (command.words.empty()) return fail(ErrorCode::invalid_argument, "there is no command to run");
  CR_TRY(Pipe output, make_pipe());
  CR_TRY(Pipe problem, make_pipe());
  CR_TRY(const Group group, Group::make());
  std::vector<std::string> words = command.words;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("start", command.words.front());
  if (pid == 0) become(pointers, group.id(), output.write.get(), problem.write.get());
  ::setpgid(pid, group.id());
  output.write.reset();
  problem.write.reset();
  int reason = 0;
  if (::read(problem.read.get(), &reason, sizeof reason) == sizeof reason) {
    wait_for(pid);
    errno = reason;
    return fail_errno("run", command.words.front());
  }
  ChildEnd end;
  read_output(output.read.get(), command, end);
  if (end.timed_out) ::kill(-group.id(), SIGKILL);
  const int status = wait_for(pid);
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return end;
}

Result<std::vector<std::string>> target_of(const json::object& inputs) {
  std::vector<std::string> words = texts(inputs, "command");
  if (words.empty()) return fail(ErrorCode::invalid_argument, "command is empty");
  std::error_code problem;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", problem);
  if (words.front() == "checkride" && !problem) words.front() = own.string();
  return words;
}

Result<std::filesystem::path> find_tool(std::string_view name) {
  const char* const path = std::getenv("PATH");
  std::string folders = path == nullptr ? "" : path;
  folders += ":/usr/local/cuda/bin";
  std::string_view rest = folders;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::filesystem::path folder = rest.substr(0, end);
    if (folder.is_absolute() && ::access((folder / name).c_str(), X_OK) == 0) return folder / name;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return fail(ErrorCode::unavailable, std::string(name) +
                                          " is not on PATH nor in /usr/local/cuda/bin; it comes "
                                          "with the CUDA toolkit");
}

}  // namespace checkride::kernels::tools
