#include "workflows/jobs/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "engine/base/pipe.h"

extern char** environ;  // NOLINT: POSIX gives no header for it

namespace checkride::jobs {

namespace {

std::vector<std::string> environment_of(const ProcessRequest& request) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const auto is_name = [&](const auto& other) { return other == name; };
    if (std::any_of(request.env_removed.begin(), request.env_removed.end(), is_name)) continue;
    if (std::any_of(request.env.begin(), request.env.end(),
                    [&](const auto& pair) { return pair.first == name; }))
      continue;
    all.emplace_back(text);
  }
  for (const auto& [name, value] : request.env) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// Reads both streams until both are closed.
Result<void> collect(Pipe& out, Pipe& err, std::size_t bytes_max, ProcessReply& reply) {
  std::array<char, 65536> buffer{};
  while (out.read || err.read) {
    std::array<pollfd, 2> waits = {pollfd{out.read.get(), POLLIN, 0},
                                   pollfd{err.read.get(), POLLIN, 0}};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return fail_errno("wait for a program's output", "");
    }
    for (const bool is_out : {true, false}) {
      Pipe& pipe = is_out ? out : err;
      if (!pipe.read || waits[is_out ? 0 : 1].revents == 0) continue;
      const ssize_t n = ::read(pipe.read.get(), buffer.data(), buffer.size());
      if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (n <= 0) {
        pipe.read.reset();
        continue;
      }
      std::string& text = is_out ? reply.out : reply.err;
      const std::size_t room = bytes_max - std::min(bytes_max, text.size());
      const std::size_t kept = std::min(room, static_cast<std::size_t>(n));
      text.append(buffer.data(), kept);
      if (kept < static_cast<std::size_t>(n)) reply.truncated = true;
    }
  }
  return {};
}

// The two spawn structures with their clean-up.
struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &pipe);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

}  // namespace

Result<ProcessReply> run_process(const ProcessRequest& request) {
  const std::string& program = request.argv.front();
  std::error_code ignored;
  if (!request.folder.empty() && !std::filesystem::is_directory(request.folder, ignored))
    return fail(ErrorCode::not_found,
                "cannot run " + program + ": there is no folder " + request.folder.string());
  CR_TRY(FileDescriptor input, input_file(request.input));
  CR_TRY(Pipe err, make_pipe());
  Pipe out;
  FileDescriptor file;
  if (request.output_file) {
    file.reset(
        ::open(request.output_file->c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file) return fail_errno("write", request.output_file->string());
  } else {
    CR_TRY(out, make_pipe());
  }

  SpawnSettings settings;
  ::posix_spawn_file_actions_adddup2(&settings.actions, input.get(), 0);
  ::posix_spawn_file_actions_adddup2(&settings.actions, file ? file.get() : out.write.get(), 1);
  ::posix_spawn_file_actions_adddup2(&settings.actions, err.write.get(), 2);
  if (!request.folder.empty())
    ::posix_spawn_file_actions_addchdir_np(&settings.actions, request.folder.c_str());

  std::vector<std::string> argv_texts = request.argv;
  std::vector<std::string> env_texts = environment_of(request);
  std::vector<char*> argv = pointers(argv_texts);
  std::vector<char*> env = pointers(env_texts);
  pid_t pid = 0;
  const int failure = ::posix_spawnp(&pid, program.c_str(), &settings.actions, &settings.attributes,
                                     argv.data(), env.data());
  if (failure == ENOENT || failure == EACCES)
    return fail(ErrorCode::unavailable, "the program '" + program + "' is not installed here");
  if (failure != 0) {
    errno = failure;
    return fail_errno("start", program);
  }
  out.write.reset();
  err.write.reset();

  ProcessReply reply;
  const auto collected = collect(out, err, request.output_bytes_max, reply);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("wait for", program);
  CR_CHECK(collected);
  if (WIFEXITED(status)) reply.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) reply.signal = WTERMSIG(status);
  return reply;
}

}  // namespace checkride::jobs
