// How time passes in a rehearsal: one command after the other, each decided by the core, recorded,
// and looked at for what it owes the world.
#include "workflows/rehearsal/world.h"

#include <algorithm>
#include <tuple>

#include "engine/base/assert.h"

namespace checkride::rehearsal {

using statechart::StateIndex;

namespace {

// 2026-01-01T08:00:00Z: any fixed time will do.
constexpr Timestamp default_clock{1'767'254'400'000'000'000};

// Messages that an active state listens to by name.
std::set<std::string> awaited_messages(const RehearsedRun& run) {
  std::set<std::string> names;
  const statechart::Chart& chart = run.definition->chart;
  std::vector<StateIndex> active = run.state.chart.configuration;
  active.push_back(statechart::root_state);
  for (const StateIndex state : active)
    for (const auto t : chart.state(state).transitions)
      for (const std::string& descriptor : chart.transition(t).events)
        if (descriptor.starts_with(message_prefix))
          names.insert(descriptor.substr(message_prefix.size()));
  return names;
}

}  // namespace

World::World(std::shared_ptr<const Definition> definition, const CaseFile& file, const Case& one,
             EventLog& log, Coverage& coverage, const RehearsalOptions& options)
    : definition_(std::move(definition)),
      file_(file),
      case_(one),
      log_(log),
      coverage_(coverage),
      options_(options),
      now_(one.clock.value_or(default_clock)) {}

std::shared_ptr<const Definition> World::machine(const Digest& hash) const {
  if (hash == definition_->hash) return definition_;
  const auto found = definition_->machines.find(hash);
  CR_ASSERT(found != definition_->machines.end(), to_hex(hash));
  return found->second;
}

Actor World::person(const std::string& by) const {
  return Actor{Actor::Kind::claimed, by.empty() ? "rehearsal" : by};
}

void World::problem(std::string text) {
  if (problem_.empty()) problem_ = std::move(text);
}

// ---------------------------------------------------------------------------- commands

Result<bool> World::send(const RunId& run, CommandBody body, const Actor& actor) {
  Command command;
  command.id = CommandId("rehearsed-" + std::to_string(++steps_));
  command.run = run;
  command.actor = actor;
  command.time = now_;
  command.body = std::move(body);
  auto found = runs_.find(run);
  const bool fresh = found == runs_.end();
  if (fresh) {
    const auto* start = std::get_if<StartRun>(&command.body);
    CR_ASSERT(start != nullptr, run);
    Live live;
    live.run.definition = machine(start->definition);
    if (start->parent) note_parent(live.run, *start->parent);
    found = runs_.emplace(run, std::move(live)).first;
  }
  Live& live = found->second;
  Coverage::History history = live.run.state.chart.history;
  Decision decision = decide(live.run.state, *live.run.definition, command);
  if (!decision.accepted) {
    problem("the command " + std::string(command_name(command.body)) +
            " was refused: " + decision.reason);
    if (fresh) runs_.erase(found);
    return false;
  }
  Append append;
  append.record = to_record(decision, command, options_.build);
  append.summary = summarize(decision.next);
  CR_TRY(const std::vector<Committed> committed, log_.append({&append, 1}));
  live.chain = committed.front().chain;
  live.run.state = std::move(decision.next);
  for (const Event& event : decision.events) {
    if (const auto* taken = std::get_if<TransitionTaken>(&event)) {
      for (const auto& [state, value] : taken->history) history[state] = value;
      coverage_.add(*live.run.definition, *taken, history, live.run.entered.empty());
      live.run.entered.insert(live.run.entered.end(), taken->entered.begin(), taken->entered.end());
    }
    if (const auto* raised = std::get_if<IncidentRaised>(&event))
      live.run.incidents.push_back(raised->kind);
  }
  if (fresh) started_.push_back(run);
  if (options_.moved) options_.moved(run);
  return true;
}

// Which state invoked the child, and for which element.
void World::note_parent(RehearsedRun& child, const ParentLink& link) const {
  const RehearsedRun& parent = runs_.at(link.run).run;
  const JobIntended& intent = *parent.state.jobs.at(link.token).intent;
  const InvocationRecord& invocation = parent.state.invocations.at(intent.state);
  child.parent = link.run;
  child.parent_state = intent.spec.state;
  child.position = intent.item;
  if (invocation.each) child.element = element_key(invocation.items[intent.item]);
}

Result<bool> World::start_root() {
  StartRun start;
  start.definition = definition_->hash;
  start.definition_name = definition_->name;
  start.params = case_.params;
  start.root = options_.run;
  start.folder = "/rehearsal/" + options_.run.value;
  layers_[options_.run] = {&case_.script, &file_.usual};
  CR_TRY(const bool accepted, send(options_.run, std::move(start), person({})));
  if (accepted) runs_.at(options_.run).layers = layers_[options_.run];
  return accepted;
}

Result<Rehearsed> World::play() {
  for (const auto& [hash, one] : definition_->machines)
    CR_CHECK(log_.store_definition({hash, one->name, one->source_name, one->source, now_}));
  CR_CHECK(log_.store_definition(
      {definition_->hash, definition_->name, definition_->source_name, definition_->source, now_}));
  CR_TRY(bool going, start_root());
  while (going && problem_.empty()) {
    if (steps_ >= rehearsal_steps_max) {
      problem("it took more than " + std::to_string(rehearsal_steps_max) +
              " steps; does the chart go round in a circle that the outcomes never leave?");
      break;
    }
    CR_TRY(going, step());
  }
  Rehearsed rehearsed;
  rehearsed.problem = problem_;
  rehearsed.steps = steps_;
  rehearsed.used = used_;
  if (problem_.empty()) rehearsed.waits_for = what_it_waits_for();
  for (const RunId& run : started_) rehearsed.runs.push_back(runs_.at(run).run);
  return rehearsed;
}

// ---------------------------------------------------------------------------- time

Result<bool> World::step() {
  CR_TRY(const bool ended, person_ends_it());
  if (ended || !problem_.empty()) return true;
  for (auto& [run, live] : runs_) {
    look(live);
    if (!problem_.empty()) return false;
  }
  std::optional<Due> due = next_due();
  if (!due) return false;
  now_ = std::max(now_, due->at);
  const bool starts = std::holds_alternative<StartRun>(due->body);
  CR_TRY(const bool accepted, send(due->run, std::move(due->body), due->actor));
  if (accepted && due->plan != nullptr) used_.insert(due->plan);
  if (accepted && starts) runs_.at(due->run).layers = layers_[due->run];
  return accepted;
}

Result<bool> World::person_ends_it() {
  const RehearsedRun& top = runs_.at(options_.run).run;
  const auto now = [&](const std::optional<PlannedEnd>& end, bool done) {
    if (!end || done) return false;
    if (end->in.empty()) return top.state.finished();
    const auto in = top.definition->chart.find(end->in);
    const auto& active = top.state.chart.configuration;
    return in && !top.state.finished() &&
           std::find(active.begin(), active.end(), *in) != active.end();
  };
  if (now(case_.cancel, cancelled_)) {
    cancelled_ = true;
    used_.insert(&*case_.cancel);
    return send(options_.run, CancelRun{case_.cancel->why}, person(case_.cancel->by));
  }
  if (now(case_.rollback, rolled_back_)) {
    rolled_back_ = true;
    used_.insert(&*case_.rollback);
    return send(options_.run, RollbackRun{case_.rollback->why}, person(case_.rollback->by));
  }
  return false;
}

void World::schedule(const std::string& key, Duration after, const RunId& run, CommandBody body,
                     Actor actor, const void* plan) {
  due_[key] = Due{now_ + after, ++orders_, run, std::move(body), std::move(actor), plan};
}

// Told of what is no longer there: the state was left, the gate withdrawn.
bool World::outdated(const Due& due) const {
  const auto live = runs_.find(due.run);
  if (live == runs_.end()) return !std::holds_alternative<StartRun>(due.body);
  const RunState& state = live->second.run.state;
  if (const auto* finish = std::get_if<FinishJob>(&due.body))
    return !state.jobs.contains(finish->token);
  if (const auto* unknown = std::get_if<ReportJobUnknown>(&due.body))
    return !state.jobs.contains(unknown->token);
  if (const auto* answer = std::get_if<AnswerGate>(&due.body))
    return !state.gates.contains(answer->gate);
  if (const auto* resolve = std::get_if<ResolveIncident>(&due.body))
    return !state.incidents.contains(resolve->incident);
  if (const auto* grant = std::get_if<GrantLease>(&due.body)) {
    const auto job = state.jobs.find(grant->token);
    return job == state.jobs.end() || !state.awaits_lease(job->second);
  }
  const bool of_the_living =
      std::holds_alternative<SignalRun>(due.body) || std::holds_alternative<PauseRun>(due.body);
  if (of_the_living) return state.mode != RunMode::running;
  if (std::holds_alternative<ResumeRun>(due.body) && state.mode != RunMode::running) return true;
  return state.finished();
}

bool World::held(const Due& due) const {
  const auto paused = [&](const RunId& run) {
    const auto live = runs_.find(run);
    return live != runs_.end() && live->second.run.state.paused.has_value();
  };
  if (const auto* start = std::get_if<StartRun>(&due.body))
    return start->parent && paused(start->parent->run);
  return std::holds_alternative<GrantLease>(due.body) && paused(due.run);
}

std::optional<World::Due> World::next_due() {
  std::erase_if(due_, [&](const auto& entry) { return outdated(entry.second); });
  auto first = due_.end();
  for (auto due = due_.begin(); due != due_.end(); ++due)
    if (!held(due->second) &&
        (first == due_.end() || std::tie(due->second.at, due->second.order) <
                                    std::tie(first->second.at, first->second.order)))
      first = due;
  std::optional<Due> timer = next_timer();
  if (first == due_.end() || (timer && timer->at < first->second.at)) return timer;
  Due due = std::move(first->second);
  due_.erase(first);
  return due;
}

// Reminders move nothing, and come again and again.
std::optional<World::Due> World::next_timer() const {
  std::optional<Due> next;
  for (const auto& [run, live] : runs_) {
    if (live.run.state.finished()) continue;
    for (const Obligation& obligation : outstanding(live.run.state)) {
      const auto* await = std::get_if<AwaitTimer>(&obligation);
      if (await == nullptr || (next && next->at <= await->due)) continue;
      if (live.run.state.timers.at(await->timer).purpose == TimerPurpose::gate_reminder) continue;
      next = Due{await->due, 0, run, FireTimer{await->timer, await->due}, Actor{}};
    }
  }
  return next;
}

// ---------------------------------------------------------------------------- what is missing

std::string World::name_of(const Live& live) const {
  if (live.run.parent_state.empty()) return "'" + live.run.definition->name + "'";
  return "'" + live.run.definition->name + "' (child of '" + live.run.parent_state +
         (live.run.element.empty() ? "'" : "' for '" + live.run.element + "'") + ")";
}

void World::missing(const Live& live, Part part, const std::string& state, const InvokeSpec& invoke,
                    std::size_t visit) {
  const std::string section = part == Part::outcomes ? "outcomes"
                              : part == Part::probes ? "probes"
                                                     : "undo";
  const bool gate = invoke.signature.performer == JobSignature::Performer::person;
  std::string add = state + ": " + outcome_skeleton(invoke);
  if (!live.run.parent_state.empty())
    add = live.run.parent_state + ": {" + section + ": {" + add + "}}";
  std::string text = "state '" + state + "' of " + name_of(live) +
                     (gate ? " asks a person" : " runs " + invoke.signature.name);
  if (visit > 0) text += " (visit " + std::to_string(visit + 1) + ")";
  text += ", and no outcome says how that ends; ";
  if (visit > 0)
    text += "add one to the list of '" + state + "'";
  else
    text += "add under `" + (live.run.parent_state.empty() ? section : "outcomes") + "`: " + add;
  problem(std::move(text));
}

const Planned* World::take(Live& live, Part part, const std::string& state,
                           const InvokeSpec& invoke) {
  const std::size_t visit = live.taken[{part, state}]++;
  bool usual = false;  // an outer layer left it to this one
  for (const Script* layer : live.layers) {
    const Series* series = series_of(*layer, part, state);
    if (series == nullptr) continue;
    const std::size_t at = series->list && !usual ? visit : 0;
    if (at >= series->steps.size()) break;
    const Planned& plan = series->steps[at];
    used_.insert(&plan);
    if (plan.kind != Planned::Kind::usual) return &plan;
    usual = true;
  }
  missing(live, part, state, invoke, visit);
  return nullptr;
}

std::string World::what_it_waits_for() const {
  std::string text;
  const auto add = [&](const std::string& one) { text += (text.empty() ? "" : "; ") + one; };
  for (const auto& [id, live] : runs_) {
    const RehearsedRun& run = live.run;
    if (run.state.finished()) continue;
    for (const auto& [incident, record] : run.state.incidents)
      add("incident " + std::string(to_string(record.kind)) + " of " + name_of(live) + ": " +
          record.message);
    for (const auto& [token, gate] : run.state.gates)
      add("the gate '" + run.definition->chart.state(gate.state).id + "' of " + name_of(live));
    if (run.state.paused && !run.state.paused->by_parent)
      add("the end of the pause of " + name_of(live));
    for (const std::string& message : awaited_messages(run))
      add("the message '" + message + "' to " + name_of(live));
    for (const auto& [token, job] : run.state.jobs)
      if (job.intent->performer == JobSignature::Performer::runner)
        add("the job of '" + job.intent->spec.state + "' of " + name_of(live));
  }
  return text;
}

}  // namespace checkride::rehearsal
