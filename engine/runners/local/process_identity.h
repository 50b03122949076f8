// Which process is which, across crashes, reboots and reused pids: a pid is only a name together
// with its start time and the boot it belongs to (proc(5): /proc/PID/stat field 22). Also finds and
// ends all processes of an attempt: those of its supervisor's session, those with its token in
// their environment, and, from within the supervisor, its descendants.
//
// Blocking, no state; call from any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

// The environment variables that carry an attempt's identity into its job. Tokens are unique within
// one store only, and two stores of a machine may well run the same workflow under the same name:
// what tells processes apart is the last, attempt_mark().
inline constexpr const char* token_variable = "CHECKRIDE_TOKEN";
inline constexpr const char* run_variable = "CHECKRIDE_RUN";
inline constexpr const char* attempt_variable = "CHECKRIDE_ATTEMPT";
// "TOKEN@PID.TICKS" of the supervisor: unique on a machine between two boots.
std::string attempt_mark(const ProcessIdentity& supervisor, const Token& token);

// /proc/sys/kernel/random/boot_id, a UUID that is new at each boot.
Result<std::string> current_boot_id();
std::string current_host();

struct ProcessStat {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  char state = '?';               // 'Z' zombie, 'X' dead: gone as far as we care
  std::uint64_t start_ticks = 0;  // since boot
  bool gone() const { return state == 'Z' || state == 'X' || state == 'x'; }
};
// `not_found` when there is no such process.
Result<ProcessStat> process_stat(pid_t pid);

// The calling process as a supervisor; job fields are 0.
Result<ProcessIdentity> own_identity(Timestamp started);

// Whether the process with this pid is the one that started at these ticks, and no zombie. Says
// nothing about other boots or hosts: compare those first.
bool is_alive(std::int64_t pid, std::uint64_t start_ticks);

// A pidfd on that very process; `not_found` when it is gone or its pid belongs to another by now.
Result<FileDescriptor> open_process(std::int64_t pid, std::uint64_t start_ticks);

// The living processes of an attempt, its supervisor not among them. A process is of the attempt
// when it is in the supervisor's session and not older than it, when it is the job itself, or when
// its environment says so. What left the session and wiped its environment is seen only while the
// supervisor lives (descendants).
std::vector<ProcessStat> attempt_processes(const ProcessIdentity& identity, const Token& token);

// Living descendants of the calling process; complete when it is a child subreaper.
std::vector<ProcessStat> descendants();

// KILLs the attempt's processes until none is left or `patience` has passed; returns the survivors.
std::vector<pid_t> kill_attempt(const ProcessIdentity& identity, const Token& token,
                                Duration patience);

}  // namespace checkride
