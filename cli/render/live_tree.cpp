#include "cli/render/live_tree.h"

#include <algorithm>

#include "cli/render/checklist.h"
#include "cli/render/status.h"

namespace checkride::cli {

using statechart::StateIndex;

namespace {

constexpr std::size_t questions_max = 3;
constexpr int brevity_max = 3;

// How much is left out: 0 nothing; 1 what is over or to come in sections that are not active; 2
// also children that succeeded in active ones; 3 also the lines of those that are not active.
using Brevity = int;

bool completed(const RunState& state, StateIndex index) {
  return std::find(state.completed.begin(), state.completed.end(), index) != state.completed.end();
}

// Children have no line of their own in the checklist: the state that invokes them says for them.
std::string section_mark(const RunTree& run, const ChecklistSection& section) {
  bool pending = false;
  bool warned = false;
  bool failed = false;
  for (const ChecklistLine& line : section.lines) {
    if (line.active) return "▶";
    failed = failed || line.verdict == Verdict::failed;
    warned = warned || (line.verdict != Verdict::none && line.verdict != Verdict::passed);
    const bool untitled_machine = line.machine && line.title.empty();
    pending = pending || (untitled_machine ? !completed(run.state, line.state)
                                           : line.required && !line.title.empty() &&
                                                 line.verdict == Verdict::none);
  }
  const Verdict all = failed    ? Verdict::failed
                      : pending ? Verdict::none
                      : warned  ? Verdict::warned
                                : Verdict::passed;
  return std::string(mark(all));
}

std::string run_mark(const RunTree& run) {
  const RunState& state = run.state;
  if (!state.gates.empty()) return "?";
  if (!state.incidents.empty()) return "‼";
  if (!state.finished()) return "▶";
  switch (state.outcome) {
    case RunOutcome::succeeded: return std::string(mark(Verdict::passed));
    case RunOutcome::failed:
    case RunOutcome::incomplete: return std::string(mark(Verdict::failed));
    default: return std::string(mark(Verdict::warned));
  }
}

class Drawing {
 public:
  Drawing(const LiveMoment& moment, const Style& style, Brevity brevity)
      : moment_(moment), style_(style), brevity_(brevity) {}

  void run(const RunTree& tree) {
    const RunState& state = tree.state;
    const Activity activity = activity_of(tree, true);
    const Timestamp until = state.finished() ? state.updated : moment_.now;
    add(style_(Tone::bold, clean(run_title(tree.view, state))) + "  " +
        (state.finished() ? style_(state.outcome == RunOutcome::succeeded ? Tone::good : Tone::bad,
                                   to_string(state.outcome))
                          : style_(activity == Activity::running ? Tone::accent : Tone::warn,
                                   to_string(activity))) +
        style_(Tone::dim, "  " + to_human(until - state.started) + "  " + state.run.value));
    body(tree, "  ");
  }

  void questions_of(const RunTree& tree) {
    const std::vector<Question> open = questions(tree);
    for (std::size_t i = 0; i < open.size() && i < questions_max; ++i) question(open[i]);
    if (open.size() > questions_max)
      add("… " + std::to_string(open.size() - questions_max) +
          " more wait for a person: checkride inbox");
  }

  std::vector<std::string> lines;

 private:
  void add(std::string line) { lines.push_back(std::move(line)); }

  void body(const RunTree& run, const std::string& indent) {
    std::vector<const RunTree*> placed;
    for (const ChecklistSection& section : checklist(run)) {
      const std::string shown_mark = section_mark(run, section);
      const bool active = shown_mark == "▶";
      std::string inner = indent;
      if (!section.heading.empty()) {
        heading(run, section, shown_mark, indent);
        inner += "    ";
      }
      for (const ChecklistLine& line : section.lines) {
        if (wanted(line, active)) checklist_line(line, inner);
        if (line.machine)
          children(run, line.state, active,
                   inner + std::string(line.title.empty() ? 0 : 2 * line.depth + 4, ' '), placed);
      }
    }
    moving(run, indent);
    for (const RunTree& child : run.children)
      if (std::find(placed.begin(), placed.end(), &child) == placed.end())
        this->child(child, indent);
  }

