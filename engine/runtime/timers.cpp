// Timers of live runs: armed while somebody drives, and fired in the order they fell due, also when
// an opening finds several overdue. What a job did before a timer fell due comes before the timer.
#include <algorithm>
#include <charconv>

#include "engine/runtime/runtime.h"

namespace checkride {

namespace {

// Behind '#' stands the sequence at which a timer was set.
std::uint64_t set_at(const TimerId& timer) {
  const std::string& id = timer.value;
  std::uint64_t sequence = 0;
  if (const std::size_t mark = id.rfind('#'); mark != std::string::npos)
    static_cast<void>(std::from_chars(id.data() + mark + 1, id.data() + id.size(), sequence));
  return sequence;
}

}  // namespace

// Those that are cancelled, set anew, or held while the run is parked.
void Runtime::drop_timers(const RunState& state) {
  for (auto armed = timers_.lower_bound({state.run, TimerId()});
       armed != timers_.end() && armed->first.first == state.run;) {
    const auto set = state.timers.find(armed->first.second);
    const bool keep =
        !state.parked() && set != state.timers.end() && set->second.due == armed->second.due;
    armed = keep ? std::next(armed) : timers_.erase(armed);
  }
}

bool Runtime::collects(const RunState& state) const {
  return std::any_of(state.jobs.begin(), state.jobs.end(),
                     [&](const auto& job) { return collecting_.contains(job.first); });
}

void Runtime::carry_out(const RunState& state, const AwaitTimer& timer) {
  const Timestamp now = clock_.now();
  const bool due = timer.due <= now;
  if (due ? collects(state) : !driven_.contains(state.start.root)) return;
  const auto key = std::make_pair(state.run, timer.timer);
  if (timers_.contains(key)) return;
  timers_[key] = Armed{timer.due, std::make_unique<boost::asio::steady_timer>(io_)};
  auto& waiting = timers_[key].timer;
  waiting->expires_after(timer.due - now);
  waiting->async_wait([this, key, due_at = timer.due,
                       alive = std::weak_ptr(alive_)](const boost::system::error_code& failed) {
    if (alive.expired()) return;
    // Dropped or set anew after it had expired, its handler comes all the same.
    const auto armed = timers_.find(key);
    if (failed || stopping_ || armed == timers_.end() || armed->second.due != due_at) return;
    timers_.erase(armed);
    fire_due(key.first, due_at);
  });
}

// Those of one moment go in the order they were set.
void Runtime::fire_due(const RunId& run, Timestamp until) {
  const auto live = live_.find(run);
  if (live == live_.end()) return;
  const RunState& state = live->second->state;
  std::vector<std::pair<Timestamp, TimerId>> due;
  for (const auto& [id, timer] : state.timers)
    if (timer.due <= until) due.emplace_back(timer.due, id);
  std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : set_at(a.second) < set_at(b.second);
  });
  for (const auto& [at, id] : due) {
    const auto set = state.timers.find(id);  // an earlier one may have ended or moved it
    if (state.parked() || set == state.timers.end() || set->second.due != at) continue;
    timers_.erase({run, id});
    submit(
        engine_command(run, "fire-" + id.value + "-" + std::to_string(at.ns), FireTimer{id, at}));
  }
}

}  // namespace checkride
