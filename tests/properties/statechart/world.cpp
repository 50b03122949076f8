#include <algorithm>

#include "tests/properties/statechart/scenario.h"

namespace checkride::statechart {
namespace {

constexpr std::size_t sends_max = 20;  // waiting at once; more are dropped

std::string to_text(const ChartEvent* event) {
  if (event == nullptr) return "-";
  return event->name + "/" + std::to_string(static_cast<int>(event->type)) + "/" +
         cel::to_cel(event->data);
}

}  // namespace

World::Answer World::evaluate(ConditionIndex cond, const ChartEvent* event, const In& in) {
  log.push_back("guard " + to_string(cond) + " on " + to_text(event));
  const GuardSpec& guard = scenario_->guards[cond.value];
  switch (guard.kind) {
    case GuardSpec::Kind::yes: return {true, HostError::none, {}};
    case GuardSpec::Kind::no: return {false, HostError::none, {}};
    case GuardSpec::Kind::in: return {in(guard.state), HostError::none, {}};
    case GuardSpec::Kind::even: return {counter_ % 2 == 0, HostError::none, {}};
    // A failing guard counts as false whatever it says.
    case GuardSpec::Kind::fails: return {true, error(), "guard " + to_string(cond)};
  }
  return {};
}

World::Answer World::execute(ContentIndex content, const ChartEvent* event, const In& in,
                             const Raise& raise) {
  log.push_back("content " + to_string(content) + " on " + to_text(event));
  for (const ActionSpec& action : scenario_->contents[content.value]) {
    switch (action.kind) {
      case ActionSpec::Kind::count: ++counter_; break;
      case ActionSpec::Kind::raise_if_in:
        if (!in(action.state)) break;
        [[fallthrough]];
      case ActionSpec::Kind::raise:
        raise({action.event, ChartEvent::Type::internal, cel::Value(counter_)});
        break;
      case ActionSpec::Kind::send:
        if (external_.size() + delayed_.size() >= sends_max) break;
        if (action.delay == 0) {
          external_.push_back(action.event);
        } else {
          delayed_.push_back({now_ + action.delay, action.event, action.id});
        }
        break;
      case ActionSpec::Kind::cancel:
        cancelled +=
            std::erase_if(delayed_, [&](const Delayed& sent) { return sent.id == action.id; });
        break;
      case ActionSpec::Kind::fails: return {false, error(), "content " + to_string(content)};
    }
  }
  return {};
}

cel::Value World::done_data(StateIndex final_state) {
  log.push_back("done data of " + to_string(final_state));
  return cel::Value(++counter_);
}

std::optional<std::string> World::next_external() {
  if (external_.empty()) return std::nullopt;
  std::string event = std::move(external_.front());
  external_.pop_front();
  return event;
}

void World::wait(std::uint32_t ticks) {
  now_ += ticks;
  std::stable_sort(delayed_.begin(), delayed_.end(),
                   [](const Delayed& a, const Delayed& b) { return a.due < b.due; });
  while (!delayed_.empty() && delayed_.front().due <= now_) {
    external_.push_back(std::move(delayed_.front().event));
    delayed_.erase(delayed_.begin());
  }
}

}  // namespace checkride::statechart