  bool wanted(const ChecklistLine& line, bool in_active_section) const {
    if (line.title.empty()) return false;
    const bool now = line.active && line.verdict == Verdict::none;
    if (brevity_ == 0) return true;
    if (now || line.verdict == Verdict::failed) return true;
    return in_active_section && brevity_ < 3;
  }

  // Lines satisfied, and children that succeeded, of all.
  static ChecklistCount count_of(const RunTree& run, const ChecklistSection& section) {
    ChecklistCount count = count_lines({section});
    for (const ChecklistLine& line : section.lines) {
      if (!line.machine || !line.title.empty()) continue;
      std::size_t all = 0;
      for (const RunTree& child : run.children) {
        if (child.intent == nullptr || child.intent->state != line.state) continue;
        ++all;
        if (child.state.outcome == RunOutcome::succeeded) ++count.satisfied;
      }
      const auto invocation = run.state.invocations.find(line.state);
      if (invocation != run.state.invocations.end())
        all = std::max(all, invocation->second.items.size());
      count.lines += all;
    }
    return count;
  }

  void heading(const RunTree& run, const ChecklistSection& section, const std::string& shown_mark,
               const std::string& indent) {
    const ChecklistCount count = count_of(run, section);
    std::string text = clean(section.heading);
    text = shown_mark == "▶"                   ? style_(Tone::accent, text)
           : shown_mark == mark(Verdict::none) ? style_(Tone::dim, text)
                                               : style_(Tone::bold, text);
    if (count.lines > 0)
      text += style_(Tone::dim,
                     "  " + std::to_string(count.satisfied) + " of " + std::to_string(count.lines));
    add(indent + pad(shown_mark, 3) + " " + text);
  }

  void checklist_line(const ChecklistLine& line, const std::string& indent) {
    const bool now = line.active && line.verdict == Verdict::none;
    const std::string text = clean(line_text(line));
    add(indent + std::string(2 * line.depth, ' ') +
        pad(now ? "▶" : std::string(mark(line.verdict)), 3) + " " +
        (now                             ? style_(Tone::accent, text)
         : line.verdict == Verdict::none ? style_(Tone::dim, text)
                                         : text));
  }

  void children(const RunTree& run, StateIndex state, bool in_active_section,
                const std::string& indent, std::vector<const RunTree*>& placed) {
    std::vector<const RunTree*> mine;
    for (const RunTree& child : run.children)
      if (child.intent != nullptr && child.intent->state == state) mine.push_back(&child);
    placed.insert(placed.end(), mine.begin(), mine.end());
    std::size_t hidden = 0;
    if (brevity_ >= (in_active_section ? 2 : 1))
      for (const RunTree* child : mine)
        if (child->state.finished() && child->state.outcome == RunOutcome::succeeded) ++hidden;
    if (hidden > 0)
      add(indent + pad(mark(Verdict::passed), 3) + " " + std::to_string(hidden) + " succeeded");
    for (const RunTree* one : mine)
      if (hidden == 0 || !one->state.finished() || one->state.outcome != RunOutcome::succeeded)
        child(*one, indent);
    const auto invocation = run.state.invocations.find(state);
    if (invocation == run.state.invocations.end() || !invocation->second.each) return;
    const std::size_t begun = invocation->second.next_item;
    if (const std::size_t all = invocation->second.items.size(); all > begun)
      add(indent + style_(Tone::dim, pad(mark(Verdict::none), 3) + " " +
                                         std::to_string(all - begun) + " to come"));
  }

  void child(const RunTree& run, const std::string& indent) {
    const RunState& state = run.state;
    const Timestamp until = state.finished() ? state.updated : moment_.now;
    std::string text = state.finished() ? run.label : style_(Tone::bold, run.label);
    if (state.finished() && state.outcome != RunOutcome::succeeded)
      text += "  " + style_(Tone::bad, to_string(state.outcome));
    add(indent + pad(run_mark(run), 3) + " " + text +
        style_(Tone::dim, "  " + to_human(until - state.started)));
    if (state.finished()) return;
    const std::string inner = indent + "    ";
    for (const ChecklistSection& section : checklist(run))
      for (const ChecklistLine& line : section.lines)
        if (!line.title.empty() && line.active && line.verdict == Verdict::none)
          checklist_line(line, inner);
    moving(run, inner);
    for (const RunTree& below : run.children) this->child(below, inner);
  }

