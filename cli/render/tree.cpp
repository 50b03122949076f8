#include "cli/render/tree.h"

#include <algorithm>
#include <map>

#include "cli/render/conflict.h"

namespace checkride::cli {

namespace {

using statechart::StateIndex;
using statechart::TransitionIndex;

constexpr std::size_t label_width_max = 48;

using Way = Question::Way;

std::string why_option() {
  return " --why \"...\"";
}

// The transitions of the gate's own state that an answer may take, the one named for it first.
std::vector<TransitionIndex> taken_by(const Definition& definition, StateIndex gate,
                                      const std::string& option) {
  const statechart::StateNode& node = definition.chart.state(gate);
  const std::string event = "answer." + option + "." + node.id;
  std::vector<TransitionIndex> taken;
  for (const TransitionIndex index : node.transitions) {
    const auto& events = definition.chart.transition(index).events;
    if (std::any_of(events.begin(), events.end(),
                    [&](const auto& wanted) { return statechart::matches(wanted, event); }))
      taken.push_back(index);
    if (!taken.empty() && !definition.chart.transition(taken.back()).cond) break;
  }
  return taken;
}

// What an answer does, as far as its definition says so: a gate that treats a waiver as a refusal
// must not promise one.
std::string option_effect(const RunTree& run, StateIndex gate, const std::string& option) {
  if (option == "approve") return "go on";
  if (option == "reject") return "say no; recorded as failed";
  if (option != "waive") return "";
  const Definition* definition = run.view.definition();
  if (definition != nullptr &&
      taken_by(*definition, gate, option) == taken_by(*definition, gate, "reject"))
    return "the same as reject here: nothing is accepted";
  return "accept it as it is; recorded as waived";
}

void gate_question(const RunTree& run, const RunId& root, const Token& token,
                   const GateRecord& gate, std::vector<Question>& all) {
  Question question;
  question.run = &run;
  question.root = root;
  question.gate = true;
  question.token = token;
  question.name = run.view.state(gate.state);
  question.since = gate.opened_time;
  all.push_back(std::move(question));
}

void add_gate_ways(Question& question) {
  const GateRecord& gate = question.run->state.gates.at(question.token);
  for (const std::string& option : gate.options) {
    const bool named = option == "approve" || option == "reject" || option == "waive";
    Way way;
    way.command = "checkride answer " + shell_word(question.root.value) + " " +
                  shell_word(question.name) + " " +
                  (named ? "--" + option : "--choose " + shell_word(option));
    if (option != "approve") way.command += why_option();
    way.effect = option_effect(*question.run, gate.state, option);
    question.ways.push_back(std::move(way));
  }
}

void add_incident_ways(Question& question) {
  const RunTree& run = *question.run;
  const IncidentRecord& incident = run.state.incidents.at(question.incident);
  const std::string start =
      "checkride resolve " + shell_word(run.state.run.value) + " " + question.incident.value;
  const auto way = [&](const std::string& options, std::string effect) {
    question.ways.push_back({start + " " + options + why_option(), std::move(effect)});
  };
  const bool about_job =
      incident.kind == IncidentKind::job_lost || incident.kind == IncidentKind::job_unknown;
  if (about_job) {
    const std::string job = incident.job ? incident.job->value : "JOB";
    way("--retry", "start a new attempt; what the old one did may happen twice");
    if (incident.kind == IncidentKind::job_unknown)
      way("--started " + job, "it still runs: go on watching it");
    way("--finished " + job + " --result FILE", "it ended: FILE is its outcome as JSON");
    way("--lost " + job, "it is gone: the state sees error, class lost");
  } else {
    switch (incident.kind) {
      case IncidentKind::budget_exhausted: way("--retry", "allow one more entry"); break;
      case IncidentKind::undo_failed: way("--retry", "undo it again"); break;
      case IncidentKind::stuck: way("--retry", "look again whether anything can move"); break;
      case IncidentKind::kind_missing: way("--retry", "try again with this program"); break;
      default: way("--retry", "decide the same input again"); break;
    }
  }
  if (run.state.mode == RunMode::running)
    way("--goto STATE", "leave every active state and enter STATE");
  if (incident.kind == IncidentKind::undo_failed)
    way("--give-up", "go on rolling back without it; a person takes care of it");
  else if (about_job)
    way("--give-up", "the state sees error, class lost");
  else
    way("--give-up", "end the run as cancelled");
}

constexpr std::size_t evidence_width_max = 600;
constexpr std::size_t evidence_lines_max = 20;

// Texts keep their lines and lists get one line an element, both up to a bound.
std::string evidence_text(const View& view, const std::string& name, const cel::Value& value) {
  std::vector<std::string> lines;
  const auto add = [&](const cel::Value& part) {
    if (part.kind() != cel::Kind::string) {
      lines.push_back(view.brief(part, evidence_width_max));
      return;
    }
    const std::string text = view.text(part.as_string());
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t end = std::min(text.find('\n', from), text.size());
      lines.push_back(shorten(text.substr(from, end - from), evidence_width_max));
      from = end + 1;
    }
  };
  if (value.kind() == cel::Kind::list)
    for (const cel::Value& part : value.as_list()) add(part);
  else
    add(value);
  if (lines.empty()) return "  " + name + ": none\n";
  if (lines.size() == 1) return wrapped(lines[0], "  " + name + ": ", "    ");
  std::string out = "  " + name + ":\n";
  for (std::size_t i = 0; i < lines.size() && i < evidence_lines_max; ++i)
    out += wrapped(lines[i], "    ", "      ");
  if (lines.size() > evidence_lines_max)
    out += "    … " + counted(lines.size() - evidence_lines_max, "more line") + "\n";
  return out;
}

// Files in conflict with their hunks; a map that holds some is shown field by field, they last.
std::string input_text(const View& view, const std::string& name, const cel::Value& value,
                       const Style& style) {
  if (is_conflicts(value)) return conflict_text(view, value, "  ", style);
  cel::Map only;
  only.set(name, value);
  const cel::Value* conflicts = find_conflicts(only);
  if (conflicts == nullptr) return evidence_text(view, name, value);
  std::string out;
  for (const auto& [key, field] : value.as_map())
    if (key.kind() == cel::Kind::string && !is_conflicts(field))
      out += evidence_text(view, key.as_string(), field);
  return out + conflict_text(view, *conflicts, "  ", style);
}

// A run that only a message can move on.
bool waits_for_message(const RunState& state) {
  return state.mode == RunMode::running && !state.parked() && state.jobs.empty() &&
         state.gates.empty() &&
         std::none_of(state.timers.begin(), state.timers.end(),
                      [](const auto& timer) { return moves_run(timer.second.purpose); });
}

void message_questions(const RunTree& run, const RunId& root, std::vector<Question>& messages) {
  if (!waits_for_message(run.state)) return;
  for (const MessageSpec* message : heard_messages(run)) {
    Question question;
    question.run = &run;
    question.root = root;
    question.message = question.name = message->name;
    question.since = run.state.updated;
    const bool data = message->type.kind() != cel::Type::Kind::null;
    question.ways.push_back(Way{"checkride signal " + shell_word(run.state.run.value) + " " +
                                    message->name + (data ? " --data JSON" : "") + why_option(),
                                data ? "JSON: " + cel::to_string(message->type) : ""});
    messages.push_back(std::move(question));
  }
}

void collect(const RunTree& run, const RunId& root, std::vector<Question>& gates,
             std::vector<Question>& incidents, std::vector<Question>& messages) {
  message_questions(run, root, messages);
  for (const auto& [token, gate] : run.state.gates) gate_question(run, root, token, gate, gates);
  for (const auto& [id, incident] : run.state.incidents) {
    Question question;
    question.run = &run;
    question.root = root;
    question.incident = id;
    question.name = id.value;
    question.since = incident.time;
    incidents.push_back(std::move(question));
  }
  for (const RunTree& child : run.children) collect(child, root, gates, incidents, messages);
}

}  // namespace

