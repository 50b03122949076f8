#include "engine/runners/local/process_identity.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>
#include <unordered_map>

namespace checkride {

namespace {

constexpr std::size_t environment_bytes_max = 8 << 20;

template <class Integer>
bool parse_number(std::string_view text, Integer& number) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> pids;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return pids;
  while (const dirent* entry = ::readdir(proc)) {
    pid_t pid = 0;
    if (parse_number(std::string_view(entry->d_name), pid)) pids.push_back(pid);
  }
  ::closedir(proc);
  return pids;
}

// Whether the environment the process was started with holds `variable`; other users' are
// unreadable and not ours.
bool environment_holds(pid_t pid, const std::string& variable) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/environ", environment_bytes_max);
  if (!text) return false;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find('\0'));
    if (entry == variable) return true;
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
  }
  return false;
}

int pidfd_open(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

}  // namespace

std::string attempt_mark(const ProcessIdentity& supervisor, const Token& token) {
  return token.value + "@" + std::to_string(supervisor.pid) + "." +
         std::to_string(supervisor.start_ticks);
}

Result<std::string> current_boot_id() {
  CR_TRY(std::string text, read_file("/proc/sys/kernel/random/boot_id", 256));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string current_host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

Result<ProcessStat> process_stat(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  auto text = read_file(path, 4096);
  if (!text) return fail(ErrorCode::not_found, "there is no process " + std::to_string(pid));
  // The second field is the name in parentheses and may itself hold spaces and parentheses.
  const std::size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return fail(ErrorCode::internal, "cannot read '" + path + "'");
  std::string_view rest = std::string_view(*text).substr(name_end + 1);
  ProcessStat stat;
  stat.pid = pid;
  bool good = true;
  for (int field = 3; field <= 22 && good; ++field) {
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(' ')));
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    if (field == 3) stat.state = word.empty() ? '?' : word.front();
    if (field == 4) good = parse_number(word, stat.parent);
    if (field == 5) good = parse_number(word, stat.group);
    if (field == 6) good = parse_number(word, stat.session);
    if (field == 22) good = parse_number(word, stat.start_ticks);
  }
  if (!good) return fail(ErrorCode::internal, "cannot read '" + path + "'");
  return stat;
}

Result<ProcessIdentity> own_identity(Timestamp started) {
  ProcessIdentity identity;
  CR_TRY(identity.boot_id, current_boot_id());
  CR_TRY(const ProcessStat stat, process_stat(::getpid()));
  identity.host = current_host();
  identity.pid = stat.pid;
  identity.start_ticks = stat.start_ticks;
  identity.started = started;
  return identity;
}

bool is_alive(std::int64_t pid, std::uint64_t start_ticks) {
  const auto stat = process_stat(static_cast<pid_t>(pid));
  return stat && stat->start_ticks == start_ticks && !stat->gone();
}

Result<FileDescriptor> open_process(std::int64_t pid, std::uint64_t start_ticks) {
  FileDescriptor process(pidfd_open(static_cast<pid_t>(pid)));
  // Ask after opening: from here on the pid cannot be given to another while it still names ours.
  if (!process || !is_alive(pid, start_ticks))
    return fail(ErrorCode::not_found, "process " + std::to_string(pid) + " is gone");
  return process;
}

std::vector<ProcessStat> attempt_processes(const ProcessIdentity& identity, const Token& token) {
  const std::string variable = std::string(attempt_variable) + "=" + attempt_mark(identity, token);
  std::vector<ProcessStat> found;
  for (const pid_t pid : all_pids()) {
    if (pid == identity.pid || pid == ::getpid()) continue;
    const auto stat = process_stat(pid);
    if (!stat || stat->gone()) continue;
    const bool in_session =
        stat->session == identity.pid && stat->start_ticks >= identity.start_ticks;
    const bool the_job = identity.job_pid != 0 && pid == identity.job_pid &&
                         stat->start_ticks == identity.job_start_ticks;
    if (in_session || the_job || environment_holds(pid, variable)) found.push_back(*stat);
  }
  return found;
}

std::vector<ProcessStat> descendants() {
  std::vector<ProcessStat> all;
  for (const pid_t pid : all_pids())
    if (const auto stat = process_stat(pid); stat) all.push_back(*stat);
  std::vector<pid_t> family = {::getpid()};
  std::vector<ProcessStat> found;
  // Parents may stand after their children in the list, so sweep until nothing is added.
  for (std::size_t before = 0; before != family.size();) {
    before = family.size();
    for (const ProcessStat& stat : all) {
      const auto is_family = [&](pid_t pid) {
        return std::find(family.begin(), family.end(), pid) != family.end();
      };
      if (is_family(stat.pid) || !is_family(stat.parent)) continue;
      family.push_back(stat.pid);
      if (!stat.gone()) found.push_back(stat);
    }
  }
  return found;
}

std::vector<pid_t> kill_attempt(const ProcessIdentity& identity, const Token& token,
                                Duration patience) {
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const std::vector<ProcessStat> living = attempt_processes(identity, token);
    if (living.empty()) return {};
    if (std::chrono::steady_clock::now() >= give_up) {
      std::vector<pid_t> survivors;
      for (const ProcessStat& stat : living) survivors.push_back(stat.pid);
      return survivors;
    }
    for (const ProcessStat& stat : living) {
      const auto process = open_process(stat.pid, stat.start_ticks);
      if (!process) continue;
      ::syscall(SYS_pidfd_send_signal, process->get(), SIGKILL, nullptr, 0);
      pollfd end{process->get(), POLLIN, 0};
      ::poll(&end, 1,
             100);  // its end is an event; what does not end in time is seen by the next look
    }
  }
}

}  // namespace checkride
