#include "engine/decider/decide.h"
#include "engine/ports/event_log.h"

namespace checkride {

Result<RunState> load_state(const LogReader& log, const RunId& run,
                            std::optional<Sequence> at_most) {
  const Sequence limit = at_most.value_or(Sequence(UINT64_MAX));
  CR_TRY(const std::optional<Snapshot> snapshot, log.snapshot(run, limit));
  RunState state;
  if (snapshot) state = snapshot->state;
  const Sequence from = state.last.next();
  CR_TRY(const std::optional<RunHead> head, log.head(run));
  if (!head)
    return fail(ErrorCode::not_found,
                "there is no run '" + run.value + "' here; `checkride ls` lists them");
  if (from > head->last) return state;
  CR_CHECK(log.read(run, from, [&](const Record& record) {
    for (std::size_t i = 0; i < record.events.size(); ++i) {
      const Sequence sequence(record.first.value + i);
      if (sequence < from) continue;
      if (sequence > limit) return false;
      evolve(state, record.events[i],
             EventContext{record.run, sequence, record.time, record.actor, record.command});
    }
    return true;
  }));
  return state;
}

}  // namespace checkride
