#include "cli/render/json_state.h"

#include "cli/render/json_events.h"

namespace checkride::cli {

using statechart::StateIndex;

namespace {

template <class States>
json::array states_json(const View& view, const States& states) {
  json::array array;
  for (const StateIndex index : states) array.push_back(json::string(view.state(index)));
  return array;
}

json::object invocation_json(const View& view, const InvocationRecord& record) {
  json::object object{{"started_at", record.started_at.value},
                      {"ended", record.ended},
                      {"done", record.done},
                      {"status", to_string(record.status)},
                      {"each", record.each}};
  if (record.each) {
    object["items"] = as_json(view, cel::Value(record.items));
    object["next_item"] = record.next_item;
    json::object outcomes;
    for (const auto& [item, outcome] : record.outcomes)
      outcomes[std::to_string(item)] = as_json(view, outcome);
    object["outcomes"] = std::move(outcomes);
  }
  json::object attempts;
  for (const auto& [item, attempt] : record.attempts) attempts[std::to_string(item)] = attempt;
  object["attempts"] = std::move(attempts);
  return object;
}

json::object job_json(const View& view, const JobRecord& job) {
  return {{"state", view.state(job.intent->state)},
          {"phase", to_string(job.phase)},
          {"stale", job.stale},
          {"intended_at", job.intended_at.value},
          {"intended_time", as_json(job.intended_time)},
          {"intent", as_json(view, Event(*job.intent))}};
}

class TextWriter {
 public:
  TextWriter(const Style& style, std::string& out) : style_(style), out_(out) {}
  void heading(std::string_view name) { out_ += style_(Tone::bold, name) + "\n"; }
  void entry(std::string_view name, std::string_view value) {
    out_ += wrapped(value, "  " + std::string(name) + ": ", "      ");
  }

