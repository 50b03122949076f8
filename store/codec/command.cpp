#include "store/codec/command.h"

#include "store/codec/enums.h"
#include "store/codec/job.h"
#include "store/codec/value.h"

namespace checkride::codec {

namespace {

using TextMap = std::map<std::string, std::string>;

template <class Builder>
void put_text_map(Builder& to, capnp::List<schema::TextPair>::Builder (Builder::*init)(unsigned),
                  const TextMap& map) {
  if (map.empty()) return;
  auto list = (to.*init)(static_cast<unsigned>(map.size()));
  unsigned i = 0;
  for (const auto& [name, value] : map) {
    auto pair = list[i++];
    put_text(pair, &schema::TextPair::Builder::setName, name);
    put_text(pair, &schema::TextPair::Builder::setValue, value);
  }
}
void read_text_map(capnp::List<schema::TextPair>::Reader from, TextMap& map) {
  map.clear();
  for (const auto pair : from)
    map.insert_or_assign(string_of(pair.getName()), string_of(pair.getValue()));
}

}  // namespace

void write(schema::Actor::Builder to, const Actor& actor, Trouble&) {
  const auto& [kind, name] = actor;
  to.setKind(to_disk<schema::Actor::Kind>(kind));
  put_text(to, &schema::Actor::Builder::setName, name);
}
void read(schema::Actor::Reader from, Actor& actor, Trouble& trouble) {
  auto& [kind, name] = actor;
  read_enum(from.getKind(), kind, trouble);
  name = string_of(from.getName());
}

void write(schema::ParentLink::Builder to, const ParentLink& parent, Trouble&) {
  const auto& [run, token] = parent;
  put_text(to, &schema::ParentLink::Builder::setRun, run);
  put_text(to, &schema::ParentLink::Builder::setToken, token);
}
void read(schema::ParentLink::Reader from, ParentLink& parent, Trouble& trouble) {
  auto& [run, token] = parent;
  read(from.getRun(), run, trouble);
  read(from.getToken(), token, trouble);
}

void write(schema::StartRun::Builder to, const StartRun& command, Trouble& trouble) {
  using B = schema::StartRun::Builder;
  const auto& [definition, definition_name, params, root, parent, folder, environment,
               environment_names, facts] = command;
  put_digest(to, &B::setDefinition, definition);
  put_text(to, &B::setDefinitionName, definition_name);
  put_map(to, &B::initParams, params, trouble);
  put_text(to, &B::setRoot, root);
  if (parent) write(to.initParent(), *parent, trouble);
  put_text(to, &B::setFolder, folder);
  put_text_map(to, &B::initEnvironment, environment);
  put_scalars(to, &B::initEnvironmentNames, environment_names);
  put_text_map(to, &B::initFacts, facts);
}
void read(schema::StartRun::Reader from, StartRun& command, Trouble& trouble) {
  auto& [definition, definition_name, params, root, parent, folder, environment, environment_names,
         facts] = command;
  read(from.getDefinition(), definition, trouble);
  definition_name = string_of(from.getDefinitionName());
  read_map(from.getParams(), params, trouble);
  read(from.getRoot(), root, trouble);
  parent.reset();
  if (from.hasParent()) read(from.getParent(), parent.emplace(), trouble);
  folder = string_of(from.getFolder());
  read_text_map(from.getEnvironment(), environment);
  read_scalars(from.getEnvironmentNames(), environment_names);
  read_text_map(from.getFacts(), facts);
}

void write(schema::FinishJob::Builder to, const FinishJob& command, Trouble& trouble) {
  using B = schema::FinishJob::Builder;
  const auto& [token, outcome, child_sequence, child_chain] = command;
  put_text(to, &B::setToken, token);
  write(to.initOutcome(), outcome, trouble);
  put_optional(to, &B::initChildSequence, child_sequence);
  put_digest(to, &B::setChildChain, child_chain);
}
void read(schema::FinishJob::Reader from, FinishJob& command, Trouble& trouble) {
  auto& [token, outcome, child_sequence, child_chain] = command;
  read(from.getToken(), token, trouble);
  read(from.getOutcome(), outcome, trouble);
  child_sequence.reset();
  if (from.hasChildSequence()) child_sequence = Sequence(from.getChildSequence().getValue());
  read(from.getChildChain(), child_chain, trouble);
}

void write(schema::MarkJobStarted::Builder to, const MarkJobStarted& command, Trouble& trouble) {
  const auto& [token, identity] = command;
  put_text(to, &schema::MarkJobStarted::Builder::setToken, token);
  write(to.initIdentity(), identity, trouble);
}
void read(schema::MarkJobStarted::Reader from, MarkJobStarted& command, Trouble& trouble) {
  auto& [token, identity] = command;
  read(from.getToken(), token, trouble);
  read(from.getIdentity(), identity, trouble);
}

void write(schema::AdoptJob::Builder to, const AdoptJob& command, Trouble& trouble) {
  const auto& [token, identity] = command;
  put_text(to, &schema::AdoptJob::Builder::setToken, token);
  write(to.initIdentity(), identity, trouble);
}
void read(schema::AdoptJob::Reader from, AdoptJob& command, Trouble& trouble) {
  auto& [token, identity] = command;
  read(from.getToken(), token, trouble);
  read(from.getIdentity(), identity, trouble);
}

void write(schema::ReportJobUnknown::Builder to, const ReportJobUnknown& command, Trouble&) {
  const auto& [token, findings] = command;
  put_text(to, &schema::ReportJobUnknown::Builder::setToken, token);
  put_text(to, &schema::ReportJobUnknown::Builder::setFindings, findings);
}
void read(schema::ReportJobUnknown::Reader from, ReportJobUnknown& command, Trouble& trouble) {
  auto& [token, findings] = command;
  read(from.getToken(), token, trouble);
  findings = string_of(from.getFindings());
}

void write(schema::FireTimer::Builder to, const FireTimer& command, Trouble&) {
  const auto& [timer, due] = command;
  put_text(to, &schema::FireTimer::Builder::setTimer, timer);
  to.setDue(due.ns);
}
void read(schema::FireTimer::Reader from, FireTimer& command, Trouble& trouble) {
  auto& [timer, due] = command;
  read(from.getTimer(), timer, trouble);
  due.ns = from.getDue();
}

void write(schema::AnswerGate::Builder to, const AnswerGate& command, Trouble&) {
  using B = schema::AnswerGate::Builder;
  const auto& [gate, seen, decision, reason] = command;
  put_text(to, &B::setGate, gate);
  to.setSeen(seen.value);
  put_text(to, &B::setDecision, decision);
  put_text(to, &B::setReason, reason);
}
void read(schema::AnswerGate::Reader from, AnswerGate& command, Trouble& trouble) {
  auto& [gate, seen, decision, reason] = command;
  read(from.getGate(), gate, trouble);
  seen.value = from.getSeen();
  decision = string_of(from.getDecision());
  reason = string_of(from.getReason());
}

void write(schema::ResolveIncident::Builder to, const ResolveIncident& command, Trouble& trouble) {
  using B = schema::ResolveIncident::Builder;
  const auto& [how, incident, job, outcome, state, reason] = command;
  to.setHow(to_disk<schema::ResolveIncident::How>(how));
  put_text(to, &B::setIncident, incident);
  put_text(to, &B::setJob, job);
  if (outcome) write(to.initOutcome(), *outcome, trouble);
  put_text(to, &B::setState, state);
  put_text(to, &B::setReason, reason);
}
void read(schema::ResolveIncident::Reader from, ResolveIncident& command, Trouble& trouble) {
  auto& [how, incident, job, outcome, state, reason] = command;
  read_enum(from.getHow(), how, trouble);
  read(from.getIncident(), incident, trouble);
  read(from.getJob(), job, trouble);
  outcome.reset();
  if (from.hasOutcome()) read(from.getOutcome(), outcome.emplace(), trouble);
  state = string_of(from.getState());
  reason = string_of(from.getReason());
}

void write(schema::CancelRun::Builder to, const CancelRun& command, Trouble&) {
  const auto& [reason] = command;
  put_text(to, &schema::CancelRun::Builder::setReason, reason);
}
void read(schema::CancelRun::Reader from, CancelRun& command, Trouble&) {
  auto& [reason] = command;
  reason = string_of(from.getReason());
}
void write(schema::RollbackRun::Builder to, const RollbackRun& command, Trouble&) {
  const auto& [reason] = command;
  put_text(to, &schema::RollbackRun::Builder::setReason, reason);
}
void read(schema::RollbackRun::Reader from, RollbackRun& command, Trouble&) {
  auto& [reason] = command;
  reason = string_of(from.getReason());
}

void write(schema::SignalRun::Builder to, const SignalRun& command, Trouble& trouble) {
  const auto& [name, data, reason] = command;
  put_text(to, &schema::SignalRun::Builder::setName, name);
  if (!data.is_null()) write(to.initData(), data, trouble);
  put_text(to, &schema::SignalRun::Builder::setReason, reason);
}
void read(schema::SignalRun::Reader from, SignalRun& command, Trouble& trouble) {
  auto& [name, data, reason] = command;
  name = string_of(from.getName());
  read(from.getData(), data, trouble);
  reason = string_of(from.getReason());
}

void write(schema::GrantLease::Builder to, const GrantLease& command, Trouble& trouble) {
  using B = schema::GrantLease::Builder;
  const auto& [token, units, exclusive, boot_id] = command;
  put_text(to, &B::setToken, token);
  put_list(to, &B::initUnits, units, trouble);
  to.setExclusive(exclusive);
  put_text(to, &B::setBootId, boot_id);
}
void read(schema::GrantLease::Reader from, GrantLease& command, Trouble& trouble) {
  auto& [token, units, exclusive, boot_id] = command;
  read(from.getToken(), token, trouble);
  read_list(from.getUnits(), units, trouble);
  exclusive = from.getExclusive();
  boot_id = string_of(from.getBootId());
}

void write(schema::ReleaseLease::Builder to, const ReleaseLease& command, Trouble&) {
  const auto& [token, reason] = command;
  put_text(to, &schema::ReleaseLease::Builder::setToken, token);
  put_text(to, &schema::ReleaseLease::Builder::setReason, reason);
}
void read(schema::ReleaseLease::Reader from, ReleaseLease& command, Trouble& trouble) {
  auto& [token, reason] = command;
  read(from.getToken(), token, trouble);
  reason = string_of(from.getReason());
}

void write(schema::PauseRun::Builder to, const PauseRun& command, Trouble&) {
  const auto& [reason, by_parent] = command;
  put_text(to, &schema::PauseRun::Builder::setReason, reason);
  to.setByParent(by_parent);
}
void read(schema::PauseRun::Reader from, PauseRun& command, Trouble&) {
  auto& [reason, by_parent] = command;
  reason = string_of(from.getReason());
  by_parent = from.getByParent();
}

void write(schema::ResumeRun::Builder to, const ResumeRun& command, Trouble&) {
  const auto& [reason, by_parent] = command;
  put_text(to, &schema::ResumeRun::Builder::setReason, reason);
  to.setByParent(by_parent);
}
void read(schema::ResumeRun::Reader from, ResumeRun& command, Trouble&) {
  auto& [reason, by_parent] = command;
  reason = string_of(from.getReason());
  by_parent = from.getByParent();
}

void write(schema::CommandBody::Builder to, const CommandBody& body, Trouble& trouble) {
  struct Writer {
    schema::CommandBody::Builder& to;
    Trouble& trouble;
    void operator()(const StartRun& c) { write(to.initStartRun(), c, trouble); }
    void operator()(const FinishJob& c) { write(to.initFinishJob(), c, trouble); }
    void operator()(const MarkJobStarted& c) { write(to.initMarkJobStarted(), c, trouble); }
    void operator()(const AdoptJob& c) { write(to.initAdoptJob(), c, trouble); }
    void operator()(const ReportJobUnknown& c) { write(to.initReportJobUnknown(), c, trouble); }
    void operator()(const FireTimer& c) { write(to.initFireTimer(), c, trouble); }
    void operator()(const AnswerGate& c) { write(to.initAnswerGate(), c, trouble); }
    void operator()(const ResolveIncident& c) { write(to.initResolveIncident(), c, trouble); }
    void operator()(const CancelRun& c) { write(to.initCancelRun(), c, trouble); }
    void operator()(const RollbackRun& c) { write(to.initRollbackRun(), c, trouble); }
    void operator()(const SignalRun& c) { write(to.initSignalRun(), c, trouble); }
    void operator()(const GrantLease& c) { write(to.initGrantLease(), c, trouble); }
    void operator()(const ReleaseLease& c) { write(to.initReleaseLease(), c, trouble); }
    void operator()(const PauseRun& c) { write(to.initPauseRun(), c, trouble); }
    void operator()(const ResumeRun& c) { write(to.initResumeRun(), c, trouble); }
  };
  std::visit(Writer{to, trouble}, body);
}

void read(schema::CommandBody::Reader from, CommandBody& body, Trouble& trouble) {
  switch (from.which()) {
    case schema::CommandBody::START_RUN:
      return read(from.getStartRun(), body.emplace<StartRun>(), trouble);
    case schema::CommandBody::FINISH_JOB:
      return read(from.getFinishJob(), body.emplace<FinishJob>(), trouble);
    case schema::CommandBody::MARK_JOB_STARTED:
      return read(from.getMarkJobStarted(), body.emplace<MarkJobStarted>(), trouble);
    case schema::CommandBody::ADOPT_JOB:
      return read(from.getAdoptJob(), body.emplace<AdoptJob>(), trouble);
    case schema::CommandBody::REPORT_JOB_UNKNOWN:
      return read(from.getReportJobUnknown(), body.emplace<ReportJobUnknown>(), trouble);
    case schema::CommandBody::FIRE_TIMER:
      return read(from.getFireTimer(), body.emplace<FireTimer>(), trouble);
    case schema::CommandBody::ANSWER_GATE:
      return read(from.getAnswerGate(), body.emplace<AnswerGate>(), trouble);
    case schema::CommandBody::RESOLVE_INCIDENT:
      return read(from.getResolveIncident(), body.emplace<ResolveIncident>(), trouble);
    case schema::CommandBody::CANCEL_RUN:
      return read(from.getCancelRun(), body.emplace<CancelRun>(), trouble);
    case schema::CommandBody::ROLLBACK_RUN:
      return read(from.getRollbackRun(), body.emplace<RollbackRun>(), trouble);
    case schema::CommandBody::SIGNAL_RUN:
      return read(from.getSignalRun(), body.emplace<SignalRun>(), trouble);
    case schema::CommandBody::GRANT_LEASE:
      return read(from.getGrantLease(), body.emplace<GrantLease>(), trouble);
    case schema::CommandBody::RELEASE_LEASE:
      return read(from.getReleaseLease(), body.emplace<ReleaseLease>(), trouble);
    case schema::CommandBody::PAUSE_RUN:
      return read(from.getPauseRun(), body.emplace<PauseRun>(), trouble);
    case schema::CommandBody::RESUME_RUN:
      return read(from.getResumeRun(), body.emplace<ResumeRun>(), trouble);
    case schema::CommandBody::NONE: break;
  }
  trouble.note("a command is of a kind that this version does not know");
}

}  // namespace checkride::codec
