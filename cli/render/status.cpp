#include "cli/render/status.h"

#include <algorithm>
#include <map>

namespace checkride::cli {

using statechart::StateIndex;

namespace {

std::string outcome_or_activity(Activity activity, RunOutcome outcome) {
  return std::string(activity == Activity::finished ? to_string(outcome) : to_string(activity));
}

Tone tone_of(Activity activity, RunOutcome outcome) {
  switch (activity) {
    case Activity::running: return Tone::accent;
    case Activity::waiting:
    case Activity::interrupted:
    case Activity::cancelling:
    case Activity::rolling_back: return Tone::warn;
    case Activity::finished: return outcome == RunOutcome::succeeded ? Tone::good : Tone::bad;
  }
  return Tone::plain;
}

std::string waits_for(const RunRow& row, Timestamp now) {
  if (row.activity == Activity::finished) return "";
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (row.head->summary.paused) add("paused");
  if (row.counts.incidents > 0) add(counted(row.counts.incidents, "incident"));
  if (row.counts.gates > 0) add(counted(row.counts.gates, "gate"));
  if (row.counts.jobs > 0) add(counted(row.counts.jobs, "job"));
  if (row.counts.next_due && !row.head->summary.paused) {  // a pause stops every clock
    const Duration left = *row.counts.next_due - now;
    if (left < Duration(0))
      add("timer overdue by " + to_human(-left));
    else
      add("timer in " + to_human(left));
  }
  if (row.activity == Activity::interrupted) add("`checkride resume`");
  if (text.empty() && row.activity == Activity::waiting) add("a message");
  return text;
}

const char* phase_words(const JobRecord& job) {
  switch (job.phase) {
    case JobPhase::intended: return "starting";
    case JobPhase::started: return "running";
    case JobPhase::cancelling: return "being cancelled";
    case JobPhase::unknown: return "end unknown";
  }
  return "running";
}

std::string timer_words(const View& view, const TimerRecord& timer) {
  switch (timer.purpose) {
    case TimerPurpose::send: return "event " + timer.event;
    case TimerPurpose::retry: return "retry of " + view.state(timer.state);
    case TimerPurpose::gate_reminder: return "reminder of gate " + view.state(timer.state);
    case TimerPurpose::gate_expiry: return "gate " + view.state(timer.state) + " expires";
    case TimerPurpose::queue_limit: return view.state(timer.state) + " stops waiting";
    case TimerPurpose::message_expiry: return "message " + timer.event + " expires";
  }
  return "timer";
}

// The innermost active states.
std::vector<StateIndex> leaves(const RunTree& run) {
  std::vector<StateIndex> all;
  const auto& active = run.state.chart.configuration;
  for (const StateIndex index : active) {
    const Definition* definition = run.view.definition();
    const bool inner = definition == nullptr || index.value >= definition->states.size() ||
                       std::none_of(active.begin(), active.end(), [&](StateIndex other) {
                         return definition->chart.is_descendant(other, index);
                       });
    if (inner) all.push_back(index);
  }
  return all;
}

void checklist_block(const RunTree& run, const Style& style, std::string& out) {
  for (const ChecklistSection& section : checklist(run)) {
    const bool any = std::any_of(section.lines.begin(), section.lines.end(),
                                 [](const auto& line) { return !line.title.empty(); });
    if (!any) continue;
    if (!section.heading.empty()) out += style(Tone::bold, section.heading) + "\n";
    for (const ChecklistLine& line : section.lines) {
      if (line.title.empty()) continue;
      const bool now = line.active && line.verdict == Verdict::none;
      const std::string shown_mark = now ? "▶" : std::string(mark(line.verdict));
      const std::string indent(2 + 2 * line.depth, ' ');
      const std::string block =
          wrapped(line_text(line), indent + pad(shown_mark, 3) + " ", indent + "    ");
      out += now ? style(Tone::accent, block.substr(0, block.size() - 1)) + "\n"
             : line.verdict == Verdict::none
                 ? style(Tone::dim, block.substr(0, block.size() - 1)) + "\n"
                 : block;
    }
  }
}

void moving_block(const RunTree& run, Timestamp now, const Style& style, const std::string& indent,
                  std::string& out) {
  Table jobs({"", "", "", ""});
  for (const auto& [token, job] : run.state.jobs) {
    if (job.intent->performer == JobSignature::Performer::machine) continue;
    std::string what = job.intent->spec.kind;
    if (job.intent->purpose != JobPurpose::invoke)
      what += " (" + std::string(to_string(job.intent->purpose)) + ")";
    if (job.intent->attempt > 1) what += ", attempt " + std::to_string(job.intent->attempt);
    const std::string phase =
        run.state.awaits_lease(job) ? lease_words(run, job) + "," : std::string(phase_words(job));
    jobs.row({style(Tone::accent, run.view.state(job.intent->state)), what,
              phase + " for " + to_human(now - job.intended_time), style(Tone::dim, token.value)});
  }
  if (!jobs.empty()) out += jobs.text(style, indent);
  for (const auto& [token, lease] : run.state.leases) {
    std::string units;
    for (const LeasedUnit& unit : lease.units)
      units += (units.empty() ? "" : ", ") + unit.resource + " " + unit.name;
    const auto job = run.state.jobs.find(token);
    if (units.empty() || job == run.state.jobs.end()) continue;
    out += indent + run.view.state(job->second.intent->state) + " holds " + units +
           (lease.exclusive ? ", exclusive" : "") + "\n";
  }
  for (const MessageSpec* message : heard_messages(run))
    out += indent + "listens to the message " + message->name +
           (message->title.empty() ? "" : " (" + run.view.text(message->title) + ")") + "\n";
  for (const MessageRecord& message : run.state.messages)
    out += indent + "message " + message.message + " " + message.name + " waits for " +
           to_human(now - message.received) + "\n";
  for (const auto& [id, timer] : run.state.timers) {
    if (run.state.paused) {
      out += indent + timer_words(run.view, timer) + " in " +
             to_human(timer.due - run.state.paused->since) + " of going on\n";
      continue;
    }
    const Duration left = timer.due - now;
    const bool overdue = left < Duration(0);
    out +=
        indent + timer_words(run.view, timer) +
        (overdue ? style(Tone::warn, " overdue by " + to_human(-left)) : " in " + to_human(left)) +
        "\n";
  }
}

void children_block(const RunTree& run, Timestamp now, std::optional<bool> driven,
                    const Style& style, const std::string& indent, std::string& out) {
  for (const RunTree& child : run.children) {
    const Activity activity = activity_of(child, driven);
    const ChecklistCount count = count_lines(checklist(child));
    std::string line = style(Tone::bold, child.label) + "  " +
                       style(tone_of(activity, child.state.outcome),
                             outcome_or_activity(activity, child.state.outcome));
    if (count.lines > 0)
      line += "  " + std::to_string(count.satisfied) + " of " + counted(count.lines, "line");
    std::string at;
    if (!child.state.finished())
      for (const StateIndex leaf : leaves(child))
        at += (at.empty() ? "  in " : ", ") + child.view.state(leaf);
    out += indent + line + at + style(Tone::dim, "  " + child.state.run.value) + "\n";
    if (!child.state.finished()) moving_block(child, now, style, indent + "  ", out);
    children_block(child, now, driven, style, indent + "  ", out);
  }
}

}  // namespace

std::vector<RunRow> run_rows(const std::vector<RunHead>& heads, bool children,
                             const Driven& driven) {
  std::map<RunId, std::vector<const RunHead*>> trees;
  std::map<RunId, std::vector<const RunHead*>> by_parent;
  std::vector<const RunHead*> tops;
  for (const RunHead& head : heads) {
    if (head.summary.definition_name.empty() && head.run.value.starts_with("@")) continue;
    trees[head.summary.parent ? head.summary.root : head.run].push_back(&head);
    if (head.summary.parent)
      by_parent[head.summary.parent->run].push_back(&head);
    else
      tops.push_back(&head);
  }
  std::stable_sort(tops.begin(), tops.end(), [](const RunHead* a, const RunHead* b) {
    return a->summary.started > b->summary.started;
  });
  std::vector<RunRow> rows;
  const std::function<void(const RunHead*, std::optional<bool>)> add_children =
      [&](const RunHead* parent, std::optional<bool> is_driven) {
        for (const RunHead* child : by_parent[parent->run]) {
          RunRow row;
          row.head = child;
          row.counts = count_tree({child});
          row.counts.children = 0;
          row.counts.jobs = child->summary.mode == RunMode::finished ? 0 : child->summary.jobs;
          row.activity = activity_of(*child, row.counts, is_driven);
          rows.push_back(std::move(row));
          add_children(child, is_driven);
        }
      };
  for (const RunHead* top : tops) {
    const std::optional<bool> is_driven = driven ? driven(top->run) : std::nullopt;
    RunRow row;
    row.head = top;
    row.counts = count_tree(trees[top->run]);
    row.activity = activity_of(*top, row.counts, is_driven);
    rows.push_back(std::move(row));
    if (children) add_children(top, is_driven);
  }
  return rows;
}

std::string list_text(const std::vector<RunRow>& rows, Timestamp now, const Style& style) {
  Table table({"RUN", "WORKFLOW", "STATUS", "STARTED", "AGE", "WAITS FOR"});
  for (const RunRow& row : rows) {
    const RunSummary& summary = row.head->summary;
    const Timestamp until = row.activity == Activity::finished ? row.counts.updated : now;
    table.row({(summary.parent ? "  " : "") + row.head->run.value, summary.definition_name,
               style(tone_of(row.activity, summary.outcome),
                     outcome_or_activity(row.activity, summary.outcome)),
               time_text(summary.started), to_human(until - summary.started), waits_for(row, now)});
  }
  return table.text(style);
}

json::object as_json(const RunRow& row) {
  const RunSummary& summary = row.head->summary;
  json::object object{{"run", row.head->run.value},
                      {"workflow", summary.definition_name},
                      {"definition", as_json(summary.definition)},
                      {"activity", to_string(row.activity)},
                      {"mode", to_string(summary.mode)},
                      {"outcome", to_string(summary.outcome)},
                      {"started", as_json(summary.started)},
                      {"updated", as_json(row.counts.updated)},
                      {"gates", row.counts.gates},
                      {"incidents", row.counts.incidents},
                      {"jobs", row.counts.jobs},
                      {"paused", summary.paused},
                      {"children", row.counts.children}};
  if (summary.parent) object["parent"] = summary.parent->run.value;
  if (row.counts.next_due) object["next_due"] = as_json(*row.counts.next_due);
  object["last"] = row.head->last.value;
  object["chain"] = as_json(row.head->chain);
  return object;
}

Activity activity_of(const RunTree& tree, std::optional<bool> driven) {
  TreeCounts counts;
  const std::function<void(const RunTree&)> add = [&](const RunTree& run) {
    if (run.state.finished()) return;
    counts.gates += static_cast<std::uint32_t>(run.state.gates.size());
    counts.incidents += static_cast<std::uint32_t>(run.state.incidents.size());
    for (const auto& [id, timer] : run.state.timers)
      if (!counts.next_due || timer.due < *counts.next_due) counts.next_due = timer.due;
    for (const auto& [token, job] : run.state.jobs)
      if (job.phase != JobPhase::unknown &&
          job.intent->performer != JobSignature::Performer::machine)
        ++counts.jobs;
    for (const RunTree& child : run.children) {
      if (!child.state.finished()) ++counts.children;
      add(child);
    }
  };
  add(tree);
  RunHead top = tree.head;
  top.summary.mode = tree.state.mode;
  top.summary.paused = tree.state.paused.has_value();
  return activity_of(top, counts, driven);
}

std::string status_text(const RunTree& tree, Timestamp now, std::optional<bool> driven,
                        const Style& style) {
  const RunState& state = tree.state;
  const Activity activity = activity_of(tree, driven);
  std::string out =
      style(Tone::bold, state.run.value) + "  " + run_title(tree.view, state) + "  " +
      style(tone_of(activity, state.outcome), outcome_or_activity(activity, state.outcome)) + "\n";
  out += style(Tone::dim,
               "started " + time_text(state.started) + " by " + to_string(state.author) + ", " +
                   (state.finished() ? "took " + to_human(tree.ended - state.started)
                                     : "last event " + to_human(now - state.updated) + " ago") +
                   ", workflow " + state.start.definition_name + ", " +
                   counted(state.last.value, "event")) +
         "\n";
  if (tree.intent != nullptr)
    out += style(Tone::dim, "part of " + tree.intent->spec.run.value) + "\n";
  if (!state.outcome_reason.empty()) out += wrapped(tree.view.text(state.outcome_reason), "", "  ");
  if (state.paused)
    out += style(Tone::warn, "paused by " + to_string(state.paused->actor) + " for " +
                                 to_human(now - state.paused->since) + ": " +
                                 tree.view.text(state.paused->reason) + "; `checkride resume " +
                                 shell_word(state.start.root.value) + "` goes on") +
           "\n";
  if (activity == Activity::interrupted)
    out += style(Tone::warn, "nobody drives it; `checkride resume " +
                                 shell_word(state.start.root.value) + "` carries on") +
           "\n";
  out += "\n";
  const std::size_t before = out.size();
  checklist_block(tree, style, out);
  if (out.size() != before) out += "\n";

  if (!state.finished()) {
    std::string active;
    for (const StateIndex leaf : leaves(tree))
      active += (active.empty() ? "" : "; ") + tree.view.path(leaf);
    if (!active.empty()) out += wrapped(active, "active: ", "        ");
    moving_block(tree, now, style, "  ", out);
    if (!state.queue.empty())
      out += "  " + counted(state.queue.size(), "event") + " queued until " +
             (state.incidents.empty() ? "it goes on" : "the incident ends") + "\n";
  }
  if (!tree.children.empty()) {
    out += style(Tone::bold, "children") + "\n";
    children_block(tree, now, driven, style, "  ", out);
  }
  const std::vector<Question> open = questions(tree);
  for (const Question& question : open) out += "\n" + question_text(question, now, style);
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

json::object status_json(const RunTree& tree, std::optional<bool> driven) {
  const RunState& state = tree.state;
  json::object object{{"run", state.run.value},
                      {"title", run_title(tree.view, state)},
                      {"workflow", state.start.definition_name},
                      {"definition", as_json(state.start.definition)},
                      {"activity", to_string(activity_of(tree, driven))},
                      {"mode", to_string(state.mode)},
                      {"outcome", to_string(state.outcome)},
                      {"outcome_reason", tree.view.text(state.outcome_reason)},
                      {"parked", state.parked()},
                      {"paused", state.paused.has_value()},
                      {"started", as_json(state.started)},
                      {"updated", as_json(state.updated)},
                      {"author", as_json(state.author)},
                      {"last", state.last.value},
                      {"chain", as_json(tree.head.chain)}};
  if (state.finished()) object["ended"] = as_json(tree.ended);
  if (tree.intent != nullptr) {
    object["parent"] = tree.intent->spec.run.value;
    object["parent_state"] = tree.intent->spec.state;
    object["item"] = tree.intent->item;
    object["label"] = tree.label;
  }
  json::array sections;
  for (const ChecklistSection& section : checklist(tree)) {
    json::array lines;
    for (const ChecklistLine& line : section.lines) lines.push_back(as_json(tree.view, line));
    sections.push_back(json::object{{"section", section.heading}, {"lines", std::move(lines)}});
  }
  object["checklist"] = std::move(sections);
  json::array active;
  for (const StateIndex index : state.chart.configuration)
    active.push_back(json::string(tree.view.state(index)));
  object["active"] = std::move(active);
  json::array jobs;
  for (const auto& [token, job] : state.jobs)
    jobs.push_back(json::object{{"token", token.value},
                                {"state", job.intent->spec.state},
                                {"kind", job.intent->spec.kind},
                                {"purpose", to_string(job.intent->purpose)},
                                {"phase", to_string(job.phase)},
                                {"attempt", job.intent->attempt},
                                {"intended", as_json(job.intended_time)}});
  for (std::size_t i = 0; const auto& [token, job] : state.jobs) {
    json::object& item = jobs[i++].as_object();
    if (state.awaits_lease(job)) item["waits"] = lease_words(tree, job);
    const auto lease = state.leases.find(token);
    if (lease == state.leases.end()) continue;
    json::array units;
    for (const LeasedUnit& unit : lease->second.units)
      units.push_back(json::object{{"resource", unit.resource}, {"unit", unit.name}});
    item["holds"] = std::move(units);
  }
  object["jobs"] = std::move(jobs);
  json::array heard;
  for (const MessageSpec* message : heard_messages(tree))
    heard.push_back(json::object{{"message", message->name},
                                 {"data_type", cel::to_string(message->type)},
                                 {"title", tree.view.text(message->title)}});
  object["listens_to"] = std::move(heard);
  json::array waiting;
  for (const MessageRecord& message : state.messages)
    waiting.push_back(json::object{{"id", message.message},
                                   {"message", message.name},
                                   {"data", as_json(tree.view, message.data)},
                                   {"received", as_json(message.received)}});
  object["messages"] = std::move(waiting);
  json::array timers;
  for (const auto& [id, timer] : state.timers)
    timers.push_back(json::object{
        {"timer", id.value}, {"what", timer_words(tree.view, timer)}, {"due", as_json(timer.due)}});
  object["timers"] = std::move(timers);
  if (tree.intent == nullptr) {
    json::array open;
    for (const Question& question : questions(tree)) open.push_back(as_json(question));
    object["questions"] = std::move(open);
  }
  json::array children;
  for (const RunTree& child : tree.children) children.push_back(status_json(child, driven));
  object["children"] = std::move(children);
  return object;
}

}  // namespace checkride::cli
