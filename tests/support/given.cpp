#include "tests/support/given.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "workflows/loader/load.h"

namespace checkride::test {

namespace {

JobSignature signature(std::string name, std::string_view result, Repeat repeat) {
  JobSignature s;
  s.name = std::move(name);
  s.title = s.name;
  s.inputs = cel::parse_type("{n?: int}").value();
  s.result = cel::parse_type(result).value();
  s.repeat = repeat;
  return s;
}

// What evolve() makes of the events alone.
RunState fold(RunState state, const std::vector<Event>& events, const Command& command) {
  for (const Event& event : events)
    evolve(state, event,
           EventContext{command.run, state.last.next(), command.time, command.actor, command.id});
  return state;
}

}  // namespace

const std::vector<const JobSignature*>& fake_kinds() {
  static const JobSignature work = signature("work", "{n: int}", Repeat::ask);
  static const JobSignature safe = signature("safe", "{n: int}", Repeat::safe);
  static const JobSignature probed = signature("probed", "{n: int}", Repeat::probe);
  static const JobSignature look =
      signature("look", "{verdict: string, findings?: list<string>, result?: dyn}", Repeat::safe);
  static const std::vector<const JobSignature*> all = {&look, &probed, &safe, &work};
  return all;
}

std::shared_ptr<const Definition> load_document(std::string_view body) {
  LoadOptions options;
  options.signatures = fake_kinds();
  const std::string text = "checkride: 1\nworkflow: t\n" + std::string(body);
  const LoadResult loaded = load_definition(text, "t.yaml", options);
  std::string found;
  for (const LoadDiagnostic& d : loaded.diagnostics) found += to_string(d) + "\n";
  INFO(text << "\n" << found);
  REQUIRE(loaded.definition != nullptr);
  return loaded.definition;
}

JobOutcome passed(std::int64_t n, JobStatus status) {
  JobOutcome outcome;
  outcome.status = status;
  outcome.completed = true;
  cel::Map result;
  result.set("n", cel::Value(n));
  outcome.result = cel::Value(std::move(result));
  return outcome;
}
JobOutcome failed(FailureClass failure, std::string message) {
  JobOutcome outcome;
  outcome.status = failure == FailureClass::unavailable ? JobStatus::unavailable : JobStatus::error;
  outcome.failure = failure;
  outcome.message = std::move(message);
  return outcome;
}
JobOutcome lost() {
  return failed(FailureClass::lost, "its supervisor is gone");
}
JobOutcome never_started() {
  JobOutcome outcome = failed(FailureClass::none, "it never started");
  outcome.never_started = true;
  return outcome;
}
JobOutcome looked(const std::string& verdict, std::optional<std::int64_t> n) {
  JobOutcome outcome;
  outcome.status = JobStatus::pass;
  outcome.completed = true;
  cel::Map result;
  result.set("verdict", cel::Value(verdict));
  result.set("findings", cel::Value(cel::List{cel::Value("one"), cel::Value("two")}));
  if (n) result.set("result", passed(*n).result);
  outcome.result = cel::Value(std::move(result));
  return outcome;
}

namespace {

// Whether an active state listens to a declared message.
bool hears(const RunState& state, const Definition& definition) {
  std::vector<statechart::StateIndex> active = state.chart.configuration;
  active.push_back(statechart::root_state);
  for (const MessageSpec& message : definition.messages)
    for (const statechart::StateIndex index : active)
      for (const auto transition : definition.chart.state(index).transitions)
        for (const std::string& descriptor : definition.chart.transition(transition).events)
          if (statechart::matches(descriptor, "message." + message.name)) return true;
  return false;
}

}  // namespace

std::vector<std::string> broken_laws(const RunState& before, const Definition& definition,
                                     const Command& command, const Decision& decision) {
  std::vector<std::string> broken;
  const auto demand = [&](bool holds, const char* law) {
    if (!holds) broken.emplace_back(law);
  };
  if (decision.repeated) {
    demand(decision.events.empty() && decision.next == before,
           "a repeated command changes nothing");
    return broken;
  }
  demand(!decision.events.empty(), "a decision has events");
  demand(decision.sequence == before.last.next(), "its first event follows the last one");
  demand(fold(before, decision.events, command) == decision.next,
         "the next state is the fold of the events");
  const Record record = to_record(decision, command, "test");
  const std::optional<Command> again = command_of(record);
  demand(again.has_value(), "the first event carries the command");
  if (again) {
    demand(again->id == command.id && again->time == command.time, "the envelope is kept");
    const Decision replayed = decide(before, definition, *again);
    demand(replayed.events == decision.events, "replay decides the same events");
  }
  const RunState& next = decision.next;
  const bool by_person = !std::holds_alternative<FinishJob>(command.body) &&
                         !std::holds_alternative<MarkJobStarted>(command.body) &&
                         !std::holds_alternative<AdoptJob>(command.body) &&
                         !std::holds_alternative<ReportJobUnknown>(command.body) &&
                         !std::holds_alternative<FireTimer>(command.body) &&
                         !std::holds_alternative<GrantLease>(command.body) &&
                         !std::holds_alternative<ReleaseLease>(command.body);
  if (by_person && next.mode != RunMode::absent) {
    const Decision repeated = decide(next, definition, command);
    demand(repeated.repeated && repeated.events.empty() && repeated.next == next &&
               repeated.accepted == decision.accepted && repeated.sequence == decision.sequence,
           "a repeated command gets the recorded answer");
  }
  demand(next.chart.configuration.empty() || definition.chart.is_legal(next.chart.configuration),
         "the configuration is legal");
  demand(!next.finished() || (next.jobs.empty() && next.timers.empty() && next.gates.empty() &&
                              next.incidents.empty() && next.messages.empty() &&
                              next.leases.empty() && !next.paused),
         "a finished run has nothing left");
  const bool live = next.mode != RunMode::absent && !next.finished();
  demand(!live || !next.jobs.empty() || !next.timers.empty() || !next.gates.empty() ||
             !next.incidents.empty() || next.paused || hears(next, definition),
         "something can wake a run that goes on");
  demand(next.parked() || next.queue.empty(), "a queue waits for an incident");
  std::set<LeasedUnit> held;
  for (const auto& [token, lease] : next.leases) {
    const auto job = next.jobs.find(token);
    demand(job != next.jobs.end() || !decision.accepted, "only a live attempt holds units");
    for (const LeasedUnit& unit : lease.units)
      demand(held.insert(unit).second, "a unit has one holder");
    if (job == next.jobs.end()) continue;
    std::map<std::string, std::uint32_t> given;
    for (const LeasedUnit& unit : lease.units) ++given[unit.resource];
    demand(given == job->second.intent->spec.needs.units, "an attempt gets all its needs at once");
  }
  for (const auto& [id, timer] : next.timers) {
    if (timer.purpose != TimerPurpose::queue_limit || !decision.accepted) continue;
    const auto job = next.jobs.find(Token(timer.event));
    demand(job != next.jobs.end() && next.awaits_lease(job->second),
           "a wait that is over has no limit");
  }
  return broken;
}

Given::Given(std::string_view body) : Given(load_document(body)) {}
Given::Given(std::shared_ptr<const Definition> loaded) : definition(std::move(loaded)) {}

Command Given::command(CommandBody body) {
  Command command;
  command.id = CommandId("c" + std::to_string(++commands_));
  command.run = run;
  command.actor = actor;
  now = now + std::chrono::seconds(1);
  command.time = now;
  command.body = std::move(body);
  return command;
}

Decision Given::when(const Command& command) {
  const Decision decision = decide(state, *definition, command);
  INFO(command_name(command.body) << " caused: " << names(decision));
  const std::vector<std::string> broken = broken_laws(state, *definition, command, decision);
  CHECK(broken == std::vector<std::string>{});
  if (decision.repeated) return decision;
  if (state.mode != RunMode::absent || decision.accepted)
    records.push_back(to_record(decision, command, "test"));
  if (state.mode == RunMode::absent && !decision.accepted) return decision;
  state = decision.next;
  return decision;
}
Decision Given::when(CommandBody body) {
  return when(command(std::move(body)));
}

Decision Given::start(cel::Map params) {
  StartRun start;
  start.definition = definition->hash;
  start.definition_name = definition->name;
  start.params = std::move(params);
  start.root = run;
  start.folder = "/runs/r";
  return when(start);
}

Decision Given::start_as_child(const Given& parent, const JobIntended& intent) {
  run = RunId(intent.spec.token.value);
  StartRun start;
  start.definition = definition->hash;
  start.definition_name = definition->name;
  start.params = intent.spec.inputs;
  start.root = parent.state.start.root;
  start.parent = ParentLink{parent.run, intent.spec.token};
  start.folder = parent.state.start.folder;
  return when(start);
}

Decision Given::finish(const Token& token, JobOutcome outcome) {
  return when(FinishJob{token, std::move(outcome), {}, {}});
}
Decision Given::finish(const std::string& at, JobOutcome outcome) {
  return finish(token(at), std::move(outcome));
}
Decision Given::finish_child(const std::string& at, const Given& child) {
  const FinishJob finish = finish_of_child(child.state, *child.definition, sha256("chain"));
  INFO(at);
  REQUIRE(state.jobs.contains(finish.token));
  return when(finish);
}

Decision Given::fire(const std::string& prefix) {
  for (const auto& [id, timer] : state.timers)
    if (id.value.starts_with(prefix)) {
      if (now < timer.due) now = timer.due;
      return when(FireTimer{id, timer.due});
    }
  FAIL("no timer begins with " << prefix);
  return {};
}

Decision Given::answer(const std::string& decision, const std::string& why) {
  REQUIRE(state.gates.size() == 1);
  const auto& [gate, open] = *state.gates.begin();
  return when(AnswerGate{gate, open.opened_at, decision, why});
}

Decision Given::resolve(ResolveIncident::How how, std::string at,
                        std::optional<JobOutcome> outcome) {
  ResolveIncident resolve;
  resolve.how = how;
  resolve.state = std::move(at);
  resolve.outcome = std::move(outcome);
  resolve.reason = "because";
  return when(resolve);
}

std::string Given::active() const {
  std::string text;
  for (const statechart::StateIndex s : state.chart.configuration)
    if (definition->chart.is_atomic(s))
      text += (text.empty() ? "" : " ") + definition->chart.state(s).id;
  return text;
}

statechart::StateIndex Given::index(const std::string& id) const {
  const auto found = definition->chart.find(id);
  INFO(id);
  REQUIRE(found.has_value());
  return *found;
}

std::string Given::verdict(const std::string& of) const {
  const auto found = state.verdicts.find(index(of));
  return std::string(
      to_string(found == state.verdicts.end() ? Verdict::none : found->second.verdict));
}

std::vector<Token> Given::tokens(const std::string& of) const {
  std::vector<const JobRecord*> jobs;
  for (const auto& [token, job] : state.jobs)
    if (job.intent->state == index(of)) jobs.push_back(&job);
  std::sort(jobs.begin(), jobs.end(),
            [](const JobRecord* a, const JobRecord* b) { return a->intended_at < b->intended_at; });
  std::vector<Token> tokens;
  for (const JobRecord* job : jobs) tokens.push_back(job->intent->spec.token);
  return tokens;
}

Token Given::token(const std::string& of) const {
  const std::vector<Token> all = tokens(of);
  INFO("no attempt of " << of << " is live");
  REQUIRE(!all.empty());
  return all.back();
}

const JobIntended& Given::intent(const std::string& of) const {
  return *state.jobs.at(token(of)).intent;
}

const IncidentRecord& Given::incident() const {
  REQUIRE(state.incidents.size() == 1);
  return state.incidents.begin()->second;
}

cel::Value Given::data(const std::string& name) const {
  const cel::Value* value = state.data.find(name);
  return value == nullptr ? cel::Value() : *value;
}

std::string names(const Decision& decision) {
  std::string text;
  for (const Event& event : decision.events)
    text += (text.empty() ? "" : " ") + std::string(event_name(event));
  return text;
}

}  // namespace checkride::test
