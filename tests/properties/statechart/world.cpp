#include "tests/properties/statechart/scenario.h"

namespace checkride::statechart {
namespace {

std::string to_text(const ChartEvent* event) {
  if (event == nullptr) return "-";
  return event->name + "/" + std::to_string(static_cast<int>(event->type)) + "/" +
         cel::to_cel(event->data);
}

}  // namespace

World::Answer World::evaluate(ConditionIndex cond, const ChartEvent* event, const In& in) {
  log.push_back("guard " + to_string(cond) + " on " + to_text(event));
  const GuardSpec& guard = scenario_.guards[cond.value];
  switch (guard.kind) {
    case GuardSpec::Kind::yes: return {true, HostError::none, {}};
    case GuardSpec::Kind::no: return {false, HostError::none, {}};
    case GuardSpec::Kind::in: return {in(guard.state), HostError::none, {}};
    case GuardSpec::Kind::even: return {counter_ % 2 == 0, HostError::none, {}};
    // A failing guard counts as false whatever it says.
    case GuardSpec::Kind::fails: return {true, HostError::execution, "guard " + to_string(cond)};
    case GuardSpec::Kind::stops: return {true, HostError::stop, "guard " + to_string(cond)};
  }
  return {};
}

World::Answer World::execute(ContentIndex content, const ChartEvent* event, const In& in,
                             const Raise& raise) {
  log.push_back("content " + to_string(content) + " on " + to_text(event));
  for (const ActionSpec& action : scenario_.contents[content.value]) {
    switch (action.kind) {
      case ActionSpec::Kind::count: ++counter_; break;
      case ActionSpec::Kind::raise_if_in:
        if (!in(action.state)) break;
        [[fallthrough]];
      case ActionSpec::Kind::raise:
        raise({action.event, ChartEvent::Type::internal, cel::Value(counter_)});
        break;
      case ActionSpec::Kind::fails:
        return {false, HostError::execution, "content " + to_string(content)};
      case ActionSpec::Kind::stops:
        return {false, HostError::stop, "content " + to_string(content)};
    }
  }
  return {};
}

cel::Value World::done_data(StateIndex final_state) {
  log.push_back("done data of " + to_string(final_state));
  return cel::Value(++counter_);
}

}  // namespace checkride::statechart