std::vector<const MessageSpec*> heard_messages(const RunTree& run) {
  std::vector<const MessageSpec*> heard;
  const Definition* definition = run.view.definition();
  if (definition == nullptr || run.state.finished()) return heard;
  std::vector<statechart::StateIndex> active = run.state.chart.configuration;
  active.push_back(statechart::root_state);
  const auto listens = [&](statechart::StateIndex index, const std::string& event) {
    if (index.value >= definition->states.size()) return false;
    for (const auto t : definition->chart.state(index).transitions)
      for (const std::string& descriptor : definition->chart.transition(t).events)
        if (statechart::matches(descriptor, event)) return true;
    return false;
  };
  for (const MessageSpec& message : definition->messages) {
    const std::string event = std::string(message_prefix) + message.name;
    if (std::any_of(active.begin(), active.end(),
                    [&](const auto index) { return listens(index, event); }))
      heard.push_back(&message);
  }
  return heard;
}

std::string lease_words(const RunTree& run, const JobRecord& job) {
  const ResourceNeeds& needs = job.intent->spec.needs;
  std::string text;
  for (const auto& [resource, units] : needs.units)
    text += (text.empty() ? "waits for " : " and ") +
            (units > 1 ? std::to_string(units) + " " : "") + resource;
  if (text.empty()) return "waits for its turn";
  std::string held;
  if (run.holders)
    for (const LeaseHolder& holder : *run.holders)
      if (std::any_of(holder.units.begin(), holder.units.end(),
                      [&](const LeasedUnit& unit) { return needs.units.contains(unit.resource); }))
        held += (held.empty() ? ", held by " : " and ") + holder.run.value + " " + holder.state +
                (holder.end_unknown ? " (whose end is unknown)" : "");
  return text + held;
}

