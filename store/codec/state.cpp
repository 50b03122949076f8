#include "store/codec/state.h"

#include "store/codec/command.h"
#include "store/codec/enums.h"
#include "store/codec/event.h"
#include "store/codec/job.h"
#include "store/codec/value.h"

namespace checkride::codec {

// A map is a list of structs that hold key and value. Static rather than unnamed: put_list and
// read_map_of find these through their arguments.
static void write(schema::NamedSequence::Builder to,
                  const std::pair<const std::string, Sequence>& entry, Trouble&) {
  put_text(to, &schema::NamedSequence::Builder::setName, entry.first);
  to.setSequence(entry.second.value);
}
static void read(schema::NamedSequence::Reader from, std::pair<std::string, Sequence>& entry,
                 Trouble&) {
  entry.first = string_of(from.getName());
  entry.second.value = from.getSequence();
}

static void write(schema::StateSequence::Builder to,
                  const std::pair<const statechart::StateIndex, Sequence>& entry, Trouble&) {
  to.setState(entry.first.value);
  to.setSequence(entry.second.value);
}
static void read(schema::StateSequence::Reader from,
                 std::pair<statechart::StateIndex, Sequence>& entry, Trouble&) {
  entry.first.value = from.getState();
  entry.second.value = from.getSequence();
}

static void write(schema::ItemCount::Builder to,
                  const std::pair<const std::uint32_t, std::uint32_t>& entry, Trouble&) {
  to.setItem(entry.first);
  to.setCount(entry.second);
}
static void read(schema::ItemCount::Reader from, std::pair<std::uint32_t, std::uint32_t>& entry,
                 Trouble&) {
  entry.first = from.getItem();
  entry.second = from.getCount();
}

static void write(schema::ItemOutcome::Builder to,
                  const std::pair<const std::uint32_t, JobOutcome>& entry, Trouble& trouble) {
  to.setItem(entry.first);
  write(to.initOutcome(), entry.second, trouble);
}
static void read(schema::ItemOutcome::Reader from, std::pair<std::uint32_t, JobOutcome>& entry,
                 Trouble& trouble) {
  entry.first = from.getItem();
  read(from.getOutcome(), entry.second, trouble);
}

// Keys come in order and once; anything else was not written by write().
template <class ListReader, class Map>
static void read_map_of(const ListReader& from, Map& to, Trouble& trouble) {
  to.clear();
  for (const auto element : from) {
    std::pair<typename Map::key_type, typename Map::mapped_type> entry;
    read(element, entry, trouble);
    if (!to.empty() && !(to.rbegin()->first < entry.first))
      trouble.note("the keys of a map are not in order");
    if (trouble) return;
    to.emplace_hint(to.end(), std::move(entry));
  }
}

static void write(schema::JobRecord::Builder to, const std::pair<const Token, JobRecord>& entry,
                  Trouble& trouble) {
  const auto& [intent, intended_at, intended_time, phase, stale] = entry.second;
  put_text(to, &schema::JobRecord::Builder::setToken, entry.first);
  write(to.initIntent(), *intent, trouble);
  to.setIntendedAt(intended_at.value);
  to.setIntendedTime(intended_time.ns);
  to.setPhase(to_disk<schema::JobPhase>(phase));
  to.setStale(stale);
}
static void read(schema::JobRecord::Reader from, std::pair<Token, JobRecord>& entry,
                 Trouble& trouble) {
  auto& [intent, intended_at, intended_time, phase, stale] = entry.second;
  read(from.getToken(), entry.first, trouble);
  auto intended = std::make_shared<JobIntended>();
  read(from.getIntent(), *intended, trouble);
  intent = std::move(intended);
  intended_at.value = from.getIntendedAt();
  intended_time.ns = from.getIntendedTime();
  read_enum(from.getPhase(), phase, trouble);
  stale = from.getStale();
}

static void write(schema::InvocationRecord::Builder to,
                  const std::pair<const statechart::StateIndex, InvocationRecord>& entry,
                  Trouble& trouble) {
  using B = schema::InvocationRecord::Builder;
  const auto& [started_at, ended, done, status, each, items, next_item, attempts, outcomes] =
      entry.second;
  to.setState(entry.first.value);
  to.setStartedAt(started_at.value);
  to.setEnded(ended);
  to.setDone(done);
  to.setStatus(to_disk<schema::JobStatus>(status));
  to.setEach(each);
  put_list(to, &B::initItems, items, trouble);
  to.setNextItem(next_item);
  put_list(to, &B::initAttempts, attempts, trouble);
  put_list(to, &B::initOutcomes, outcomes, trouble);
}
static void read(schema::InvocationRecord::Reader from,
                 std::pair<statechart::StateIndex, InvocationRecord>& entry, Trouble& trouble) {
  auto& [started_at, ended, done, status, each, items, next_item, attempts, outcomes] =
      entry.second;
  entry.first.value = from.getState();
  started_at.value = from.getStartedAt();
  ended = from.getEnded();
  done = from.getDone();
  read_enum(from.getStatus(), status, trouble);
  each = from.getEach();
  read_list(from.getItems(), items, trouble);
  next_item = from.getNextItem();
  read_map_of(from.getAttempts(), attempts, trouble);
  read_map_of(from.getOutcomes(), outcomes, trouble);
}

static void write(schema::TimerSet::Builder to, const std::pair<const TimerId, TimerRecord>& entry,
                  Trouble& trouble) {
  const auto& [purpose, due, state, item, event, data] = entry.second;
  put_text(to, &schema::TimerSet::Builder::setTimer, entry.first);
  to.setPurpose(to_disk<schema::TimerPurpose>(purpose));
  to.setDue(due.ns);
  to.setState(state.value);
  to.setItem(item);
  put_text(to, &schema::TimerSet::Builder::setEvent, event);
  if (!data.is_null()) write(to.initData(), data, trouble);
}
static void read(schema::TimerSet::Reader from, std::pair<TimerId, TimerRecord>& entry,
                 Trouble& trouble) {
  auto& [purpose, due, state, item, event, data] = entry.second;
  read(from.getTimer(), entry.first, trouble);
  read_enum(from.getPurpose(), purpose, trouble);
  due.ns = from.getDue();
  state.value = from.getState();
  item = from.getItem();
  event = string_of(from.getEvent());
  read(from.getData(), data, trouble);
}

static void write(schema::GateRecord::Builder to, const std::pair<const Token, GateRecord>& entry,
                  Trouble& trouble) {
  using B = schema::GateRecord::Builder;
  const auto& [state, opened_at, opened_time, question, options, who, inputs] = entry.second;
  put_text(to, &B::setGate, entry.first);
  to.setState(state.value);
  to.setOpenedAt(opened_at.value);
  to.setOpenedTime(opened_time.ns);
  put_text(to, &B::setQuestion, question);
  put_scalars(to, &B::initOptions, options);
  put_scalars(to, &B::initWho, who);
  put_map(to, &B::initInputs, inputs, trouble);
}
static void read(schema::GateRecord::Reader from, std::pair<Token, GateRecord>& entry,
                 Trouble& trouble) {
  auto& [state, opened_at, opened_time, question, options, who, inputs] = entry.second;
  read(from.getGate(), entry.first, trouble);
  state.value = from.getState();
  opened_at.value = from.getOpenedAt();
  opened_time.ns = from.getOpenedTime();
  question = string_of(from.getQuestion());
  read_scalars(from.getOptions(), options);
  read_scalars(from.getWho(), who);
  read_map(from.getInputs(), inputs, trouble);
}

static void write(schema::IncidentRecord::Builder to,
                  const std::pair<const IncidentId, IncidentRecord>& entry, Trouble&) {
  using B = schema::IncidentRecord::Builder;
  const auto& [kind, message, state, job, time, start_unfinished] = entry.second;
  put_text(to, &B::setIncident, entry.first);
  to.setKind(to_disk<schema::IncidentKind>(kind));
  put_text(to, &B::setMessage, message);
  to.setState(state.value);
  put_optional(to, &B::initJob, job);
  to.setTime(time.ns);
  to.setStartUnfinished(start_unfinished);
}
static void read(schema::IncidentRecord::Reader from, std::pair<IncidentId, IncidentRecord>& entry,
                 Trouble& trouble) {
  auto& [kind, message, state, job, time, start_unfinished] = entry.second;
  read(from.getIncident(), entry.first, trouble);
  read_enum(from.getKind(), kind, trouble);
  message = string_of(from.getMessage());
  state.value = from.getState();
  job.reset();
  if (from.hasJob()) job = Token(string_of(from.getJob().getValue()));
  time.ns = from.getTime();
  start_unfinished = from.getStartUnfinished();
}

static void write(schema::VerdictRecord::Builder to,
                  const std::pair<const statechart::StateIndex, VerdictRecord>& entry,
                  Trouble& trouble) {
  const auto& [verdict, note, given_at, time, actor] = entry.second;
  to.setState(entry.first.value);
  to.setVerdict(to_disk<schema::Verdict>(verdict));
  put_text(to, &schema::VerdictRecord::Builder::setNote, note);
  to.setGivenAt(given_at.value);
  to.setTime(time.ns);
  write(to.initActor(), actor, trouble);
}
static void read(schema::VerdictRecord::Reader from,
                 std::pair<statechart::StateIndex, VerdictRecord>& entry, Trouble& trouble) {
  auto& [verdict, note, given_at, time, actor] = entry.second;
  entry.first.value = from.getState();
  read_enum(from.getVerdict(), verdict, trouble);
  note = string_of(from.getNote());
  given_at.value = from.getGivenAt();
  time.ns = from.getTime();
  read(from.getActor(), actor, trouble);
}

static void write(schema::ResultRecord::Builder to,
                  const std::pair<const statechart::StateIndex, ResultRecord>& entry,
                  Trouble& trouble) {
  const auto& [value, stands_at] = entry.second;
  to.setState(entry.first.value);
  if (!value.is_null()) write(to.initValue(), value, trouble);
  to.setStandsAt(stands_at.value);
}
static void read(schema::ResultRecord::Reader from,
                 std::pair<statechart::StateIndex, ResultRecord>& entry, Trouble& trouble) {
  auto& [value, stands_at] = entry.second;
  entry.first.value = from.getState();
  read(from.getValue(), value, trouble);
  stands_at.value = from.getStandsAt();
}

static void write(schema::AnsweredCommand::Builder to,
                  const std::pair<const CommandId, AnsweredCommand>& entry, Trouble&) {
  const auto& [sequence, accepted, reason] = entry.second;
  put_text(to, &schema::AnsweredCommand::Builder::setCommand, entry.first);
  to.setSequence(sequence.value);
  to.setAccepted(accepted);
  put_text(to, &schema::AnsweredCommand::Builder::setReason, reason);
}
static void read(schema::AnsweredCommand::Reader from, std::pair<CommandId, AnsweredCommand>& entry,
                 Trouble& trouble) {
  auto& [sequence, accepted, reason] = entry.second;
  read(from.getCommand(), entry.first, trouble);
  sequence.value = from.getSequence();
  accepted = from.getAccepted();
  reason = string_of(from.getReason());
}

static void write(schema::MessageRecord::Builder to, const MessageRecord& record,
                  Trouble& trouble) {
  using B = schema::MessageRecord::Builder;
  const auto& [message, name, data, received_at, received, expires] = record;
  put_text(to, &B::setMessage, message);
  put_text(to, &B::setName, name);
  if (!data.is_null()) write(to.initData(), data, trouble);
  to.setReceivedAt(received_at.value);
  to.setReceived(received.ns);
  put_optional(to, &B::initExpires, expires);
}
static void read(schema::MessageRecord::Reader from, MessageRecord& record, Trouble& trouble) {
  auto& [message, name, data, received_at, received, expires] = record;
  message = string_of(from.getMessage());
  name = string_of(from.getName());
  read(from.getData(), data, trouble);
  received_at.value = from.getReceivedAt();
  received.ns = from.getReceived();
  expires.reset();
  if (from.hasExpires()) expires = Timestamp{from.getExpires().getValue()};
}

static void write(schema::LeaseRecord::Builder to, const std::pair<const Token, LeaseRecord>& entry,
                  Trouble& trouble) {
  using B = schema::LeaseRecord::Builder;
  const auto& [units, exclusive, boot_id, granted_at, granted] = entry.second;
  put_text(to, &B::setToken, entry.first);
  put_list(to, &B::initUnits, units, trouble);
  to.setExclusive(exclusive);
  put_text(to, &B::setBootId, boot_id);
  to.setGrantedAt(granted_at.value);
  to.setGranted(granted.ns);
}
static void read(schema::LeaseRecord::Reader from, std::pair<Token, LeaseRecord>& entry,
                 Trouble& trouble) {
  auto& [units, exclusive, boot_id, granted_at, granted] = entry.second;
  read(from.getToken(), entry.first, trouble);
  read_list(from.getUnits(), units, trouble);
  exclusive = from.getExclusive();
  boot_id = string_of(from.getBootId());
  granted_at.value = from.getGrantedAt();
  granted.ns = from.getGranted();
}

static void write(schema::PauseRecord::Builder to, const PauseRecord& record, Trouble& trouble) {
  const auto& [since, reason, by_parent, actor] = record;
  to.setSince(since.ns);
  put_text(to, &schema::PauseRecord::Builder::setReason, reason);
  to.setByParent(by_parent);
  write(to.initActor(), actor, trouble);
}
static void read(schema::PauseRecord::Reader from, PauseRecord& record, Trouble& trouble) {
  auto& [since, reason, by_parent, actor] = record;
  since.ns = from.getSince();
  reason = string_of(from.getReason());
  by_parent = from.getByParent();
  read(from.getActor(), actor, trouble);
}

static void write(schema::ChartState::Builder to, const statechart::ChartState& chart,
                  Trouble& trouble) {
  const auto& [configuration, history, running] = chart;
  put_scalars(to, &schema::ChartState::Builder::initConfiguration, configuration);
  put_list(to, &schema::ChartState::Builder::initHistory, history, trouble);
  to.setRunning(running);
}
static void read(schema::ChartState::Reader from, statechart::ChartState& chart, Trouble& trouble) {
  auto& [configuration, history, running] = chart;
  read_scalars(from.getConfiguration(), configuration);
  read_map_of(from.getHistory(), history, trouble);
  running = from.getRunning();
}

void write(schema::RunState::Builder to, const RunState& value, Trouble& trouble) {
  using B = schema::RunState::Builder;
  const auto& [run, last, mode, start, started, updated, author, params, data, started_at,
               assigned_at, chart, entries, entered_at, invocations, jobs, timers, gates, incidents,
               queue, verdicts, results, completed, compensated, compensating, end_reason, outcome,
               outcome_reason, output, unsatisfied, answered, answered_order, messages, leases,
               paused] = value;
  put_text(to, &B::setRun, run);
  to.setLast(last.value);
  to.setMode(to_disk<schema::RunMode>(mode));
  write(to.initStart(), start, trouble);
  to.setStarted(started.ns);
  to.setUpdated(updated.ns);
  write(to.initAuthor(), author, trouble);
  put_map(to, &B::initParams, params, trouble);
  put_map(to, &B::initData, data, trouble);
  to.setStartedAt(started_at.value);
  put_list(to, &B::initAssignedAt, assigned_at, trouble);
  write(to.initChart(), chart, trouble);
  put_list(to, &B::initEntries, entries, trouble);
  put_list(to, &B::initEnteredAt, entered_at, trouble);
  put_list(to, &B::initInvocations, invocations, trouble);
  put_list(to, &B::initJobs, jobs, trouble);
  put_list(to, &B::initTimers, timers, trouble);
  put_list(to, &B::initGates, gates, trouble);
  put_list(to, &B::initIncidents, incidents, trouble);
  put_list(to, &B::initQueue, queue, trouble);
  put_list(to, &B::initVerdicts, verdicts, trouble);
  put_list(to, &B::initResults, results, trouble);
  put_scalars(to, &B::initCompleted, completed);
  put_scalars(to, &B::initCompensated, compensated);
  put_optional(to, &B::initCompensating, compensating);
  put_text(to, &B::setEndReason, end_reason);
  to.setOutcome(to_disk<schema::RunOutcome>(outcome));
  put_text(to, &B::setOutcomeReason, outcome_reason);
  if (!output.is_null()) write(to.initOutput(), output, trouble);
  put_scalars(to, &B::initUnsatisfied, unsatisfied);
  put_list(to, &B::initAnswered, answered, trouble);
  put_scalars(to, &B::initAnsweredOrder, answered_order);
  put_list(to, &B::initMessages, messages, trouble);
  put_list(to, &B::initLeases, leases, trouble);
  if (paused) write(to.initPaused(), *paused, trouble);
}

void read(schema::RunState::Reader from, RunState& value, Trouble& trouble) {
  auto& [run, last, mode, start, started, updated, author, params, data, started_at, assigned_at,
         chart, entries, entered_at, invocations, jobs, timers, gates, incidents, queue, verdicts,
         results, completed, compensated, compensating, end_reason, outcome, outcome_reason, output,
         unsatisfied, answered, answered_order, messages, leases, paused] = value;
  read(from.getRun(), run, trouble);
  last.value = from.getLast();
  read_enum(from.getMode(), mode, trouble);
  read(from.getStart(), start, trouble);
  started.ns = from.getStarted();
  updated.ns = from.getUpdated();
  read(from.getAuthor(), author, trouble);
  read_map(from.getParams(), params, trouble);
  read_map(from.getData(), data, trouble);
  started_at.value = from.getStartedAt();
  read_map_of(from.getAssignedAt(), assigned_at, trouble);
  read(from.getChart(), chart, trouble);
  read_map_of(from.getEntries(), entries, trouble);
  read_map_of(from.getEnteredAt(), entered_at, trouble);
  read_map_of(from.getInvocations(), invocations, trouble);
  read_map_of(from.getJobs(), jobs, trouble);
  read_map_of(from.getTimers(), timers, trouble);
  read_map_of(from.getGates(), gates, trouble);
  read_map_of(from.getIncidents(), incidents, trouble);
  read_list(from.getQueue(), queue, trouble);
  read_map_of(from.getVerdicts(), verdicts, trouble);
  read_map_of(from.getResults(), results, trouble);
  read_scalars(from.getCompleted(), completed);
  read_scalars(from.getCompensated(), compensated);
  compensating.reset();
  if (from.hasCompensating()) {
    const std::uint64_t state = from.getCompensating().getValue();
    if (state > UINT32_MAX) return trouble.note("a state's number is out of range");
    compensating = statechart::StateIndex(static_cast<std::uint32_t>(state));
  }
  end_reason = string_of(from.getEndReason());
  read_enum(from.getOutcome(), outcome, trouble);
  outcome_reason = string_of(from.getOutcomeReason());
  read(from.getOutput(), output, trouble);
  read_scalars(from.getUnsatisfied(), unsatisfied);
  read_map_of(from.getAnswered(), answered, trouble);
  read_scalars(from.getAnsweredOrder(), answered_order);
  read_list(from.getMessages(), messages, trouble);
  read_map_of(from.getLeases(), leases, trouble);
  paused.reset();
  if (from.hasPaused()) read(from.getPaused(), paused.emplace(), trouble);
}

}  // namespace checkride::codec
