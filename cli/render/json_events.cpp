#include "cli/render/json_events.h"

namespace checkride::cli {

using statechart::StateIndex;

namespace {

json::array states_json(const View& view, const std::vector<StateIndex>& states) {
  json::array array;
  for (const StateIndex index : states) array.push_back(json::string(view.state(index)));
  return array;
}

json::object identity_json(const ProcessIdentity& identity) {
  return {{"host", identity.host},
          {"boot_id", identity.boot_id},
          {"pid", identity.pid},
          {"start_ticks", identity.start_ticks},
          {"job_pid", identity.job_pid},
          {"job_start_ticks", identity.job_start_ticks},
          {"started", as_json(identity.started)}};
}

json::array queued_json(const View& view, const std::vector<QueuedEvent>& events) {
  json::array array;
  for (const QueuedEvent& event : events)
    array.push_back(json::object{{"event", event.name}, {"data", as_json(view, event.data)}});
  return array;
}

std::string_view purpose_name(TimerPurpose purpose) {
  switch (purpose) {
    case TimerPurpose::send: return "send";
    case TimerPurpose::retry: return "retry";
    case TimerPurpose::gate_reminder: return "gate_reminder";
    case TimerPurpose::gate_expiry: return "gate_expiry";
    case TimerPurpose::queue_limit: return "queue_limit";
    case TimerPurpose::message_expiry: return "message_expiry";
  }
  return "send";
}

json::array units_json(const std::vector<LeasedUnit>& units) {
  json::array array;
  for (const LeasedUnit& unit : units)
    array.push_back(json::object{{"resource", unit.resource}, {"unit", unit.name}});
  return array;
}

std::string_view performer_name(JobSignature::Performer performer) {
  switch (performer) {
    case JobSignature::Performer::runner: return "runner";
    case JobSignature::Performer::machine: return "machine";
    case JobSignature::Performer::person: return "person";
  }
  return "runner";
}

struct CommandJson {
  const View& view;

  json::object operator()(const StartRun& c) const {
    json::object object{{"definition", as_json(c.definition)},
                        {"workflow", c.definition_name},
                        {"params", as_json(cel::Value(view.params(c.params)))},
                        {"root", c.root.value}};
    if (c.parent)
      object["parent"] =
          json::object{{"run", c.parent->run.value}, {"token", c.parent->token.value}};
    object["folder"] = c.folder;
    json::object environment;
    for (const auto& [name, value] : c.environment) environment[name] = view.text(value);
    object["environment"] = std::move(environment);
    object["environment_names"] = as_json(c.environment_names);
    json::object facts;
    for (const auto& [name, value] : c.facts) facts[name] = view.text(value);
    object["facts"] = std::move(facts);
    return object;
  }
  json::object operator()(const FinishJob& c) const {
    json::object object{{"token", c.token.value}, {"outcome", as_json(view, c.outcome)}};
    if (c.child_sequence) {
      object["child_sequence"] = c.child_sequence->value;
      object["child_chain"] = as_json(c.child_chain);
    }
    return object;
  }
  json::object operator()(const MarkJobStarted& c) const {
    return {{"token", c.token.value}, {"identity", identity_json(c.identity)}};
  }
  json::object operator()(const AdoptJob& c) const {
    return {{"token", c.token.value}, {"identity", identity_json(c.identity)}};
  }
  json::object operator()(const ReportJobUnknown& c) const {
    return {{"token", c.token.value}, {"findings", view.text(c.findings)}};
  }
  json::object operator()(const FireTimer& c) const {
    return {{"timer", c.timer.value}, {"due", as_json(c.due)}};
  }
  json::object operator()(const SignalRun& c) const {
    return {
        {"message_name", c.name}, {"data", as_json(view, c.data)}, {"reason", view.text(c.reason)}};
  }
  json::object operator()(const GrantLease& c) const {
    return {{"token", c.token.value},
            {"units", units_json(c.units)},
            {"exclusive", c.exclusive},
            {"boot_id", c.boot_id}};
  }
  json::object operator()(const ReleaseLease& c) const {
    return {{"token", c.token.value}, {"reason", view.text(c.reason)}};
  }
  json::object operator()(const PauseRun& c) const {
    return {{"reason", view.text(c.reason)}, {"by_parent", c.by_parent}};
  }
  json::object operator()(const ResumeRun& c) const {
    return {{"reason", view.text(c.reason)}, {"by_parent", c.by_parent}};
  }
  json::object operator()(const AnswerGate& c) const {
    return {{"gate", c.gate.value},
            {"seen", c.seen.value},
            {"decision", c.decision},
            {"reason", view.text(c.reason)}};
  }
  json::object operator()(const ResolveIncident& c) const {
    json::object object{{"how", to_string(c.how)}, {"incident", c.incident.value}};
    if (!c.job.empty()) object["job"] = c.job.value;
    if (c.outcome) object["outcome"] = as_json(view, *c.outcome);
    if (!c.state.empty()) object["state"] = c.state;
    object["reason"] = view.text(c.reason);
    return object;
  }
  json::object operator()(const CancelRun& c) const { return {{"reason", view.text(c.reason)}}; }
  json::object operator()(const RollbackRun& c) const { return {{"reason", view.text(c.reason)}}; }
};

struct EventJson {
  const View& view;

