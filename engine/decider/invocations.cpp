// Jobs of a draft: how they begin, are tried again, are lost, looked into and end.
#include <algorithm>
#include <utility>

#include "engine/base/assert.h"
#include "engine/decider/draft.h"

namespace checkride {

using statechart::StateIndex;

namespace {

// A lost attempt of a kind that is safe to repeat starts again this often without being told to.
constexpr std::uint32_t lost_attempts_max = 3;
constexpr std::uint32_t probe_attempts_max = 30;

// A share in [-1, 1) that is the same whenever the token is.
double spread_of(const Token& token) {
  const Digest digest = sha256(token.value);
  const std::uint32_t bits = static_cast<std::uint32_t>(digest.bytes[0]) << 16 |
                             static_cast<std::uint32_t>(digest.bytes[1]) << 8 | digest.bytes[2];
  return static_cast<double>(bits) / 8388608.0 - 1.0;
}

Duration backoff_of(const RetryRule& rule, std::uint32_t failed_attempts, const Token& token) {
  double wait = static_cast<double>(rule.backoff.count());
  for (std::uint32_t i = 1; i < failed_attempts && wait < 1e18; ++i) wait *= rule.factor;
  wait = std::min(wait, static_cast<double>(rule.backoff_max.count()));
  wait += wait * rule.jitter * spread_of(token);
  return Duration(static_cast<std::int64_t>(std::max(0.0, wait)));
}

// What a probe found: one text or several.
std::string findings_of(const cel::Value& result) {
  const cel::Value* findings = result.field("findings");
  if (findings == nullptr) return "it does not say why";
  if (findings->kind() == cel::Kind::string) return findings->as_string();
  if (findings->kind() != cel::Kind::list) return cel::to_cel(*findings);
  std::string all;
  for (const cel::Value& finding : findings->as_list())
    all += (all.empty() ? "" : "; ") +
           (finding.kind() == cel::Kind::string ? finding.as_string() : cel::to_cel(finding));
  return all;
}

TimerId retry_timer(StateIndex state, std::uint32_t item) {
  return TimerId("retry." + std::to_string(state.value) + "." + std::to_string(item));
}

}  // namespace

cel::Value error_value(const JobOutcome& outcome, std::uint32_t attempts, const Token& token) {
  cel::Map error;
  error.set("class", cel::Value(to_string(outcome.failure)));
  error.set("status", cel::Value(to_string(outcome.status)));
  error.set("message", cel::Value(outcome.message));
  error.set("attempts", cel::Value(static_cast<std::int64_t>(attempts)));
  error.set("log", cel::Value(token.value));
  if (outcome.limit != TimeLimit::none) error.set("limit", cel::Value(to_string(outcome.limit)));
  if (outcome.exit_code) error.set("exit_code", cel::Value(*outcome.exit_code));
  return cel::Value(std::move(error));
}

const InvokeSpec* Draft::invoke_of(const JobIntended& intent) const {
  const StateSpec& spec = definition.states[intent.state.value];
  if (intent.purpose == JobPurpose::undo) return spec.undo ? &*spec.undo : nullptr;
  if (!spec.invoke) return nullptr;
  if (intent.purpose == JobPurpose::probe) return spec.invoke->probe.get();
  return &*spec.invoke;
}

// ---------------------------------------------------------------------------- beginning

void Draft::begin_invocations() {
  if (state.mode != RunMode::running || top_final(state, definition)) return;
  const std::vector<StateIndex> active = state.chart.configuration;
  for (const StateIndex index : active) {
    const auto& invoke = definition.states[index.value].invoke;
    if (!invoke || state.invocations.contains(index)) continue;
    const bool out_of_budget = std::any_of(exhausted_.begin(), exhausted_.end(),
                                           [&](const auto& e) { return e.first == index; });
    if (!out_of_budget && !state.parked()) begin_invocation(index, *invoke);
  }
}

void Draft::resume_invocations() {
  if (state.mode != RunMode::running || state.parked() || top_final(state, definition)) return;
  const bool outer = std::exchange(taking_, true);
  begin_invocations();
  const std::vector<StateIndex> active = state.chart.configuration;
  for (const StateIndex index : active) {
    const auto& invoke = definition.states[index.value].invoke;
    const auto record = state.invocations.find(index);
    if (!invoke || record == state.invocations.end() || record->second.ended || state.parked())
      continue;
    // Something of it is on its way: an attempt, a retry, a person's answer.
    const auto is_here = [&](const auto& entry) { return entry.second.state == index; };
    const bool awaited =
        std::any_of(state.jobs.begin(), state.jobs.end(),
                    [&](const auto& job) { return job.second.intent->state == index; }) ||
        std::any_of(state.timers.begin(), state.timers.end(), is_here) ||
        std::any_of(state.gates.begin(), state.gates.end(), is_here);
    if (awaited) continue;
    if (invoke->each)
      children_progress(index, *invoke);
    else
      intend(index, *invoke, JobPurpose::invoke, 0, last_attempt(index, 0) + 1);
  }
  taking_ = outer;
  run_pending();
}

Result<cel::Map> Draft::invocation_inputs(const InvokeSpec& invoke, const cel::Value* item) const {
  const RunActivation values = activation(nullptr);
  cel::Map inputs;
  for (const auto& [name, part] : invoke.with) {
    cel::EvalResult value = checkride::evaluate(part, values);
    if (!value)
      return fail(ErrorCode::invalid_argument, "input '" + name + "' of state '" + invoke.id +
                                                   "' failed: " + value.error().message);
    // An optional input whose value is optional.none() is left out.
    if (value->kind() == cel::Kind::optional) {
      const cel::Value* inner = value->as_optional();
      if (inner == nullptr) continue;
      inputs.set(std::string_view(name), *inner);
      continue;
    }
    inputs.set(std::string_view(name), *std::move(value));
  }
  if (item != nullptr && !invoke.as.empty()) inputs.set(std::string_view(invoke.as), *item);
  if (invoke.machine) {
    if (auto complete = invoke.machine->complete_params(inputs); !complete)
      return tl::unexpected(std::move(complete).error());
  } else if (auto fits = cel::conforms(cel::Value(inputs), invoke.signature.inputs); !fits) {
    return fail(ErrorCode::invalid_argument, "the inputs of state '" + invoke.id + "' do not fit " +
                                                 invoke.signature.name + ": " +
                                                 fits.error().message);
  }
  return inputs;
}

void Draft::begin_invocation(StateIndex index, const InvokeSpec& invoke) {
  // Everything is evaluated before anything is written, so that a failure leaves nothing half
  // begun.
  InvocationStarted started{index, invoke.each.has_value(), {}};
  Result<cel::Map> inputs = cel::Map();
  if (invoke.each) {
    const cel::EvalResult items = invoke.each->evaluate(activation(nullptr));
    if (items && items->kind() == cel::Kind::list)
      started.items = items->as_list();
    else
      inputs = fail(ErrorCode::invalid_argument,
                    "`each` of state '" + invoke.id +
                        "' failed: " + (items ? "it is no list" : items.error().message));
  }
  const cel::Value* first = started.items.empty() ? nullptr : &started.items.front();
  if (inputs && (!invoke.each || first != nullptr)) inputs = invocation_inputs(invoke, first);
  if (!inputs) {
    if (definition.park_on_error) {
      raise_incident(IncidentKind::execution_error, inputs.error().message, index);
    } else {
      emit(std::move(started));
      emit(InvocationFinished{index, false, JobStatus::error, std::nullopt});
      cel::Map data;
      data.set("message", cel::Value(inputs.error().message));
      pending_.push_back(QueuedEvent{"error.execution", cel::Value(std::move(data))});
    }
    return;
  }
  emit(std::move(started));
  if (invoke.signature.performer == JobSignature::Performer::person)
    open_gate(index, invoke, *std::move(inputs));
  else if (invoke.each)
    children_progress(index, invoke);
  else
    intend_with(*std::move(inputs), index, invoke, JobPurpose::invoke, 0, 1, std::nullopt);
}

std::uint32_t Draft::last_attempt(StateIndex index, std::uint32_t item) const {
  const auto invocation = state.invocations.find(index);
  if (invocation == state.invocations.end()) return 0;
  const auto attempt = invocation->second.attempts.find(item);
  return attempt == invocation->second.attempts.end() ? 0 : attempt->second;
}

bool Draft::intend(StateIndex index, const InvokeSpec& invoke, JobPurpose purpose,
                   std::uint32_t item, std::uint32_t attempt, std::optional<Token> about) {
  const cel::Value* element = nullptr;
  if (const auto invocation = state.invocations.find(index);
      purpose == JobPurpose::invoke && invocation != state.invocations.end() &&
      item < invocation->second.items.size())
    element = &invocation->second.items[item];
  auto inputs = invocation_inputs(invoke, element);
  if (!inputs) {
    switch (purpose) {
      case JobPurpose::invoke:
        raise_incident(IncidentKind::execution_error, inputs.error().message, index);
        break;
      case JobPurpose::probe:
        raise_incident(IncidentKind::job_lost,
                       "a job is gone without a result, and its probe could not be asked: " +
                           inputs.error().message,
                       index, std::move(about));
        break;
      case JobPurpose::undo: compensation_failed(index, inputs.error().message); break;
    }
    return false;
  }
  intend_with(*std::move(inputs), index, invoke, purpose, item, attempt, std::move(about));
  return true;
}

void Draft::intend_with(cel::Map inputs, StateIndex index, const InvokeSpec& invoke,
                        JobPurpose purpose, std::uint32_t item, std::uint32_t attempt,
                        std::optional<Token> about) {
  JobIntended intent;
  intent.state = index;
  intent.purpose = purpose;
  intent.performer = invoke.signature.performer;
  intent.item = item;
  intent.attempt = attempt;
  intent.about = std::move(about);
  if (invoke.machine) intent.machine = invoke.machine->hash;
  JobSpec& spec = intent.spec;
  spec.token = token_of(command.run, next_sequence());
  spec.run = command.run;
  spec.root = state.start.root;
  spec.state = definition.chart.state(index).id;
  spec.kind = invoke.signature.name;
  spec.kind_version = invoke.signature.version;
  spec.inputs = std::move(inputs);
  spec.expect = invoke.expect;
  spec.parse = invoke.parse;
  spec.limits = invoke.limits;
  spec.secrets = invoke.secrets;
  spec.folder = state.start.folder;
  spec.needs = invoke.needs;
  intent.digest = spec_digest(spec);
  emit_intent(std::move(intent));
}

void Draft::intend_again(const JobIntended& intent, std::uint32_t attempt) {
  JobIntended again = intent;
  again.attempt = attempt;
  again.spec.token = token_of(command.run, next_sequence());
  again.digest = spec_digest(again.spec);
  emit_intent(std::move(again));
}

// ---------------------------------------------------------------------------- attempts end

void Draft::finish_job(const FinishJob& finish) {
  const auto found = state.jobs.find(finish.token);
  if (found == state.jobs.end()) {
    emit(StaleResultRejected{finish, "no attempt with this token is live"});
    return;
  }
  const std::shared_ptr<const JobIntended> intent = found->second.intent;
  if (found->second.stale) {
    emit(StaleResultRejected{finish, "the attempt was cancelled"});
    return;
  }
  emit(JobFinished{finish});
  const JobOutcome& outcome = finish.outcome;
  switch (intent->purpose) {
    case JobPurpose::undo: compensation_ended(*intent, outcome); return;
    case JobPurpose::probe: probe_ended(*intent, outcome); return;
    case JobPurpose::invoke: break;
  }
  const InvokeSpec* invoke = invoke_of(*intent);
  CR_ASSERT(invoke != nullptr, intent->spec.state);
  if (invoke->each) {
    children_progress(intent->state, *invoke);
  } else if (outcome.completed) {
    finish_invocation(intent->state, true, outcome.status, outcome.result, false);
  } else {
    attempt_failed(*intent, outcome);
  }
}

void Draft::attempt_failed(const JobIntended& intent, const JobOutcome& outcome) {
  // A supervisor that ends before its claim counts as an attempt, so that one that can never run
  // does not begin again for ever; an attempt voided by a recovering engine does not count.
  const bool voided = outcome.never_started && outcome.failure == FailureClass::none;
  if (outcome.never_started && !voided && intent.attempt < lost_attempts_max) {
    intend_again(intent, intent.attempt + 1);
    return;
  }
  if (voided) {
    intend_again(intent, intent.attempt);
    return;
  }
  const InvokeSpec& invoke = *invoke_of(intent);
  if (outcome.failure == FailureClass::lost) {
    lost_attempt(intent, outcome);
    return;
  }
  const auto rule = invoke.retry.find(outcome.failure);
  if (rule != invoke.retry.end() && !outcome.cancelled && intent.attempt <= rule->second.max) {
    RetryScheduled retry{intent.state, intent.item, intent.attempt + 1, outcome.failure, {}};
    retry.due = command.time + backoff_of(rule->second, intent.attempt, intent.spec.token);
    TimerSet timer;
    timer.timer = retry_timer(intent.state, intent.item);
    timer.purpose = TimerPurpose::retry;
    timer.due = retry.due;
    timer.state = intent.state;
    timer.item = intent.item;
    emit(std::move(retry));
    emit(std::move(timer));
    return;
  }
  fail_invocation(intent, outcome);
}

void Draft::fail_invocation(const JobIntended& intent, const JobOutcome& outcome) {
  finish_invocation(intent.state, false, outcome.status,
                    error_value(outcome, intent.attempt, intent.spec.token), false);
}

void Draft::lost_attempt(const JobIntended& intent, const JobOutcome& outcome) {
  const InvokeSpec& invoke = *invoke_of(intent);
  const auto rule = invoke.retry.find(FailureClass::lost);
  const std::uint32_t allowed =
      rule == invoke.retry.end() ? lost_attempts_max : 1 + rule->second.max;
  switch (invoke.repeat) {
    case Repeat::safe:
      if (intent.attempt < allowed)
        intend_again(intent, intent.attempt + 1);
      else
        fail_invocation(intent, outcome);
      return;
    case Repeat::probe:
      if (invoke.probe != nullptr) {
        intend(intent.state, *invoke.probe, JobPurpose::probe, intent.item, 1, intent.spec.token);
        return;
      }
      break;
    case Repeat::ask: break;
  }
  raise_incident(IncidentKind::job_lost,
                 "the job of state '" + intent.spec.state + "' is gone without a result (" +
                     outcome.message + "); whether its effects happened is not known",
                 intent.state, intent.spec.token);
}

void Draft::probe_ended(const JobIntended& intent, const JobOutcome& outcome) {
  if (!state.invocations.contains(intent.state)) return;
  // Looking again changes nothing.
  const bool voided = outcome.never_started && outcome.failure == FailureClass::none;
  if (!outcome.completed && voided) return intend_again(intent, intent.attempt);
  if (!outcome.completed && (outcome.never_started || outcome.failure == FailureClass::lost) &&
      intent.attempt < probe_attempts_max)
    return intend_again(intent, intent.attempt + 1);
  const StateSpec& spec = definition.states[intent.state.value];
  const std::string verdict =
      outcome.completed ? outcome.result.string_or("verdict", "unknown") : std::string("unknown");
  std::string findings = outcome.completed ? findings_of(outcome.result) : outcome.message;
  if (verdict == "rerun") {
    intend(intent.state, *spec.invoke, JobPurpose::invoke, intent.item,
           last_attempt(intent.state, intent.item) + 1);
    return;
  }
  const cel::Value* result = outcome.result.field("result");
  if (verdict == "finished" && result != nullptr) {
    if (auto fits = cel::conforms(*result, spec.invoke->signature.result)) {
      finish_invocation(intent.state, true, JobStatus::pass, *result, true);
      return;
    } else {
      findings = "the probe's result does not fit: " + fits.error().message;
    }
  }
  raise_incident(IncidentKind::job_lost,
                 "the job of state '" + intent.spec.state +
                     "' is gone without a result, and its probe could not decide: " + findings,
                 intent.state, intent.about);
}

void Draft::job_unknown(const ReportJobUnknown& report) {
  const auto job = state.jobs.find(report.token);
  if (job == state.jobs.end()) return;
  const std::shared_ptr<const JobIntended> intent = job->second.intent;
  emit(JobUnknown{report});
  for (const auto& [id, incident] : state.incidents)
    if (incident.kind == IncidentKind::job_unknown && incident.job == report.token) return;
  raise_incident(IncidentKind::job_unknown,
                 "whether the job of state '" + intent->spec.state +
                     "' still runs cannot be told: " + report.findings,
                 intent->state, report.token);
}

void Draft::finish_invocation(StateIndex index, bool done, JobStatus status, cel::Value data,
                              bool record_result) {
  InvocationFinished finished{index, done, status, std::nullopt};
  if (record_result) finished.result = data;
  emit(std::move(finished));
  deliver(QueuedEvent{(done ? "done.invoke." : "error.invoke.") + definition.chart.state(index).id,
                      std::move(data)});
}

// ---------------------------------------------------------------------------- leaving, resolving

void Draft::release_state(StateIndex index, const std::string& why) {
  for (const auto& [token, job] : std::map<Token, JobRecord>(state.jobs))
    if (job.intent->state == index && !job.stale) emit(JobCancelRequested{token, why});
  for (const auto& [token, gate] : std::map<Token, GateRecord>(state.gates))
    if (gate.state == index) emit(GateClosed{token, "withdrawn"});
  for (const auto& [id, timer] : std::map<TimerId, TimerRecord>(state.timers))
    if (timer.state == index && timer.purpose != TimerPurpose::send) emit(TimerCancelled{id});
}

void Draft::resolve_job(const ResolveIncident& resolve, const IncidentRecord& incident,
                        const std::optional<JobRecord>& attempt) {
  using How = ResolveIncident::How;
  if (resolve.how == How::started || resolve.how == How::jump) return;
  if (attempt && attempt->stale) return;  // it has ended, and nobody waits for its result
  const StateIndex index = incident.state;
  JobOutcome lost;
  lost.failure = FailureClass::lost;
  lost.message = "declared lost by " + to_string(command.actor) + ": " + resolve.reason;

  if (attempt && attempt->intent->purpose == JobPurpose::undo) {
    switch (resolve.how) {
      case How::retry: intend_again(*attempt->intent, attempt->intent->attempt + 1); return;
      case How::finished: compensation_ended(*attempt->intent, *resolve.outcome); return;
      case How::lost: compensation_failed(index, lost.message); return;
      default: emit(CompensationFinished{index, true, "given up: " + resolve.reason}); return;
    }
  }
  const auto& invoke = definition.states[index.value].invoke;
  const auto invocation = state.invocations.find(index);
  if (!invoke || invocation == state.invocations.end() || invocation->second.ended) return;
  const std::uint32_t attempts = last_attempt(index, 0);
  switch (resolve.how) {
    case How::retry:
      if (attempt && attempt->intent->purpose == JobPurpose::probe)
        intend_again(*attempt->intent, attempt->intent->attempt + 1);
      else
        intend(index, *invoke, JobPurpose::invoke, 0, attempts + 1);
      return;
    case How::finished:
      if (resolve.outcome->completed)
        finish_invocation(index, true, resolve.outcome->status, resolve.outcome->result, true);
      else
        finish_invocation(index, false, resolve.outcome->status,
                          error_value(*resolve.outcome, attempts, *incident.job), false);
      return;
    default:
      finish_invocation(index, false, JobStatus::error, error_value(lost, attempts, *incident.job),
                        false);
      return;
  }
}

}  // namespace checkride
