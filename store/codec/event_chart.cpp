#include "store/codec/enums.h"
#include "store/codec/event_parts.h"
#include "store/codec/value.h"

namespace checkride::codec {

// Static rather than unnamed: put_list and read_list find them through their arguments.
static void write(schema::RecordedFact::Builder to, const RecordedFact& fact, Trouble& trouble) {
  using B = schema::RecordedFact::Builder;
  const auto& [path, value, digest, stands_at] = fact;
  put_text(to, &B::setPath, path);
  if (value) write(to.initValue(), *value, trouble);
  put_digest(to, &B::setDigest, digest);
  to.setStandsAt(stands_at.value);
}
static void read(schema::RecordedFact::Reader from, RecordedFact& fact, Trouble& trouble) {
  auto& [path, value, digest, stands_at] = fact;
  path = string_of(from.getPath());
  value.reset();
  if (from.hasValue()) read(from.getValue(), value.emplace(), trouble);
  read(from.getDigest(), digest, trouble);
  stands_at.value = from.getStandsAt();
}

static void write(schema::GuardCandidate::Builder to, const GuardCandidate& candidate,
                  Trouble& trouble) {
  const auto& [transition, holds, error, facts] = candidate;
  to.setTransition(transition.value);
  to.setHolds(holds);
  put_text(to, &schema::GuardCandidate::Builder::setError, error);
  put_list(to, &schema::GuardCandidate::Builder::initFacts, facts, trouble);
}
static void read(schema::GuardCandidate::Reader from, GuardCandidate& candidate, Trouble& trouble) {
  auto& [transition, holds, error, facts] = candidate;
  transition.value = from.getTransition();
  holds = from.getHolds();
  error = string_of(from.getError());
  read_list(from.getFacts(), facts, trouble);
}

void write(schema::StateHistory::Builder to,
           const std::pair<statechart::StateIndex, std::vector<statechart::StateIndex>>& history,
           Trouble&) {
  to.setState(history.first.value);
  put_scalars(to, &schema::StateHistory::Builder::initRemembered, history.second);
}
void read(schema::StateHistory::Reader from,
          std::pair<statechart::StateIndex, std::vector<statechart::StateIndex>>& history,
          Trouble&) {
  history.first.value = from.getState();
  read_scalars(from.getRemembered(), history.second);
}

void write(schema::StateCount::Builder to,
           const std::pair<statechart::StateIndex, std::uint32_t>& count, Trouble&) {
  to.setState(count.first.value);
  to.setCount(count.second);
}
void read(schema::StateCount::Reader from, std::pair<statechart::StateIndex, std::uint32_t>& count,
          Trouble&) {
  count.first.value = from.getState();
  count.second = from.getCount();
}

void write(schema::TransitionTaken::Builder to, const TransitionTaken& event, Trouble& trouble) {
  using B = schema::TransitionTaken::Builder;
  const auto& [transitions, trigger, exited, entered, history, entries] = event;
  put_scalars(to, &B::initTransitions, transitions);
  put_text(to, &B::setTrigger, trigger);
  put_scalars(to, &B::initExited, exited);
  put_scalars(to, &B::initEntered, entered);
  put_list(to, &B::initHistory, history, trouble);
  put_list(to, &B::initEntries, entries, trouble);
}
void read(schema::TransitionTaken::Reader from, TransitionTaken& event, Trouble& trouble) {
  auto& [transitions, trigger, exited, entered, history, entries] = event;
  read_scalars(from.getTransitions(), transitions);
  trigger = string_of(from.getTrigger());
  read_scalars(from.getExited(), exited);
  read_scalars(from.getEntered(), entered);
  read_list(from.getHistory(), history, trouble);
  read_list(from.getEntries(), entries, trouble);
}

void write(schema::GuardEvaluated::Builder to, const GuardEvaluated& event, Trouble& trouble) {
  const auto& [trigger, candidates] = event;
  put_text(to, &schema::GuardEvaluated::Builder::setTrigger, trigger);
  put_list(to, &schema::GuardEvaluated::Builder::initCandidates, candidates, trouble);
}
void read(schema::GuardEvaluated::Reader from, GuardEvaluated& event, Trouble& trouble) {
  auto& [trigger, candidates] = event;
  trigger = string_of(from.getTrigger());
  read_list(from.getCandidates(), candidates, trouble);
}

void write(schema::DataAssigned::Builder to, const DataAssigned& event, Trouble& trouble) {
  const auto& [name, value] = event;
  put_text(to, &schema::DataAssigned::Builder::setName, name);
  if (!value.is_null()) write(to.initValue(), value, trouble);
}
void read(schema::DataAssigned::Reader from, DataAssigned& event, Trouble& trouble) {
  auto& [name, value] = event;
  name = string_of(from.getName());
  read(from.getValue(), value, trouble);
}

void write(schema::VerdictGiven::Builder to, const VerdictGiven& event, Trouble&) {
  const auto& [state, verdict, note] = event;
  to.setState(state.value);
  to.setVerdict(to_disk<schema::Verdict>(verdict));
  put_text(to, &schema::VerdictGiven::Builder::setNote, note);
}
void read(schema::VerdictGiven::Reader from, VerdictGiven& event, Trouble& trouble) {
  auto& [state, verdict, note] = event;
  state.value = from.getState();
  read_enum(from.getVerdict(), verdict, trouble);
  note = string_of(from.getNote());
}

void write(schema::EventQueued::Builder to, const EventQueued& event, Trouble& trouble) {
  const auto& [name, data] = event;
  put_text(to, &schema::EventQueued::Builder::setName, name);
  if (!data.is_null()) write(to.initData(), data, trouble);
}
void read(schema::EventQueued::Reader from, EventQueued& event, Trouble& trouble) {
  auto& [name, data] = event;
  name = string_of(from.getName());
  read(from.getData(), data, trouble);
}

void write(schema::EventTaken::Builder, const EventTaken&, Trouble&) {
  static_assert(std::is_empty_v<EventTaken>);
}
void read(schema::EventTaken::Reader, EventTaken&, Trouble&) {}

void write(schema::RunFinished::Builder to, const RunFinished& event, Trouble& trouble) {
  const auto& [outcome, reason, output, unsatisfied] = event;
  to.setOutcome(to_disk<schema::RunOutcome>(outcome));
  put_text(to, &schema::RunFinished::Builder::setReason, reason);
  if (!output.is_null()) write(to.initOutput(), output, trouble);
  put_scalars(to, &schema::RunFinished::Builder::initUnsatisfied, unsatisfied);
}
void read(schema::RunFinished::Reader from, RunFinished& event, Trouble& trouble) {
  auto& [outcome, reason, output, unsatisfied] = event;
  read_enum(from.getOutcome(), outcome, trouble);
  reason = string_of(from.getReason());
  read(from.getOutput(), output, trouble);
  read_scalars(from.getUnsatisfied(), unsatisfied);
}

void write(schema::StoreOpened::Builder to, const StoreOpened& event, Trouble&) {
  using B = schema::StoreOpened::Builder;
  const auto& [epoch, host, boot_id, build, clean] = event;
  to.setEpoch(epoch.value);
  put_text(to, &B::setHost, host);
  put_text(to, &B::setBootId, boot_id);
  put_text(to, &B::setBuild, build);
  to.setClean(clean);
}
void read(schema::StoreOpened::Reader from, StoreOpened& event, Trouble&) {
  auto& [epoch, host, boot_id, build, clean] = event;
  epoch.value = from.getEpoch();
  host = string_of(from.getHost());
  boot_id = string_of(from.getBootId());
  build = string_of(from.getBuild());
  clean = from.getClean();
}

}  // namespace checkride::codec
