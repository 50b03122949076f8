// What a run owes the world after each step, answered out of the scripts: jobs end, child runs
// begin, people answer and resolve.
#include <algorithm>

#include "engine/ports/job_kind.h"
#include "workflows/rehearsal/world.h"

namespace checkride::rehearsal {

void World::look(Live& live) {
  const RunState& state = live.run.state;
  if (state.finished()) {
    if (state.start.parent) tell_parent(live);
    if (state.mode == RunMode::finished) return;
  }
  for (const Obligation& obligation : outstanding(state))
    std::visit([&](const auto& owed) { look(live, owed); }, obligation);
  if (!state.parked()) open_gates(live);
  open_incidents(live);
  signal(live);
  if (state.run == options_.run) pause_tree();
}

const InvokeSpec& World::invoke_of(const Live& live, const JobIntended& intent, Part& part) const {
  const StateSpec& spec = live.run.definition->states[intent.state.value];
  switch (intent.purpose) {
    case JobPurpose::probe: part = Part::probes; return *spec.invoke->probe;
    case JobPurpose::undo: part = Part::undo; return *spec.undo;
    case JobPurpose::invoke: break;
  }
  part = Part::outcomes;
  return *spec.invoke;
}

void World::look(Live& live, const RunJob& job) {
  const JobIntended& intent = *job.intent;
  const Token& token = intent.spec.token;
  if (!known_.insert("job " + token.value).second) return;
  Part part = Part::outcomes;
  const InvokeSpec& invoke = invoke_of(live, intent, part);
  // What was planned for an attempt when it waited for its lease holds for that attempt once.
  const auto planned = waiting_.extract(token);
  const Planned* plan =
      planned.empty() ? take(live, part, intent.spec.state, invoke) : planned.mapped();
  if (plan == nullptr || plan->kind == Planned::Kind::wait) return;
  if (plan->kind == Planned::Kind::unknown) {
    schedule("job " + token.value, plan->takes, live.run.state.run,
             ReportJobUnknown{token, plan->text}, Actor{});
    return;
  }
  FinishJob finish;
  finish.token = token;
  finish.outcome = plan->outcome;
  finish.outcome.started = now_;
  finish.outcome.ended = now_ + plan->takes;
  schedule("job " + token.value, plan->takes, live.run.state.run, std::move(finish), Actor{});
}

void World::look(Live& live, const StartChild& child) {
  const JobIntended& intent = *child.intent;
  const RunId run(intent.spec.token.value);
  if (const auto there = runs_.find(run); there != runs_.end())
    pass_pause_on(live.run.state, there->second.run.state);
  if (!known_.insert("child " + run.value).second) return;
  // One step of the script for all children of a visit.
  std::string element;
  const InvocationRecord& invocation = live.run.state.invocations.at(intent.state);
  if (invocation.each) element = element_key(invocation.items[intent.item]);
  const bool first = intent.item == 0;
  const std::size_t visits = live.taken[{Part::outcomes, intent.spec.state}];
  const std::size_t visit = first || visits == 0 ? visits : visits - 1;
  if (first || visits == 0) ++live.taken[{Part::outcomes, intent.spec.state}];
  std::vector<const Script*>& layers = layers_[run];
  for (const Script* layer : live.layers) {
    const Series* series = series_of(*layer, Part::outcomes, intent.spec.state);
    if (series == nullptr) continue;
    const std::size_t at = series->list ? visit : 0;
    if (at >= series->steps.size())
      return missing(live, Part::outcomes, intent.spec.state,
                     *live.run.definition->states[intent.state.value].invoke, visit);
    const Planned& plan = series->steps[at];
    used_.insert(&plan);
    for (const std::string& key : {element, "#" + std::to_string(intent.item + 1)})
      if (const auto own = plan.items.find(key); own != plan.items.end())
        layers.push_back(own->second.get());
    if (plan.every) layers.push_back(plan.every.get());
  }
  StartRun start;
  start.definition = intent.machine;
  start.definition_name = machine(intent.machine)->name;
  start.params = intent.spec.inputs;
  start.root = live.run.state.start.root;
  start.parent = ParentLink{live.run.state.run, intent.spec.token};
  start.folder = live.run.state.start.folder;
  schedule("child " + run.value, Duration(0), run, std::move(start), live.run.state.author);
}

void World::look(Live& live, const StopJob& job) {
  const JobIntended& intent = *job.intent;
  const Token& token = intent.spec.token;
  if (!known_.insert("stop " + token.value).second) return;
  FinishJob finish;
  finish.token = token;
  finish.outcome = not_completed(JobStatus::error, FailureClass::code, "it was cancelled");
  finish.outcome.cancelled = true;
  finish.outcome.started = finish.outcome.ended = now_;
  if (intent.performer == JobSignature::Performer::machine) {
    const RunId child(token.value);
    if (runs_.contains(child)) {
      if (!runs_.at(child).run.state.finished())
        schedule("stop " + token.value, Duration(0), child,
                 CancelRun{"its parent no longer needs it"}, Actor{});
      return;
    }
    due_.erase("child " + token.value);
    known_.insert("child " + token.value);
  }
  finish.outcome.never_started = !known_.contains("job " + token.value);
  schedule("job " + token.value, Duration(0), live.run.state.run, std::move(finish), Actor{});
}

void World::look(Live& live, const AwaitTimer& timer) {
  static_cast<void>(live);  // next_timer() reads them where they stand
  static_cast<void>(timer);
}

// There is enough of everything, unless the script says otherwise.
void World::look(Live& live, const AwaitLease& job) {
  const JobSpec& spec = job.intent->spec;
  if (!known_.insert("lease " + spec.token.value).second) return;
  Part part = Part::outcomes;
  const InvokeSpec& invoke = invoke_of(live, *job.intent, part);
  const Planned* plan = take(live, part, spec.state, invoke);
  if (plan == nullptr) return;
  waiting_[spec.token] = plan;
  if (plan->lease == Planned::Lease::never) return;
  if (plan->lease == Planned::Lease::refused) {
    FinishJob finish;
    finish.token = spec.token;
    finish.outcome = plan->outcome;
    finish.outcome.started = finish.outcome.ended = now_;
    schedule("lease " + spec.token.value, Duration(0), live.run.state.run, std::move(finish),
             Actor{});
    return;
  }
  GrantLease grant;
  grant.token = spec.token;
  grant.exclusive = spec.needs.exclusive;
  for (const auto& [resource, units] : spec.needs.units)
    for (std::uint32_t i = 0; i < units; ++i)
      grant.units.push_back({resource, spec.token.value + "." + std::to_string(i)});
  schedule("lease " + spec.token.value, plan->lease_after, live.run.state.run, std::move(grant),
           Actor{});
}

void World::open_gates(Live& live) {
  const RunState& state = live.run.state;
  for (const auto& [token, gate] : state.gates) {
    if (!known_.insert("gate " + token.value).second) continue;
    const InvokeSpec& invoke = *live.run.definition->states[gate.state.value].invoke;
    const std::string& id = live.run.definition->chart.state(gate.state).id;
    const Planned* plan = take(live, Part::outcomes, id, invoke);
    if (plan == nullptr) return;
    if (plan->kind == Planned::Kind::wait) continue;
    schedule("gate " + token.value, plan->takes, state.run,
             AnswerGate{token, gate.opened_at, plan->decision, plan->text}, person(plan->by));
  }
}

void World::open_incidents(Live& live) {
  const RunState& state = live.run.state;
  for (const auto& [id, incident] : state.incidents) {
    if (!known_.insert("incident " + state.run.value + " " + id.value).second) continue;
    const PlannedResolution* plan = nullptr;
    for (const Script* layer : live.layers) {
      if (layer->incidents.empty()) continue;
      if (live.incidents_taken < layer->incidents.size())
        plan = &layer->incidents[live.incidents_taken];
      break;
    }
    ++live.incidents_taken;
    if (plan == nullptr) continue;
    used_.insert(plan);
    if (plan->wait) continue;
    // A job that is said to run ends as the next of its outcomes says.
    if (plan->resolve.how == ResolveIncident::How::started && incident.job)
      known_.erase("job " + incident.job->value);
    ResolveIncident resolve = plan->resolve;
    resolve.incident = id;
    schedule("incident " + state.run.value + " " + id.value, Duration(0), state.run,
             std::move(resolve), person(plan->by));
  }
}

bool World::occasion(const Live& live, const std::string& in) const {
  const RunState& state = live.run.state;
  if (state.mode != RunMode::running) return false;
  if (in.empty()) return true;
  const auto index = live.run.definition->chart.find(in);
  const auto& active = state.chart.configuration;
  return index && std::find(active.begin(), active.end(), *index) != active.end();
}

void World::signal(Live& live) {
  const RunState& state = live.run.state;
  for (const Script* layer : live.layers) {
    if (layer->signals.empty()) continue;
    for (std::size_t i = 0; i < layer->signals.size(); ++i) {
      const PlannedSignal& plan = layer->signals[i];
      const std::string key = "signal " + state.run.value + " " + std::to_string(i);
      if (!occasion(live, plan.in) || !known_.insert(key).second) continue;
      schedule(key, plan.after, state.run, SignalRun{plan.name, plan.data, plan.why},
               person(plan.by), &plan);
    }
    return;
  }
}

void World::pause_tree() {
  const Live& top = runs_.at(options_.run);
  for (std::size_t i = 0; i < case_.pauses.size(); ++i) {
    const PlannedPause& plan = case_.pauses[i];
    const std::string key = "pause " + std::to_string(i);
    if (!occasion(top, plan.in) || !known_.insert(key).second) continue;
    schedule(key, plan.after, options_.run, PauseRun{plan.why, false}, person(plan.by), &plan);
    if (plan.lasts)
      schedule("resume " + std::to_string(i), plan.after + *plan.lasts, options_.run,
               ResumeRun{plan.why, false}, person(plan.by));
  }
}

// As the runtime does it: a pause goes down the tree, and ends with the parent's.
void World::pass_pause_on(const RunState& parent, const RunState& child) {
  if (child.mode != RunMode::running) return;
  const std::string key = child.run.value + " " + std::to_string(child.last.value);
  if (parent.paused && !child.paused && known_.insert("pause " + key).second)
    schedule("pause " + key, Duration(0), child.run, PauseRun{parent.paused->reason, true},
             Actor{});
  else if (!parent.paused && child.paused && child.paused->by_parent &&
           known_.insert("resume " + key).second)
    schedule("resume " + key, Duration(0), child.run, ResumeRun{"its parent goes on", true},
             Actor{});
}

void World::tell_parent(Live& child) {
  const RunState& state = child.run.state;
  const Token& token = state.start.parent->token;
  if (!known_.insert("told " + token.value).second) return;
  schedule("told " + token.value, Duration(0), state.start.parent->run,
           finish_of_child(state, *child.run.definition, child.chain), Actor{});
}

}  // namespace checkride::rehearsal