  json::object command(const CommandBody& body) const {
    return std::visit(CommandJson{view}, body);
  }

  json::object operator()(const RunStarted& e) const { return command(e.command); }
  json::object operator()(const JobFinished& e) const { return command(e.command); }
  json::object operator()(const StaleResultRejected& e) const {
    json::object object = command(e.command);
    object["reason"] = e.reason;
    return object;
  }
  json::object operator()(const JobStarted& e) const { return command(e.command); }
  json::object operator()(const JobAdopted& e) const { return command(e.command); }
  json::object operator()(const JobUnknown& e) const { return command(e.command); }
  json::object operator()(const TimerFired& e) const { return command(e.command); }
  json::object operator()(const GateAnswered& e) const { return command(e.command); }
  json::object operator()(const IncidentResolved& e) const { return command(e.command); }
  json::object operator()(const RunCancelRequested& e) const { return command(e.command); }
  json::object operator()(const RollbackRequested& e) const { return command(e.command); }
  json::object operator()(const MessageReceived& e) const {
    json::object object = command(e.command);
    object["message"] = e.message;
    if (e.expires) object["expires"] = as_json(*e.expires);
    return object;
  }
  json::object operator()(const MessageConsumed& e) const { return {{"message", e.message}}; }
  json::object operator()(const MessageExpired& e) const {
    return {{"message", e.message}, {"reason", e.reason}};
  }
  json::object operator()(const LeaseGranted& e) const { return command(e.command); }
  json::object operator()(const LeaseReleased& e) const { return command(e.command); }
  json::object operator()(const RunPaused& e) const { return command(e.command); }
  json::object operator()(const RunResumed& e) const {
    json::object object = command(e.command);
    json::object due;
    for (const auto& [timer, at] : e.due) due[timer.value] = as_json(at);
    object["due"] = std::move(due);
    return object;
  }
  json::object operator()(const CommandRejected& e) const {
    return {{"command", as_json(view, e.command)},
            {"code", to_string(e.code)},
            {"reason", view.text(e.reason)}};
  }

  json::object operator()(const TransitionTaken& e) const {
    json::array transitions;
    for (const auto index : e.transitions) {
      json::object transition{{"number", index.value}, {"text", view.transition(index)}};
      if (const Definition* definition = view.definition();
          definition != nullptr && index.value < definition->transitions.size())
        transition["line"] = definition->transitions[index.value].place.line;
      transitions.push_back(std::move(transition));
    }
    json::object history;
    for (const auto& [index, states] : e.history)
      history[view.state(index)] = states_json(view, states);
    json::object entries;
    for (const auto& [index, count] : e.entries) entries[view.state(index)] = count;
    return {{"trigger", e.trigger},
            {"transitions", std::move(transitions)},
            {"exited", states_json(view, e.exited)},
            {"entered", states_json(view, e.entered)},
            {"history", std::move(history)},
            {"entries", std::move(entries)}};
  }
  json::object operator()(const GuardEvaluated& e) const {
    json::array candidates;
    for (const GuardCandidate& candidate : e.candidates) {
      json::object object{{"transition", view.transition(candidate.transition)},
                          {"number", candidate.transition.value}};
      if (const Definition* definition = view.definition();
          definition != nullptr &&
          candidate.transition.value < definition->chart.transitions.size())
        if (const auto cond = definition->chart.transition(candidate.transition).cond)
          object["guard"] = definition->conditions[cond->value].source();
      object["holds"] = candidate.holds;
      if (!candidate.error.empty()) object["error"] = view.text(candidate.error);
      json::array facts;
      for (const RecordedFact& fact : candidate.facts) {
        json::object item{{"path", fact.path}};
        if (fact.value) {
          const bool secret = fact.path.starts_with("params.") &&
                              view.secret_param(std::string_view(fact.path).substr(7));
          item["value"] = secret ? json::value("***") : as_json(view, *fact.value);
        } else {
          item["digest"] = as_json(fact.digest);
          item["stands_at"] = fact.stands_at.value;
        }
        facts.push_back(std::move(item));
      }
      object["facts"] = std::move(facts);
      candidates.push_back(std::move(object));
    }
    return {{"trigger", e.trigger}, {"candidates", std::move(candidates)}};
  }
  json::object operator()(const DataAssigned& e) const {
    return {{"name", e.name}, {"value", as_json(view, e.value)}};
  }
  json::object operator()(const VerdictGiven& e) const {
    return {{"state", view.state(e.state)},
            {"verdict", to_string(e.verdict)},
            {"note", view.text(e.note)}};
  }
  json::object operator()(const EventQueued& e) const {
    return {{"event", e.name}, {"data", as_json(view, e.data)}};
  }
  json::object operator()(const EventTaken&) const { return {}; }

