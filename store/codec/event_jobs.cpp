#include "store/codec/enums.h"
#include "store/codec/event_parts.h"
#include "store/codec/job.h"
#include "store/codec/value.h"

namespace checkride::codec {

void write(schema::InvocationStarted::Builder to, const InvocationStarted& event,
           Trouble& trouble) {
  const auto& [state, each, items] = event;
  to.setState(state.value);
  to.setEach(each);
  put_list(to, &schema::InvocationStarted::Builder::initItems, items, trouble);
}
void read(schema::InvocationStarted::Reader from, InvocationStarted& event, Trouble& trouble) {
  auto& [state, each, items] = event;
  state.value = from.getState();
  each = from.getEach();
  read_list(from.getItems(), items, trouble);
}

void write(schema::InvocationFinished::Builder to, const InvocationFinished& event,
           Trouble& trouble) {
  const auto& [state, done, status, result] = event;
  to.setState(state.value);
  to.setDone(done);
  to.setStatus(to_disk<schema::JobStatus>(status));
  if (result) write(to.initResult(), *result, trouble);
}
void read(schema::InvocationFinished::Reader from, InvocationFinished& event, Trouble& trouble) {
  auto& [state, done, status, result] = event;
  state.value = from.getState();
  done = from.getDone();
  read_enum(from.getStatus(), status, trouble);
  result.reset();
  if (from.hasResult()) read(from.getResult(), result.emplace(), trouble);
}

void write(schema::JobIntended::Builder to, const JobIntended& event, Trouble& trouble) {
  using B = schema::JobIntended::Builder;
  const auto& [spec, digest, state, purpose, performer, item, attempt, about, machine] = event;
  write(to.initSpec(), spec, trouble);
  put_digest(to, &B::setDigest, digest);
  to.setState(state.value);
  to.setPurpose(to_disk<schema::JobPurpose>(purpose));
  to.setPerformer(to_disk<schema::Performer>(performer));
  to.setItem(item);
  to.setAttempt(attempt);
  put_optional(to, &B::initAbout, about);
  put_digest(to, &B::setMachine, machine);
}
void read(schema::JobIntended::Reader from, JobIntended& event, Trouble& trouble) {
  auto& [spec, digest, state, purpose, performer, item, attempt, about, machine] = event;
  read(from.getSpec(), spec, trouble);
  read(from.getDigest(), digest, trouble);
  state.value = from.getState();
  read_enum(from.getPurpose(), purpose, trouble);
  read_enum(from.getPerformer(), performer, trouble);
  item = from.getItem();
  attempt = from.getAttempt();
  about.reset();
  if (from.hasAbout()) about = Token(string_of(from.getAbout().getValue()));
  read(from.getMachine(), machine, trouble);
}

void write(schema::RetryScheduled::Builder to, const RetryScheduled& event, Trouble&) {
  const auto& [state, item, attempt, failure, due] = event;
  to.setState(state.value);
  to.setItem(item);
  to.setAttempt(attempt);
  to.setFailure(to_disk<schema::FailureClass>(failure));
  to.setDue(due.ns);
}
void read(schema::RetryScheduled::Reader from, RetryScheduled& event, Trouble& trouble) {
  auto& [state, item, attempt, failure, due] = event;
  state.value = from.getState();
  item = from.getItem();
  attempt = from.getAttempt();
  read_enum(from.getFailure(), failure, trouble);
  due.ns = from.getDue();
}

void write(schema::JobCancelRequested::Builder to, const JobCancelRequested& event, Trouble&) {
  const auto& [token, reason] = event;
  put_text(to, &schema::JobCancelRequested::Builder::setToken, token);
  put_text(to, &schema::JobCancelRequested::Builder::setReason, reason);
}
void read(schema::JobCancelRequested::Reader from, JobCancelRequested& event, Trouble& trouble) {
  auto& [token, reason] = event;
  read(from.getToken(), token, trouble);
  reason = string_of(from.getReason());
}

void write(schema::TimerSet::Builder to, const TimerSet& event, Trouble& trouble) {
  const auto& [timer, purpose, due, state, item, name, data] = event;
  put_text(to, &schema::TimerSet::Builder::setTimer, timer);
  to.setPurpose(to_disk<schema::TimerPurpose>(purpose));
  to.setDue(due.ns);
  to.setState(state.value);
  to.setItem(item);
  put_text(to, &schema::TimerSet::Builder::setEvent, name);
  if (!data.is_null()) write(to.initData(), data, trouble);
}
void read(schema::TimerSet::Reader from, TimerSet& event, Trouble& trouble) {
  auto& [timer, purpose, due, state, item, name, data] = event;
  read(from.getTimer(), timer, trouble);
  read_enum(from.getPurpose(), purpose, trouble);
  due.ns = from.getDue();
  state.value = from.getState();
  item = from.getItem();
  name = string_of(from.getEvent());
  read(from.getData(), data, trouble);
}

void write(schema::TimerCancelled::Builder to, const TimerCancelled& event, Trouble&) {
  const auto& [timer] = event;
  put_text(to, &schema::TimerCancelled::Builder::setTimer, timer);
}
void read(schema::TimerCancelled::Reader from, TimerCancelled& event, Trouble& trouble) {
  auto& [timer] = event;
  read(from.getTimer(), timer, trouble);
}

void write(schema::GateOpened::Builder to, const GateOpened& event, Trouble& trouble) {
  using B = schema::GateOpened::Builder;
  const auto& [gate, state, question, options, who, inputs] = event;
  put_text(to, &B::setGate, gate);
  to.setState(state.value);
  put_text(to, &B::setQuestion, question);
  put_scalars(to, &B::initOptions, options);
  put_scalars(to, &B::initWho, who);
  put_map(to, &B::initInputs, inputs, trouble);
}
void read(schema::GateOpened::Reader from, GateOpened& event, Trouble& trouble) {
  auto& [gate, state, question, options, who, inputs] = event;
  read(from.getGate(), gate, trouble);
  state.value = from.getState();
  question = string_of(from.getQuestion());
  read_scalars(from.getOptions(), options);
  read_scalars(from.getWho(), who);
  read_map(from.getInputs(), inputs, trouble);
}

void write(schema::GateClosed::Builder to, const GateClosed& event, Trouble&) {
  const auto& [gate, outcome] = event;
  put_text(to, &schema::GateClosed::Builder::setGate, gate);
  put_text(to, &schema::GateClosed::Builder::setOutcome, outcome);
}
void read(schema::GateClosed::Reader from, GateClosed& event, Trouble& trouble) {
  auto& [gate, outcome] = event;
  read(from.getGate(), gate, trouble);
  outcome = string_of(from.getOutcome());
}

void write(schema::QueuedEvent::Builder to, const QueuedEvent& queued, Trouble& trouble) {
  const auto& [name, data] = queued;
  put_text(to, &schema::QueuedEvent::Builder::setName, name);
  if (!data.is_null()) write(to.initData(), data, trouble);
}
void read(schema::QueuedEvent::Reader from, QueuedEvent& queued, Trouble& trouble) {
  auto& [name, data] = queued;
  name = string_of(from.getName());
  read(from.getData(), data, trouble);
}

void write(schema::IncidentRaised::Builder to, const IncidentRaised& event, Trouble& trouble) {
  using B = schema::IncidentRaised::Builder;
  const auto& [incident, kind, message, state, job, unprocessed, start_unfinished] = event;
  put_text(to, &B::setIncident, incident);
  to.setKind(to_disk<schema::IncidentKind>(kind));
  put_text(to, &B::setMessage, message);
  to.setState(state.value);
  put_optional(to, &B::initJob, job);
  put_list(to, &B::initUnprocessed, unprocessed, trouble);
  to.setStartUnfinished(start_unfinished);
}
void read(schema::IncidentRaised::Reader from, IncidentRaised& event, Trouble& trouble) {
  auto& [incident, kind, message, state, job, unprocessed, start_unfinished] = event;
  read(from.getIncident(), incident, trouble);
  read_enum(from.getKind(), kind, trouble);
  message = string_of(from.getMessage());
  state.value = from.getState();
  job.reset();
  if (from.hasJob()) job = Token(string_of(from.getJob().getValue()));
  read_list(from.getUnprocessed(), unprocessed, trouble);
  start_unfinished = from.getStartUnfinished();
}

void write(schema::MessageConsumed::Builder to, const MessageConsumed& event, Trouble&) {
  const auto& [message] = event;
  put_text(to, &schema::MessageConsumed::Builder::setMessage, message);
}
void read(schema::MessageConsumed::Reader from, MessageConsumed& event, Trouble&) {
  auto& [message] = event;
  message = string_of(from.getMessage());
}
void write(schema::MessageExpired::Builder to, const MessageExpired& event, Trouble&) {
  const auto& [message, reason] = event;
  put_text(to, &schema::MessageExpired::Builder::setMessage, message);
  put_text(to, &schema::MessageExpired::Builder::setReason, reason);
}
void read(schema::MessageExpired::Reader from, MessageExpired& event, Trouble&) {
  auto& [message, reason] = event;
  message = string_of(from.getMessage());
  reason = string_of(from.getReason());
}

void write(schema::BudgetExtended::Builder to, const BudgetExtended& event, Trouble&) {
  const auto& [state, entries] = event;
  to.setState(state.value);
  to.setEntries(entries);
}
void read(schema::BudgetExtended::Reader from, BudgetExtended& event, Trouble&) {
  auto& [state, entries] = event;
  state.value = from.getState();
  entries = from.getEntries();
}

void write(schema::CompensationStarted::Builder to, const CompensationStarted& event, Trouble&) {
  const auto& [state] = event;
  to.setState(state.value);
}
void read(schema::CompensationStarted::Reader from, CompensationStarted& event, Trouble&) {
  auto& [state] = event;
  state.value = from.getState();
}

void write(schema::CompensationFinished::Builder to, const CompensationFinished& event, Trouble&) {
  const auto& [state, ok, message] = event;
  to.setState(state.value);
  to.setOk(ok);
  put_text(to, &schema::CompensationFinished::Builder::setMessage, message);
}
void read(schema::CompensationFinished::Reader from, CompensationFinished& event, Trouble&) {
  auto& [state, ok, message] = event;
  state.value = from.getState();
  ok = from.getOk();
  message = string_of(from.getMessage());
}

}  // namespace checkride::codec
