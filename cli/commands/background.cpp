#include "cli/commands/background.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <cstring>
#include <ostream>

extern char** environ;  // NOLINT: POSIX gives it no header

namespace checkride::cli {

int continue_in_background(const Context& context, const RunId& run) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t files;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  ::posix_spawn_file_actions_init(&files);
  const std::string log = (context.store / "background.log").string();
  ::posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  std::string store = context.store.string();
  std::string id = run.value;
  std::string program = "checkride";
  std::string option = "--store";
  std::string verb = "resume";
  char* argv[] = {program.data(), option.data(), store.data(), verb.data(), id.data(), nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, "/proc/self/exe", &files, &attributes, argv, environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (failed != 0)
    return report_error(context, Error{ErrorCode::io,
                                       std::string("cannot start the background owner: ") +
                                           std::strerror(failed),
                                       {}});
  if (context.json)
    context.out << "{\"run\": \"" << run.value << "\", \"pid\": " << pid << "}\n";
  else
    context.out << run.value << " goes on in the background; look with: checkride status "
                << run.value << "\n";
  return exit_ok;
}

}  // namespace checkride::cli
