// The runtime's side of leases: the allocator is told what states and decisions say, and what it
// can give becomes commands.
#include <algorithm>

#include "engine/runtime/runtime.h"

namespace checkride {

// Every resource that an attempt of the definition may need; nothing where none waits for a lease.
std::optional<std::set<std::string>> lease_resources(const Definition& definition) {
  std::set<std::string> resources;
  bool any = false;
  for (const StateSpec& state : definition.states)
    for (const auto* invoke : {&state.invoke, &state.undo}) {
      if (!*invoke) continue;
      any = any || !(*invoke)->needs.units.empty() || (*invoke)->limits.queue_timeout;
      for (const auto& [resource, units] : (*invoke)->needs.units) resources.insert(resource);
    }
  if (!any) return std::nullopt;
  return resources;
}

// A run as it was read from the log.
void Runtime::register_leases(const RunState& state) {
  for (const auto& [token, lease] : state.leases) leases_.hold(state.run, token, lease);
  for (const auto& [token, job] : state.jobs) {
    if (!state.awaits_lease(job)) continue;
    LeaseAllocator::Place place{0, job.intended_at.value};
    // Its turn is that of its JobIntended among all runs.
    const auto read = log_.read(state.run, job.intended_at, [&](const Record& record) {
      place.global = record.global.value;
      return false;
    });
    if (!read) return fail_fatally(read.error());
    leases_.wait(state.run, token, job.intent->spec.needs, place);
  }
}

void Runtime::note_leases(const RunId& run, const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (const auto* intended = std::get_if<JobIntended>(&event)) {
      if (needs_lease(intended->spec))
        leases_.wait(run, intended->spec.token, intended->spec.needs, {UINT64_MAX, ++decided_});
    } else if (const auto* granted = std::get_if<LeaseGranted>(&event)) {
      const GrantLease& grant = granted->command;
      leases_.hold(run, grant.token, LeaseRecord{grant.units, grant.exclusive, {}, {}, {}});
      // Nobody asked for its start before this grant.
      fresh_.insert(grant.token);
    } else if (const auto* released = std::get_if<LeaseReleased>(&event)) {
      leases_.end(released->command.token);
    } else if (const auto* finished = std::get_if<JobFinished>(&event)) {
      if (leases_.waiting(finished->command.token)) leases_.end(finished->command.token);
    } else if (const auto* stale = std::get_if<StaleResultRejected>(&event)) {
      if (leases_.waiting(stale->command.token)) leases_.end(stale->command.token);
    } else if (const auto* cancelled = std::get_if<JobCancelRequested>(&event)) {
      if (leases_.waiting(cancelled->token)) leases_.end(cancelled->token);
    }
  }
}

void Runtime::note_places(const Record& record) {
  std::uint64_t sequence = record.first.value;
  for (const Event& event : record.events) {
    if (const auto* intended = std::get_if<JobIntended>(&event))
      leases_.placed(intended->spec.token, {record.global.value, sequence});
    ++sequence;
  }
}

// An attempt of an earlier boot holds nothing of this machine, whatever became of it.
void Runtime::release_rebooted(const RunState& state) {
  for (const auto& [token, lease] : state.leases) {
    const auto job = state.jobs.find(token);
    if (job == state.jobs.end() || job->second.phase != JobPhase::unknown ||
        lease.boot_id == options_.boot_id)
      continue;
    submit(engine_command(state.run, "release-" + token.value,
                          ReleaseLease{token, "the machine was rebooted since"}));
  }
}

bool Runtime::may_start(const RunId& run) const {
  const auto live = live_.find(run);
  if (live == live_.end()) return false;
  const RunState& state = live->second->state;
  return driven_.contains(state.start.root) && !state.paused && !state.finished() &&
         std::none_of(state.jobs.begin(), state.jobs.end(),
                      [](const auto& job) { return job.second.phase == JobPhase::cancelling; });
}

void Runtime::grant_waiting() {
  if (leases_.idle() || stopping_ || fatal_) return;
  const LeaseAllocator::Round round =
      leases_.round([this](const RunId& run) { return may_start(run); });
  for (const LeaseAllocator::Grant& grant : round.grants)
    submit(engine_command(grant.run, "grant-" + grant.token.value,
                          GrantLease{grant.token, grant.units, grant.exclusive, options_.boot_id}));
  for (const LeaseAllocator::Impossible& never : round.impossible) {
    FinishJob finish;
    finish.token = never.token;
    finish.outcome.status = JobStatus::unavailable;
    finish.outcome.failure = FailureClass::unavailable;
    finish.outcome.message = never.reason;
    finish.outcome.started = finish.outcome.ended = clock_.now();
    submit(engine_command(never.run, "finish-" + never.token.value, std::move(finish)));
  }
}

// The allocator grants it; there is nothing to do until then.
void Runtime::carry_out(const RunState& state, const AwaitLease& job) {
  static_cast<void>(state);
  static_cast<void>(job);
}

// As long as one of those it waits for can end without a person.
bool Runtime::moves(const RunState& state, const AwaitLease& job) const {
  if (state.paused) return false;
  const auto holders = leases_.holders_for(job.intent->spec.token);
  return holders.empty() || std::any_of(holders.begin(), holders.end(), [this](const auto& holder) {
           const auto live = live_.find(holder.first);
           if (live == live_.end()) return false;
           const auto held = live->second->state.jobs.find(holder.second);
           return held == live->second->state.jobs.end() || held->second.phase != JobPhase::unknown;
         });
}

}  // namespace checkride