std::string child_label(const View& parent, const JobIntended& intent, const RunState& child) {
  const StateSpec* spec = parent.spec(intent.state);
  if (spec == nullptr || !spec->invoke || !spec->invoke->each || spec->invoke->as.empty())
    return child.start.definition_name;
  const cel::Value* item = intent.spec.inputs.find(spec->invoke->as);
  if (item == nullptr) return child.start.definition_name;
  for (const char* name : {"name", "id", "title"})
    if (const cel::Value* field = item->field(name);
        field != nullptr && field->kind() == cel::Kind::string)
      return shorten(parent.text(field->as_string()), label_width_max);
  if (item->kind() == cel::Kind::string)
    return shorten(parent.text(item->as_string()), label_width_max);
  return parent.brief(*item, label_width_max);
}

std::string_view to_string(Activity activity) {
  switch (activity) {
    case Activity::running: return "running";
    case Activity::waiting: return "waiting";
    case Activity::interrupted: return "interrupted";
    case Activity::cancelling: return "cancelling";
    case Activity::rolling_back: return "rolling-back";
    case Activity::finished: return "finished";
  }
  return "running";
}

TreeCounts count_tree(const std::vector<const RunHead*>& of_one_root) {
  TreeCounts counts;
  std::uint32_t jobs = 0;
  for (const RunHead* head : of_one_root) {
    const RunSummary& summary = head->summary;
    counts.updated = std::max(counts.updated, summary.updated);
    if (summary.mode == RunMode::finished) continue;
    jobs += summary.jobs;
    counts.gates += summary.gates;
    counts.incidents += summary.incidents;
    if (summary.parent) ++counts.children;
    if (summary.next_due && (!counts.next_due || *summary.next_due < *counts.next_due))
      counts.next_due = summary.next_due;
  }
  // Each live child is a live attempt of its parent.
  counts.jobs = jobs > counts.children ? jobs - counts.children : 0;
  return counts;
}

Activity activity_of(const RunHead& top, const TreeCounts& counts, std::optional<bool> driven) {
  if (top.summary.mode == RunMode::finished) return Activity::finished;
  const bool asks = counts.gates + counts.incidents > 0;
  // Without a job, a child, a timer, a gate or an incident it can only wait for a message.
  const bool hears = top.summary.mode == RunMode::running && !asks && counts.jobs == 0 &&
                     counts.children == 0 && !counts.next_due;
  if (hears || (top.summary.paused && counts.jobs == 0)) return Activity::waiting;
  // An incident parks its run whatever still runs; a gate waits beside running jobs.
  if (asks && (counts.jobs == 0 || counts.incidents > 0)) return Activity::waiting;
  if (driven.has_value() && !*driven) return Activity::interrupted;
  if (top.summary.mode == RunMode::cancelling) return Activity::cancelling;
  if (top.summary.mode == RunMode::rolling_back) return Activity::rolling_back;
  return Activity::running;
}

std::vector<Question> questions(const RunTree& tree) {
  const RunId root = tree.state.start.root.empty() ? tree.state.run : tree.state.start.root;
  std::vector<Question> gates;
  std::vector<Question> incidents;
  std::vector<Question> messages;
  collect(tree, root, gates, incidents, messages);
  const auto older = [](const Question& a, const Question& b) { return a.since < b.since; };
  std::stable_sort(gates.begin(), gates.end(), older);
  std::stable_sort(incidents.begin(), incidents.end(), older);
  std::map<std::string, std::size_t> named;
  for (const Question& gate : gates) ++named[gate.name];
  for (Question& gate : gates) {
    if (named[gate.name] > 1) gate.name = gate.token.value;
    add_gate_ways(gate);
  }
  for (Question& incident : incidents) add_incident_ways(incident);
  gates.insert(gates.end(), std::make_move_iterator(incidents.begin()),
               std::make_move_iterator(incidents.end()));
  gates.insert(gates.end(), std::make_move_iterator(messages.begin()),
               std::make_move_iterator(messages.end()));
  return gates;
}

namespace {

// The clock that answers a gate when nobody does, or null.
const TimerRecord* expiry_of(const RunTree& run, const Token& gate) {
  for (const auto& [id, timer] : run.state.timers)
    if (timer.purpose == TimerPurpose::gate_expiry && timer.event == gate.value &&
        run.view.spec(timer.state) != nullptr)
      return &timer;
  return nullptr;
}

}  // namespace