  void moving(const RunTree& run, const std::string& indent) {
    if (run.state.finished()) return;
    for (const auto& [token, job] : run.state.jobs) {
      if (job.intent->performer != JobSignature::Performer::runner) continue;
      std::string text =
          style_(Tone::accent, run.view.state(job.intent->state)) + "  " + job.intent->spec.kind;
      if (job.intent->purpose != JobPurpose::invoke)
        text += " (" + std::string(to_string(job.intent->purpose)) + ")";
      if (job.intent->attempt > 1) text += ", attempt " + std::to_string(job.intent->attempt);
      if (job.phase == JobPhase::cancelling) text += ", being cancelled";
      if (job.phase == JobPhase::unknown) text += ", end unknown";
      if (run.state.awaits_lease(job)) text += ", " + lease_words(run, job);
      add(indent + "·   " + text + "  " + to_human(moment_.now - job.intended_time));
      if (const auto output = moment_.output.find(token);
          output != moment_.output.end() && !output->second.empty())
        add(indent + "    " + style_(Tone::dim, "│ " + clean(run.view.text(output->second))));
    }
    for (const auto& [id, timer] : run.state.timers)
      if (timer.purpose == TimerPurpose::retry)
        add(indent + "↻   " + run.view.state(timer.state) + "  again in " +
            to_human(std::max(timer.due - moment_.now, Duration(0))));
  }

  void question(const Question& open) {
    const RunTree& run = *open.run;
    const std::string in_child = run.intent == nullptr ? "" : "  in " + run.label;
    std::string said;
    if (open.gate)
      said = style_(Tone::bold, "gate " + run.view.state(run.state.gates.at(open.token).state)) +
             in_child + ": " + clean(run.view.text(run.state.gates.at(open.token).question));
    else if (!open.message.empty())
      said = style_(Tone::bold, "message " + open.message) + in_child + " is waited for";
    else
      said = style_(Tone::bad, "incident " + open.incident.value) + in_child + ": " +
             clean(run.view.text(run.state.incidents.at(open.incident).message));
    add((open.gate ? "?   " : open.message.empty() ? "‼   " : "✉   ") + said);
    if (!open.ways.empty()) add("    " + style_(Tone::accent, open.ways.front().command));
  }

  const LiveMoment& moment_;
  const Style& style_;
  Brevity brevity_;
};

}  // namespace

std::vector<std::string> live_tree(const RunTree& tree, const LiveMoment& moment,
                                   const Style& style) {
  if (moment.last) {
    Drawing whole(moment, style, 0);
    whole.run(tree);
    return std::move(whole.lines);
  }
  // One row stays free for the cursor.
  const std::size_t rows = std::max<std::size_t>(moment.size.rows, 4) - 1;
  Drawing asked(moment, style, 0);
  asked.questions_of(tree);
  const std::size_t asked_rows = std::min(asked.lines.size(), rows - 2);
  const std::size_t room = rows - asked_rows;
  std::vector<std::string> lines;
  for (Brevity brevity = 0; brevity <= brevity_max; ++brevity) {
    Drawing drawing(moment, style, brevity);
    drawing.run(tree);
    lines = std::move(drawing.lines);
    if (lines.size() <= room) break;
  }
  if (lines.size() > room) {
    // The title stays, and the rows around what moves: the last ones.
    const std::size_t kept = room - 2;
    const std::size_t left_out = lines.size() - 1 - kept;
    lines.erase(lines.begin() + 1, lines.begin() + 1 + static_cast<std::ptrdiff_t>(left_out));
    lines.insert(lines.begin() + 1,
                 style(Tone::dim, "  … " + counted(left_out, "line") + " not shown"));
  }
  lines.insert(lines.end(), asked.lines.begin(),
               asked.lines.begin() + static_cast<std::ptrdiff_t>(asked_rows));
  return lines;
}

}  // namespace checkride::cli