 private:
  const Style& style_;
  std::string& out_;
};

std::string at(Sequence sequence) {
  return " (@" + to_string(sequence) + ")";
}

constexpr std::size_t value_width_max = 400;

}  // namespace

json::object state_json(const View& view, const RunState& state) {
  json::object object{{"run", state.run.value},
                      {"last", state.last.value},
                      {"mode", to_string(state.mode)},
                      {"outcome", to_string(state.outcome)},
                      {"outcome_reason", view.text(state.outcome_reason)},
                      {"end_reason", view.text(state.end_reason)},
                      {"parked", state.parked()},
                      {"author", as_json(state.author)},
                      {"started", as_json(state.started)},
                      {"updated", as_json(state.updated)},
                      {"start", as_json(view, CommandBody(state.start))},
                      {"params", as_json(cel::Value(view.params(state.params)))},
                      {"data", as_json(view, cel::Value(state.data))},
                      {"active", states_json(view, state.chart.configuration)}};
  json::object history;
  for (const auto& [index, states] : state.chart.history)
    history[view.state(index)] = states_json(view, states);
  object["history"] = std::move(history);
  json::object assigned;
  for (const auto& [name, sequence] : state.assigned_at) assigned[name] = sequence.value;
  object["assigned_at"] = std::move(assigned);
  json::object entered;
  for (const auto& [index, sequence] : state.entered_at)
    entered[view.state(index)] = sequence.value;
  object["entered_at"] = std::move(entered);
  json::object entries;
  for (const auto& [index, count] : state.entries) entries[view.state(index)] = count;
  object["entries"] = std::move(entries);
  json::object invocations;
  for (const auto& [index, record] : state.invocations)
    invocations[view.state(index)] = invocation_json(view, record);
  object["invocations"] = std::move(invocations);
  json::object jobs;
  for (const auto& [token, job] : state.jobs) jobs[token.value] = job_json(view, job);
  object["jobs"] = std::move(jobs);
  json::object timers;
  for (const auto& [id, timer] : state.timers)
    timers[id.value] = as_json(view, Event(TimerSet{id, timer.purpose, timer.due, timer.state,
                                                    timer.item, timer.event, timer.data}));
  object["timers"] = std::move(timers);
  json::object gates;
  for (const auto& [token, gate] : state.gates) {
    json::object item = as_json(view, Event(GateOpened{token, gate.state, gate.question,
                                                       gate.options, gate.who, gate.inputs}));
    item["opened_at"] = gate.opened_at.value;
    item["opened_time"] = as_json(gate.opened_time);
    gates[token.value] = std::move(item);
  }
  object["gates"] = std::move(gates);
  json::object incidents;
  for (const auto& [id, incident] : state.incidents) {
    json::object item{{"kind", to_string(incident.kind)},
                      {"message", view.text(incident.message)},
                      {"state", view.state(incident.state)},
                      {"time", as_json(incident.time)},
                      {"start_unfinished", incident.start_unfinished}};
    if (incident.job) item["job"] = incident.job->value;
    incidents[id.value] = std::move(item);
  }
  object["incidents"] = std::move(incidents);
  json::array queue;
  for (const QueuedEvent& event : state.queue)
    queue.push_back(json::object{{"event", event.name}, {"data", as_json(view, event.data)}});
  object["queue"] = std::move(queue);
  json::array messages;
  for (const MessageRecord& message : state.messages)
    messages.push_back(json::object{{"id", message.message},
                                    {"message", message.name},
                                    {"data", as_json(view, message.data)},
                                    {"received_at", message.received_at.value},
                                    {"received", as_json(message.received)}});
  object["messages"] = std::move(messages);
  json::object leases;
  for (const auto& [token, lease] : state.leases) {
    json::array units;
    for (const LeasedUnit& unit : lease.units)
      units.push_back(json::object{{"resource", unit.resource}, {"unit", unit.name}});
    leases[token.value] = json::object{{"units", std::move(units)},
                                       {"exclusive", lease.exclusive},
                                       {"granted_at", lease.granted_at.value},
                                       {"boot_id", lease.boot_id}};
  }
  object["leases"] = std::move(leases);
  if (state.paused)
    object["paused"] = json::object{{"since", as_json(state.paused->since)},
                                    {"reason", view.text(state.paused->reason)},
                                    {"by_parent", state.paused->by_parent}};
  json::object verdicts;
  for (const auto& [index, record] : state.verdicts)
    verdicts[view.state(index)] = json::object{{"verdict", to_string(record.verdict)},
                                               {"note", view.text(record.note)},
                                               {"given_at", record.given_at.value},
                                               {"time", as_json(record.time)},
                                               {"actor", as_json(record.actor)}};
  object["verdicts"] = std::move(verdicts);
  json::object results;
  for (const auto& [index, record] : state.results)
    results[view.state(index)] =
        json::object{{"value", as_json(view, record.value)}, {"stands_at", record.stands_at.value}};
  object["results"] = std::move(results);
  object["completed"] = states_json(view, state.completed);
  object["compensated"] = states_json(view, state.compensated);
  if (state.compensating) object["compensating"] = view.state(*state.compensating);
  object["output"] = as_json(view, state.output);
  object["unsatisfied"] = states_json(view, state.unsatisfied);
  json::object answered;
  for (const auto& [id, answer] : state.answered)
    answered[id.value] = json::object{{"sequence", answer.sequence.value},
                                      {"accepted", answer.accepted},
                                      {"reason", view.text(answer.reason)}};
  object["answered"] = std::move(answered);
  return object;
}

std::string state_text(const View& view, const RunState& state, const Style& style) {
  std::string out = style(Tone::bold, state.run.value + " @" + to_string(state.last)) + "  " +
                    std::string(to_string(state.mode)) +
                    (state.finished() ? ", " + std::string(to_string(state.outcome)) : "") +
                    (state.paused     ? ", paused"
                     : state.parked() ? ", parked"
                                      : "") +
                    "  " + time_text(state.updated) + "\n";
  TextWriter writer(style, out);
  if (!state.outcome_reason.empty()) writer.entry("reason", view.text(state.outcome_reason));
  if (!state.chart.configuration.empty()) {
    writer.heading("active");
    for (const StateIndex index : state.chart.configuration) {
      const auto entered = state.entered_at.find(index);
      out += "  " + view.state(index) +
             (entered == state.entered_at.end() ? "" : at(entered->second)) + "\n";
    }
  }
  const auto map = [&](std::string_view name, const cel::Map& values, const auto& where) {
    if (values.empty()) return;
    writer.heading(name);
    for (const auto& [key, value] : values) {
      const std::string id = key.kind() == cel::Kind::string ? key.as_string() : cel::to_cel(key);
      writer.entry(id, view.brief(value, value_width_max) + where(id));
    }
  };
  map("params", view.params(state.params), [](const std::string&) { return std::string(); });
  map("data", state.data, [&](const std::string& name) {
    const auto found = state.assigned_at.find(name);
    return found == state.assigned_at.end() ? std::string() : at(found->second);
  });
  if (!state.verdicts.empty()) writer.heading("verdicts");
  for (const auto& [index, record] : state.verdicts)
    writer.entry(view.state(index), std::string(mark(record.verdict)) + " " +
                                        std::string(to_string(record.verdict)) +
                                        (record.note.empty() ? "" : ", " + view.text(record.note)) +
                                        at(record.given_at));
  if (!state.results.empty()) writer.heading("results");
  for (const auto& [index, record] : state.results)
    writer.entry(view.state(index),
                 view.brief(record.value, value_width_max) + at(record.stands_at));
  if (!state.jobs.empty()) writer.heading("live attempts");
  for (const auto& [token, job] : state.jobs)
    writer.entry(token.value, view.state(job.intent->state) + ", " + job.intent->spec.kind +
                                  ", attempt " + std::to_string(job.intent->attempt) + ", " +
                                  std::string(to_string(job.phase)) +
                                  (job.stale ? ", its result goes nowhere" : ""));
  if (!state.leases.empty()) writer.heading("leases");
  for (const auto& [token, lease] : state.leases)
    for (const LeasedUnit& unit : lease.units)
      writer.entry(token.value, unit.resource + " " + unit.name + at(lease.granted_at));
  if (!state.messages.empty()) writer.heading("waiting messages");
  for (const MessageRecord& message : state.messages)
    writer.entry(message.name, view.brief(message.data, value_width_max) + at(message.received_at));
  if (!state.timers.empty()) writer.heading("timers");
  for (const auto& [id, timer] : state.timers)
    writer.entry(id.value,
                 "due " + time_text(timer.due) + (timer.event.empty() ? "" : ", " + timer.event));
  if (!state.gates.empty()) writer.heading("open gates");
  for (const auto& [token, gate] : state.gates)
    writer.entry(view.state(gate.state), view.text(gate.question) + at(gate.opened_at));
  if (!state.incidents.empty()) writer.heading("open incidents");
  for (const auto& [id, incident] : state.incidents)
    writer.entry(id.value,
                 std::string(to_string(incident.kind)) + ", " + view.text(incident.message));
  if (!state.queue.empty()) writer.heading("queued events");
  for (const QueuedEvent& event : state.queue)
    writer.entry(event.name, view.brief(event.data, value_width_max));
  if (!state.entries.empty()) writer.heading("entries against budgets");
  for (const auto& [index, count] : state.entries)
    writer.entry(view.state(index), std::to_string(count));
  if (!state.completed.empty()) writer.entry("completed", view.states(state.completed));
  if (!state.compensated.empty()) writer.entry("undone", view.states(state.compensated));
  if (!state.unsatisfied.empty()) writer.entry("not satisfied", view.states(state.unsatisfied));
  if (!state.output.is_null()) writer.entry("output", view.brief(state.output, value_width_max));
  return out;
}

}  // namespace checkride::cli