std::string question_text(const Question& question, Timestamp now, const Style& style) {
  const RunTree& run = *question.run;
  std::string out;
  const std::string in_child = run.intent == nullptr
                                   ? std::string()
                                   : "  in " + run.label + " (" + run.state.run.value + ")";
  const std::string age = "  open for " + to_human(now - question.since);
  if (question.gate) {
    const GateRecord& gate = run.state.gates.at(question.token);
    const StateSpec* spec = run.view.spec(gate.state);
    out += style(Tone::bold, "gate " + run.view.state(gate.state)) + in_child +
           style(Tone::dim, age) + "\n";
    if (spec != nullptr && spec->reports())
      out += wrapped(filled(run.view, run.state, spec->title), "  ", "  ");
    if (!gate.question.empty()) out += wrapped(run.view.text(gate.question), "  ", "  ");
    for (const auto& [key, value] : gate.inputs) {
      const std::string name = key.kind() == cel::Kind::string ? key.as_string() : "";
      if (name != "question") out += input_text(run.view, name, value, style);
    }
    if (!gate.who.empty()) {
      std::string who;
      for (const std::string& name : gate.who) who += (who.empty() ? "" : ", ") + name;
      out += "  for " + who + "\n";
    }
    if (const TimerRecord* expiry = expiry_of(run, question.token)) {
      const Duration left = expiry->due - (run.state.paused ? run.state.paused->since : now);
      const std::string answer = run.view.spec(gate.state)->invoke->gate.expiry_answer;
      out += left > Duration(0)
                 ? "  " + answer + " is taken in " + to_human(left) + " when nobody answers\n"
                 : style(Tone::warn, "  its time was over " + to_human(-left) +
                                         " ago: the next to open the store finds " + answer +
                                         " taken") +
                       "\n";
    }
  } else if (!question.message.empty()) {
    const MessageSpec* spec = run.view.definition()->message(question.message);
    out += style(Tone::bold, "message " + question.message) + in_child +
           style(Tone::dim, "  waited for since " + to_human(now - question.since)) + "\n";
    if (spec != nullptr && !spec->title.empty())
      out += wrapped(run.view.text(spec->title), "  ", "  ");
  } else {
    const IncidentRecord& incident = run.state.incidents.at(question.incident);
    std::string where = run.view.state(incident.state);
    out += style(Tone::bad, "incident " + question.incident.value) + "  " +
           std::string(to_string(incident.kind)) +
           (incident.state == statechart::root_state ? "" : " in state " + where) + in_child +
           style(Tone::dim, age) + "\n";
    out += wrapped(run.view.text(incident.message), "  ", "  ");
    if (incident.job)
      out += "  its output: checkride logs " + shell_word(run.state.run.value) + " " +
             shell_word(where) + "\n";
  }
  Table table({"", ""});
  for (const Way& way : question.ways)
    table.row({style(Tone::accent, way.command), way.effect.empty() ? "" : "# " + way.effect});
  return out + table.text(style, "    ");
}

json::object as_json(const Question& question) {
  const RunTree& run = *question.run;
  json::object object{{"type", question.gate              ? "gate"
                               : question.message.empty() ? "incident"
                                                          : "message"},
                      {"root", question.root.value},
                      {"run", run.state.run.value},
                      {"name", question.name}};
  if (question.gate) {
    const GateRecord& gate = run.state.gates.at(question.token);
    object["gate"] = question.token.value;
    object["state"] = run.view.state(gate.state);
    object["opened_at"] = gate.opened_at.value;
    object["question"] = run.view.text(gate.question);
    object["options"] = as_json(gate.options);
    object["who"] = as_json(gate.who);
    object["inputs"] = as_json(run.view, cel::Value(gate.inputs));
    if (const TimerRecord* expiry = expiry_of(run, question.token)) {
      object["expires"] = as_json(expiry->due);
      object["expiry_answer"] = run.view.spec(gate.state)->invoke->gate.expiry_answer;
    }
  } else if (!question.message.empty()) {
    const MessageSpec* spec = run.view.definition()->message(question.message);
    object["message"] = question.message;
    if (spec != nullptr) object["data_type"] = cel::to_string(spec->type);
  } else {
    const IncidentRecord& incident = run.state.incidents.at(question.incident);
    object["incident"] = question.incident.value;
    object["kind"] = to_string(incident.kind);
    object["state"] = run.view.state(incident.state);
    object["message"] = run.view.text(incident.message);
    if (incident.job) object["job"] = incident.job->value;
  }
  object["since"] = as_json(question.since);
  json::array ways;
  for (const Way& way : question.ways)
    ways.push_back(json::object{{"command", way.command}, {"effect", way.effect}});
  object["ways"] = std::move(ways);
  return object;
}

}  // namespace checkride::cli
