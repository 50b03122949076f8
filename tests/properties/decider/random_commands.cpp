#include "tests/properties/decider/random_run.h"

namespace checkride::test {

namespace {

using How = ResolveIncident::How;

JobOutcome outcome_for(Dice& dice, const JobIntended& intent) {
  JobOutcome outcome;
  switch (dice.below(10)) {
    case 0: return lost();
    case 1: return never_started();
    case 2: return failed(FailureClass::infra);
    case 3: return failed(FailureClass::code);
    case 4: return failed(FailureClass::unavailable);
    case 5: outcome = passed(0, JobStatus::skipped); break;
    default: outcome = passed(static_cast<std::int64_t>(dice.below(5)));
  }
  if (intent.spec.kind == "look")
    return looked(dice.of(std::vector<std::string>{"rerun", "finished", "unknown"}),
                  dice.one_in(2) ? std::optional<std::int64_t>(3) : std::nullopt);
  if (intent.performer == JobSignature::Performer::machine) {
    cel::Map child;
    child.set("run", cel::Value(intent.spec.token.value));
    child.set("outcome", cel::Value("succeeded"));
    child.set("status", cel::Value(to_string(outcome.status)));
    child.set("reason", cel::Value(""));
    child.set("item", cel::Value());
    outcome.result = cel::Value(std::move(child));
  }
  return outcome;
}

CommandBody resolution(Dice& dice, const RunState& state, const Definition& definition) {
  ResolveIncident resolve;
  auto incident = state.incidents.begin();
  std::advance(incident, static_cast<std::ptrdiff_t>(dice.below(state.incidents.size())));
  if (!dice.one_in(4)) resolve.incident = incident->first;
  resolve.how =
      dice.of(std::vector<How>{How::retry, How::retry, How::retry, How::started, How::finished,
                               How::finished, How::lost, How::jump, How::jump});
  if (dice.one_in(20)) resolve.how = How::give_up;
  if (dice.one_in(2)) resolve.outcome = dice.one_in(3) ? failed(FailureClass::code) : passed(2);
  resolve.state = dice.of(definition.chart.states).id;
  if (!dice.one_in(10)) resolve.reason = "because";
  return resolve;
}

CommandBody nonsense(Dice& dice, const RunState& state) {
  const Token old = token_of(state.run, Sequence(1 + dice.below(state.last.value)));
  switch (dice.below(12)) {
    case 0: return FinishJob{old, passed(1), {}, {}};
    case 1: return MarkJobStarted{old, {}};
    case 2: return AdoptJob{old, {}};
    case 3: return ReportJobUnknown{old, "nothing"};
    case 4: return FireTimer{TimerId("retry.1.0"), Timestamp{5}};
    case 5: return AnswerGate{old, Sequence(1), "approve", ""};
    case 6: return GrantLease{old, {{"gpu", "0"}}, false, "boot"};
    case 7: return ReleaseLease{old, "nothing"};
    case 8: return SignalRun{"nods", {}, "because"};
    case 9: return SignalRun{"poke", cel::Value("text"), "because"};
    case 10: return ResumeRun{"", false};
    default: return ResolveIncident{How::retry, IncidentId("i1"), {}, {}, {}, "because"};
  }
}

}  // namespace

CommandBody random_command(Dice& dice, const RunState& state, const Definition& definition) {
  if (dice.one_in(10)) return nonsense(dice, state);
  if (state.paused && dice.one_in(3)) return ResumeRun{"", false};
  if (!state.paused && dice.one_in(40)) return PauseRun{"wait", false};
  if (!definition.messages.empty() && dice.one_in(8)) {
    if (dice.one_in(2)) return SignalRun{"nod", {}, dice.one_in(6) ? "" : "because"};
    return SignalRun{"poke", cel::Value(static_cast<std::int64_t>(dice.below(5))), "because"};
  }
  if (dice.one_in(200)) return CancelRun{"enough"};
  if (dice.one_in(200)) return RollbackRun{"back"};
  if (!state.incidents.empty() && dice.one_in(2)) return resolution(dice, state, definition);
  if (!state.gates.empty() && dice.one_in(2)) {
    const auto& [gate, open] = *state.gates.begin();
    return AnswerGate{gate, open.opened_at, dice.of(open.options), dice.one_in(8) ? "" : "why"};
  }
  const std::vector<Obligation> owed = outstanding(state);
  if (owed.empty()) return nonsense(dice, state);
  const Obligation& one = dice.of(owed);
  if (const auto* timer = std::get_if<AwaitTimer>(&one)) return FireTimer{timer->timer, timer->due};
  if (const auto* child = std::get_if<StartChild>(&one))
    return FinishJob{child->intent->spec.token, outcome_for(dice, *child->intent), {}, {}};
  if (const auto* waits = std::get_if<AwaitLease>(&one)) {
    const JobSpec& spec = waits->intent->spec;
    LeaseOffer offer = free_units(state);
    const auto units = take(offer, spec.needs);
    if (!units || dice.one_in(8))
      return FinishJob{spec.token, failed(FailureClass::unavailable), {}, {}};
    return GrantLease{spec.token, *units, spec.needs.exclusive, "boot"};
  }
  const auto* run = std::get_if<RunJob>(&one);
  const JobIntended& intent = run != nullptr ? *run->intent : *std::get<StopJob>(one).intent;
  if (dice.one_in(8)) return MarkJobStarted{intent.spec.token, {}};
  if (dice.one_in(10) && intent.performer == JobSignature::Performer::runner)
    return ReportJobUnknown{intent.spec.token, "no answer"};
  return FinishJob{intent.spec.token, outcome_for(dice, intent), {}, {}};
}

LeaseOffer free_units(const RunState& state) {
  LeaseOffer offer;
  offer.boot_id = "boot";
  offer.free = {{"gpu", "0"}, {"gpu", "1"}, {"port", "8001"}};
  offer.whole = {"gpu", "port"};
  for (const auto& [token, lease] : state.leases)
    for (const LeasedUnit& unit : lease.units) {
      offer.free.erase(unit);
      offer.whole.erase(unit.resource);
      if (lease.exclusive)
        std::erase_if(offer.free, [&](const LeasedUnit& u) { return u.resource == unit.resource; });
    }
  return offer;
}

std::optional<LeaseOffer> random_offer(Dice& dice, const RunState& state) {
  if (dice.one_in(2)) return std::nullopt;
  LeaseOffer offer = free_units(state);
  if (dice.one_in(3)) {  // others hold something too
    offer.free.erase({"gpu", "0"});
    offer.whole.erase("gpu");
  }
  return offer;
}

CommandBody ending_command(const RunState& state, const Definition& definition) {
  static_cast<void>(definition);
  if (state.paused) return ResumeRun{"", false};
  if (!state.incidents.empty())
    return ResolveIncident{How::give_up, state.incidents.begin()->first, {}, {}, {}, "enough"};
  for (const Obligation& owed : outstanding(state)) {
    const JobIntended* intent = nullptr;
    if (const auto* run = std::get_if<RunJob>(&owed)) intent = run->intent.get();
    if (const auto* stop = std::get_if<StopJob>(&owed)) intent = stop->intent.get();
    if (const auto* child = std::get_if<StartChild>(&owed)) intent = child->intent.get();
    if (const auto* waits = std::get_if<AwaitLease>(&owed)) intent = waits->intent.get();
    if (intent == nullptr) continue;
    if (intent->spec.kind == "look")
      return FinishJob{intent->spec.token, looked("unknown"), {}, {}};
    return FinishJob{intent->spec.token, failed(FailureClass::code), {}, {}};
  }
  if (!state.gates.empty()) {
    const auto& [gate, open] = *state.gates.begin();
    return AnswerGate{gate, open.opened_at, "reject", "enough"};
  }
  for (const auto& [id, timer] : state.timers) return FireTimer{id, timer.due};
  return CancelRun{"nothing is left that could move it"};
}

}  // namespace checkride::test