  json::object operator()(const InvocationStarted& e) const {
    json::object object{{"state", view.state(e.state)}, {"each", e.each}};
    if (e.each) object["items"] = as_json(view, cel::Value(e.items));
    return object;
  }
  json::object operator()(const InvocationFinished& e) const {
    json::object object{
        {"state", view.state(e.state)}, {"done", e.done}, {"status", to_string(e.status)}};
    if (e.result) object["result"] = as_json(view, *e.result);
    return object;
  }
  json::object operator()(const JobIntended& e) const {
    json::object object{{"state", view.state(e.state)},
                        {"purpose", to_string(e.purpose)},
                        {"performer", performer_name(e.performer)},
                        {"item", e.item},
                        {"attempt", e.attempt},
                        {"spec", as_json(view, e.spec)},
                        {"spec_digest", as_json(e.digest)}};
    if (e.about) object["about"] = e.about->value;
    if (!e.machine.zero()) object["machine"] = as_json(e.machine);
    return object;
  }
  json::object operator()(const RetryScheduled& e) const {
    return {{"state", view.state(e.state)},
            {"item", e.item},
            {"attempt", e.attempt},
            {"failure", to_string(e.failure)},
            {"due", as_json(e.due)}};
  }
  json::object operator()(const JobCancelRequested& e) const {
    return {{"token", e.token.value}, {"reason", e.reason}};
  }
  json::object operator()(const TimerSet& e) const {
    json::object object{{"timer", e.timer.value},
                        {"purpose", purpose_name(e.purpose)},
                        {"due", as_json(e.due)},
                        {"state", view.state(e.state)}};
    if (e.purpose == TimerPurpose::retry) object["item"] = e.item;
    if (!e.event.empty()) object["event"] = e.event;
    if (!e.data.is_null()) object["data"] = as_json(view, e.data);
    return object;
  }
  json::object operator()(const TimerCancelled& e) const { return {{"timer", e.timer.value}}; }
  json::object operator()(const GateOpened& e) const {
    return {{"gate", e.gate.value},
            {"state", view.state(e.state)},
            {"question", view.text(e.question)},
            {"options", as_json(e.options)},
            {"who", as_json(e.who)},
            {"inputs", as_json(view, cel::Value(e.inputs))}};
  }
  json::object operator()(const GateClosed& e) const {
    return {{"gate", e.gate.value}, {"outcome", e.outcome}};
  }
  json::object operator()(const IncidentRaised& e) const {
    json::object object{{"incident", e.incident.value},
                        {"kind", to_string(e.kind)},
                        {"message", view.text(e.message)},
                        {"state", view.state(e.state)}};
    if (e.job) object["job"] = e.job->value;
    object["unprocessed"] = queued_json(view, e.unprocessed);
    object["start_unfinished"] = e.start_unfinished;
    return object;
  }
  json::object operator()(const BudgetExtended& e) const {
    return {{"state", view.state(e.state)}, {"entries", e.entries}};
  }
  json::object operator()(const CompensationStarted& e) const {
    return {{"state", view.state(e.state)}};
  }
  json::object operator()(const CompensationFinished& e) const {
    return {{"state", view.state(e.state)}, {"ok", e.ok}, {"message", view.text(e.message)}};
  }
  json::object operator()(const RunFinished& e) const {
    return {{"outcome", to_string(e.outcome)},
            {"reason", view.text(e.reason)},
            {"output", as_json(view, e.output)},
            {"unsatisfied", states_json(view, e.unsatisfied)}};
  }
  json::object operator()(const StoreOpened& e) const {
    return {{"epoch", e.epoch.value},
            {"host", e.host},
            {"boot_id", e.boot_id},
            {"build", e.build},
            {"clean", e.clean}};
  }
};

json::object with_head(json::object head, const json::object& fields) {
  for (const auto& field : fields) head[field.key()] = field.value();
  return head;
}

}  // namespace

json::object as_json(const View& view, const JobSpec& spec) {
  json::object object{{"token", spec.token.value},
                      {"run", spec.run.value},
                      {"root", spec.root.value},
                      {"state", spec.state},
                      {"kind", spec.kind},
                      {"kind_version", spec.kind_version},
                      {"inputs", as_json(view, cel::Value(spec.inputs))},
                      {"folder", spec.folder},
                      {"secrets", as_json(spec.secrets)}};
  json::array codes;
  for (const std::int64_t code : spec.expect.exit_codes) codes.push_back(code);
  object["expect"] = json::object{{"exit_codes", std::move(codes)},
                                  {"log_contains", as_json(spec.expect.log_contains)},
                                  {"log_lacks", as_json(spec.expect.log_lacks)},
                                  {"files", as_json(spec.expect.files)}};
  json::array parse;
  for (const ParseRule& rule : spec.parse) {
    json::object item{{"name", rule.name}, {"type", cel::to_string(rule.type)}};
    if (!rule.regex.empty()) item["regex"] = rule.regex;
    if (!rule.file.empty()) item["file"] = rule.file;
    if (!rule.pointer.empty()) item["pointer"] = rule.pointer;
    parse.push_back(std::move(item));
  }
  object["parse"] = std::move(parse);
  json::object limits{{"grace_seconds", seconds(spec.limits.grace)},
                      {"output_bytes_max", spec.limits.output_bytes_max}};
  if (spec.limits.run_timeout) limits["run_timeout_seconds"] = seconds(*spec.limits.run_timeout);
  if (spec.limits.queue_timeout)
    limits["queue_timeout_seconds"] = seconds(*spec.limits.queue_timeout);
  if (spec.limits.start_timeout)
    limits["start_timeout_seconds"] = seconds(*spec.limits.start_timeout);
  if (spec.limits.silence_timeout)
    limits["silence_timeout_seconds"] = seconds(*spec.limits.silence_timeout);
  object["limits"] = std::move(limits);
  if (!spec.needs.units.empty()) {
    json::object needs;
    for (const auto& [resource, units] : spec.needs.units) needs[resource] = units;
    if (spec.needs.exclusive) needs["exclusive"] = true;
    object["needs"] = std::move(needs);
  }
  return object;
}

json::object as_json(const View& view, const JobOutcome& outcome) {
  json::object object{
      {"status", to_string(outcome.status)},    {"failure", to_string(outcome.failure)},
      {"completed", outcome.completed},         {"cancelled", outcome.cancelled},
      {"never_started", outcome.never_started}, {"result", as_json(view, outcome.result)},
      {"message", view.text(outcome.message)}};
  if (outcome.limit != TimeLimit::none) object["limit"] = to_string(outcome.limit);
  if (outcome.exit_code) object["exit_code"] = *outcome.exit_code;
  if (outcome.signal) object["signal"] = *outcome.signal;
  json::array artifacts;
  for (const Artifact& artifact : outcome.artifacts)
    artifacts.push_back(json::object{
        {"name", artifact.name}, {"digest", as_json(artifact.digest)}, {"bytes", artifact.bytes}});
  object["artifacts"] = std::move(artifacts);
  json::array facts;
  for (const JobFact& fact : outcome.facts)
    facts.push_back(
        json::object{{"type", fact.type}, {"fields", as_json(view, cel::Value(fact.fields))}});
  object["facts"] = std::move(facts);
  object["started"] = as_json(outcome.started);
  object["ended"] = as_json(outcome.ended);
  return object;
}

json::object as_json(const View& view, const CommandBody& body) {
  return with_head({{"name", command_name(body)}}, std::visit(CommandJson{view}, body));
}

json::object as_json(const View& view, const Event& event) {
  return with_head({{"type", event_name(event)}}, std::visit(EventJson{view}, event));
}

json::object as_json(const View& view, const Record& record) {
  json::array events;
  for (std::size_t i = 0; i < record.events.size(); ++i)
    events.push_back(
        with_head({{"sequence", record.first.value + i}}, as_json(view, record.events[i])));
  return {{"run", record.run.value},
          {"first", record.first.value},
          {"global", record.global.value},
          {"previous", as_json(record.previous)},
          {"chain", as_json(record.chain)},
          {"build", record.build},
          {"epoch", record.epoch.value},
          {"command", record.command.value},
          {"actor", as_json(record.actor)},
          {"time", as_json(record.time)},
          {"monotonic_ns", record.monotonic.count()},
          {"events", std::move(events)}};
}

}  // namespace checkride::cli
