// Messages of a draft: events from outside that wait until a transition takes them. A message is
// consumed only by a transition whose guard holds; until then it stays where it is.
#include <algorithm>
#include <utility>

#include "engine/decider/draft.h"

namespace checkride {

using statechart::StateIndex;

namespace {

TimerId expiry_timer(const std::string& message) {
  return TimerId("message." + message);
}

// Asks every active state and the root, in no order, whether one listens to an event.
bool heard(const RunState& state, const Definition& definition, std::string_view event) {
  const auto listens_here = [&](StateIndex index) {
    for (const auto t : definition.chart.state(index).transitions)
      for (const std::string& descriptor : definition.chart.transition(t).events)
        if (statechart::matches(descriptor, event)) return true;
    return false;
  };
  return listens_here(statechart::root_state) ||
         std::any_of(state.chart.configuration.begin(), state.chart.configuration.end(),
                     listens_here);
}

std::string event_of(std::string_view name) {
  return std::string(message_prefix) + std::string(name);
}

}  // namespace

bool Draft::listens() const {
  return std::any_of(
      definition.messages.begin(), definition.messages.end(),
      [&](const MessageSpec& message) { return heard(state, definition, event_of(message.name)); });
}

bool Draft::wanted(const MessageRecord& message) const {
  return heard(state, definition, event_of(message.name));
}

void Draft::receive_message(const SignalRun& signal, const MessageSpec& spec) {
  MessageReceived received;
  received.command = signal;
  received.message = "m" + std::to_string(next_sequence().value);
  if (spec.ttl) received.expires = command.time + *spec.ttl;
  const std::string id = received.message;
  const std::optional<Timestamp> expires = received.expires;
  emit(std::move(received));
  if (!expires) return;
  TimerSet timer;
  timer.timer = expiry_timer(id);
  timer.purpose = TimerPurpose::message_expiry;
  timer.due = *expires;
  timer.event = id;
  emit(std::move(timer));
}

void Draft::expire_message(const std::string& message, const std::string& reason) {
  emit(MessageExpired{message, reason});
  if (const TimerId timer = expiry_timer(message); state.timers.contains(timer))
    emit(TimerCancelled{timer});
}

void Draft::take_messages() {
  const auto able = [&] {
    return state.mode == RunMode::running && !state.parked() && state.queue.empty() &&
           !state.messages.empty() && !top_final(state, definition);
  };
  // Each round takes one message or is the last, so there are at most messages_max rounds.
  for (bool again = true; again && able();) {
    again = false;
    for (const MessageRecord& message : std::vector<MessageRecord>(state.messages)) {
      if (message.expires && *message.expires <= command.time) {
        expire_message(message.message, "its time is over");
        continue;
      }
      again = wanted(message) && offer_message(message);
      run_pending();
      if (again || !able()) break;
    }
  }
}

// Whether the chart took it. What was tried for a message that goes on waiting is evidence once,
// when it arrives; later tries leave no trace.
bool Draft::offer_message(const MessageRecord& message) {
  const Sequence last_before = state.last;
  const std::size_t events_before = events.size();
  const std::size_t pending_before = pending_.size();
  const std::optional<LeaseOffer> offer_before = offer_;
  message_ = &message;
  consumed_ = false;
  macrostep(Step::dispatch, QueuedEvent{event_of(message.name), message.data});
  message_ = nullptr;
  const bool taken = std::exchange(consumed_, false) && !state.parked();
  const bool fresh = message.received_at.value + events_before > last_before.value;
  if (taken || fresh || state.parked()) return taken;
  take_back(events_before);
  pending_.resize(pending_before);
  offer_ = offer_before;
  return false;
}

}  // namespace checkride
