#include "tests/unit/runners/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "engine/base/assert.h"
#include "engine/runners/local/process_identity.h"
#include "tests/unit/runners/test_kinds.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {
constexpr int patience_ms = 60'000;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "checkride-runners-XXXXXX").native();
  CR_ASSERT(::mkdtemp(name.data()) != nullptr, name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Fifo::Fifo(fs::path path) : path_(std::move(path)) {
  CR_ASSERT(::mkfifo(path_.c_str(), 0600) == 0, path_);
  fd_.reset(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  CR_ASSERT(fd_.get() >= 0, path_);
}

bool Fifo::await() const {
  pollfd word{fd_.get(), POLLIN, 0};
  if (::poll(&word, 1, patience_ms) != 1) return false;
  char byte = 0;
  return ::read(fd_.get(), &byte, 1) == 1;
}

void Fifo::tell() const {
  CR_ASSERT(::write(fd_.get(), "\n", 1) == 1, path_);
}

std::string test_supervisor() {
  const char* build = std::getenv("CHECKRIDE_BUILD");
  if (build != nullptr) return std::string(build) + "/checkride_test_supervisor";
  // Run by hand: the test program lies three folders below it.
  const fs::path self = fs::read_symlink("/proc/self/exe");
  return self.parent_path().parent_path().parent_path().parent_path() / "checkride_test_supervisor";
}

namespace {

JobSpec base_spec(const fs::path& folder, const std::string& kind, const std::string& token) {
  JobSpec spec;
  spec.token = Token(token);
  spec.run = RunId("run");
  spec.root = RunId("run");
  spec.state = "work";
  spec.kind = kind;
  spec.folder = folder.native();
  spec.limits.grace = std::chrono::milliseconds(300);
  return spec;
}

}  // namespace

JobSpec shell_spec(const fs::path& folder, const std::string& script, const std::string& token) {
  JobSpec spec = base_spec(folder, "test.sh", token);
  spec.inputs.set("script", cel::Value(script));
  return spec;
}

JobSpec own_spec(const fs::path& folder, const std::string& what, const std::string& text,
                 const std::string& token) {
  JobSpec spec = base_spec(folder, "test.own", token);
  spec.inputs.set("do", cel::Value(what));
  spec.inputs.set("text", cel::Value(text));
  return spec;
}

JobSpec inline_spec(const fs::path& folder, const std::string& what, const std::string& text,
                    const std::string& token) {
  JobSpec spec = base_spec(folder, "test.inline", token);
  spec.inputs.set("do", cel::Value(what));
  spec.inputs.set("text", cel::Value(text));
  return spec;
}

LocalMachine::LocalMachine() : catalog(test_catalog()), io(1) {
  restart();
}

void LocalMachine::restart() {
  runner.reset();
  runner = std::make_unique<LocalRunner>(io, log, catalog, folder / "attempts",
                                         std::vector<std::string>{test_supervisor(), "supervise"});
}

bool LocalMachine::await_end() {
  return run_until(io, [&] { return !log.ends.empty() || !log.unknowns.empty(); });
}

JobOutcome LocalMachine::outcome_of(const JobSpec& spec) {
  log.ends.clear();
  runner->start(spec);
  REQUIRE(await_end());
  REQUIRE(log.unknowns.empty());
  REQUIRE(log.ends.size() == 1);
  return log.ends[0].outcome;
}

fs::path LocalMachine::attempt(const std::string& token) const {
  return runner->attempt_folder(Token(token));
}

std::string LocalMachine::file(const std::string& name, const std::string& token) const {
  return read_file(attempt(token) / name, 64 << 20).value_or("(cannot read " + name + ")");
}

pid_t start_process(const std::vector<std::string>& argv) {
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  CR_ASSERT(error == 0, argv[0], error);
  return pid;
}

int await_process(pid_t pid) {
  int status = -1;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void kill_process(pid_t pid) {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

bool await_gone(const std::vector<pid_t>& pids) {
  for (const pid_t pid : pids) {
    const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process) continue;  // gone already
    pollfd end{process.get(), POLLIN, 0};
    if (::poll(&end, 1, patience_ms) != 1) return false;
  }
  return true;
}

}  // namespace checkride
