// Leases and pauses of a draft: units that are free at once, units that come back, and clocks that
// stood still.
#include <algorithm>

#include "engine/decider/draft.h"

namespace checkride {

void Draft::emit_intent(JobIntended intent) {
  const Token token = intent.spec.token;
  const ResourceNeeds needs = intent.spec.needs;
  const std::optional<Duration> limit = intent.spec.limits.queue_timeout;
  const statechart::StateIndex index = intent.state;
  const bool waits = needs_lease(intent.spec);
  emit(std::move(intent));
  if (!waits) return;
  // An attempt that was told to end keeps the worktree until it has; those that follow it wait.
  const bool ending = std::any_of(state.jobs.begin(), state.jobs.end(), [](const auto& job) {
    return job.second.phase == JobPhase::cancelling;
  });
  if (offer_ && !state.paused) {
    std::optional<std::vector<LeasedUnit>> units;
    if (!ending) units = take(*offer_, needs);
    if (units) {
      emit(LeaseGranted{GrantLease{token, *std::move(units), needs.exclusive, offer_->boot_id}});
      return;
    }
    block(*offer_, needs);
  }
  if (!limit) return;
  TimerSet timer;
  timer.timer = TimerId("queue." + token.value);
  timer.purpose = TimerPurpose::queue_limit;
  timer.due = command.time + *limit;
  timer.state = index;
  timer.event = token.value;
  emit(std::move(timer));
}

void Draft::release_leases() {
  std::vector<Token> ended;
  for (const auto& [token, lease] : state.leases)
    if (!state.jobs.contains(token)) ended.push_back(token);
  for (Token& token : ended)
    emit(LeaseReleased{ReleaseLease{std::move(token), "the attempt has ended"}});
  // A limit on a wait that is over.
  std::vector<TimerId> idle;
  for (const auto& [id, timer] : state.timers) {
    if (timer.purpose != TimerPurpose::queue_limit) continue;
    const auto job = state.jobs.find(Token(timer.event));
    if (job == state.jobs.end() || !state.awaits_lease(job->second)) idle.push_back(id);
  }
  for (TimerId& id : idle) emit(TimerCancelled{std::move(id)});
}

void Draft::resume_clocks(const ResumeRun& resume) {
  RunResumed resumed{resume, {}};
  const Duration stood = command.time - state.paused->since;
  for (const auto& [id, timer] : state.timers) resumed.due.emplace_back(id, timer.due + stood);
  emit(std::move(resumed));
}

}  // namespace checkride
