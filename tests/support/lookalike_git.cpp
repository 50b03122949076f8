#include "tests/support/lookalike_git.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "engine/base/files.h"

namespace checkride::lookalike {
namespace {

constexpr std::size_t output_bytes_max = 16u << 20;

// An unnamed file: pipes would need a loop that reads and writes at once.
FileDescriptor unnamed_file() {
  std::string name = std::filesystem::temp_directory_path() / "lookalike-XXXXXX";
  FileDescriptor file(mkostemp(name.data(), O_CLOEXEC));
  if (file) unlink(name.c_str());
  return file;
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) return fail_errno("write", "a temporary file");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> read_all(int fd) {
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size < 0) return fail_errno("seek", "a temporary file");
  if (static_cast<std::size_t>(size) > output_bytes_max)
    return fail(ErrorCode::no_space, "a program of the look-alike printed more than 16 MiB");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got =
        pread(fd, bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
    if (got <= 0) return fail_errno("read", "a temporary file");
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::vector<std::string> fixed_environment() {
  const char* path = std::getenv("PATH");
  return {std::string("PATH=") + (path ? path : "/usr/bin:/bin"),
          "HOME=/nonexistent",
          "LC_ALL=C.UTF-8",
          "TZ=UTC",
          "PYTHONDONTWRITEBYTECODE=1",
          "GIT_CONFIG_NOSYSTEM=1",
          "GIT_CONFIG_GLOBAL=/dev/null",
          "GIT_TERMINAL_PROMPT=0",
          "GIT_EDITOR=true",
          "GIT_AUTHOR_NAME=Lookalike",
          "GIT_AUTHOR_EMAIL=lookalike@example.invalid",
          "GIT_AUTHOR_DATE=1700000000 +0000",
          "GIT_COMMITTER_NAME=Lookalike",
          "GIT_COMMITTER_EMAIL=lookalike@example.invalid",
          "GIT_COMMITTER_DATE=1700000000 +0000"};
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (auto& string : strings) result.push_back(string.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

Result<ProgramEnd> run_program(const std::filesystem::path& folder,
                               const std::vector<std::string>& argv, std::string_view input) {
  FileDescriptor in = unnamed_file();
  FileDescriptor out = unnamed_file();
  if (!in || !out) return fail_errno("create", "a temporary file");
  CR_CHECK(write_all(in.get(), input));
  if (lseek(in.get(), 0, SEEK_SET) < 0) return fail_errno("seek", "a temporary file");

  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment = fixed_environment();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_adddup2(&actions, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDERR_FILENO);
  pid_t child = -1;
  const int refused = posix_spawnp(&child, argv.at(0).c_str(), &actions, nullptr,
                                   pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (refused != 0) {
    errno = refused;
    return fail_errno("start " + argv.at(0) + " in", folder.string());
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return fail_errno("wait for", argv.at(0));

  ProgramEnd end;
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  CR_TRY(end.output, read_all(out.get()));
  return end;
}

Result<std::string> git(const std::filesystem::path& folder, std::vector<std::string> arguments,
                        std::string_view input) {
  arguments.insert(arguments.begin(), "git");
  CR_TRY(ProgramEnd end, run_program(folder, arguments, input));
  if (end.exit_code != 0) {
    std::string command;
    for (const auto& argument : arguments) command += argument + " ";
    return fail(ErrorCode::internal, "`" + command + "` in " + folder.string() + " ended with " +
                                         std::to_string(end.exit_code) + ": " + end.output);
  }
  if (end.output.ends_with('\n')) end.output.pop_back();
  return std::move(end.output);
}

}  // namespace checkride::lookalike
