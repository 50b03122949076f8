// `checkride replay RUN`: decides every recorded input again and compares each event with what the
// log says; children included. No access to the world is needed, and nothing is written.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/context.h"

namespace checkride::cli {

struct ReplayOptions {
  std::string run;
};
// exit_failed when anything differs.
int cmd_replay(const Context& context, const ReplayOptions& options);

// The first place where a run decides otherwise.
struct ReplayDifference {
  Sequence sequence;
  std::optional<Event> recorded;  // absent: the decision has one event more
  std::optional<Event> decided;   // absent: the record has one event more
  std::string message;            // instead of events: what is wrong with the record or the fold
  std::string build;              // that recorded it
};
struct ReplayReport {
  RunId run;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t snapshots = 0;  // compared with the fold
  Duration took{};
  std::optional<ReplayDifference> difference;
};
// `monotonic` times it. Errors are the log's own.
Result<ReplayReport> replay_run(const LogReader& reader, const RunId& run,
                                const Definition& definition,
                                const std::function<Duration()>& monotonic);

}  // namespace checkride::cli
