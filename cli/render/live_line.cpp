#include "cli/render/live_line.h"

namespace checkride::cli {

namespace {

class Lines {
 public:
  Lines(const View& view, const RunState& state, const Record& record, const Style& style)
      : view_(view), state_(state), record_(record), style_(style) {}

  // Events that nobody waits for have no line.
  template <class Other>
  void operator()(const Other&) {}

  void operator()(const RunStarted& started) {
    quiet("▶", style_(Tone::bold, run_title(view_, state_)) + "  (" + record_.run.value + ", " +
                   started.command.definition_name + ")");
  }
  void operator()(const JobIntended& intended) {
    if (intended.performer == JobSignature::Performer::machine) return;
    std::string text = style_(Tone::dim, titled(intended.state) + " · " + intended.spec.kind);
    if (intended.attempt > 1) text += " (attempt " + std::to_string(intended.attempt) + ")";
    if (intended.purpose != JobPurpose::invoke)
      text += " (" + std::string(to_string(intended.purpose)) + ")";
    quiet("·", text);
  }
  void operator()(const JobAdopted&) { line("·", "a running job was adopted"); }
  void operator()(const JobFinished& finished) {
    const JobOutcome& outcome = finished.command.outcome;
    if (outcome.completed || outcome.message.empty() || finished.command.child_sequence) return;
    line("!", style_(Tone::warn, std::string(to_string(outcome.failure)) + ": " +
                                     shorten(view_.text(outcome.message), 160)));
  }
  void operator()(const CompensationFinished& undone) {  // one that failed raises an incident
    if (undone.ok && !undone.message.empty())
      line("!", style_(Tone::warn, titled(undone.state) + ": " +
                                       shorten(view_.text(undone.message), 160)));
  }
  void operator()(const RetryScheduled& retry) {
    line("↻", titled(retry.state) + ": attempt " + std::to_string(retry.attempt) + " at " +
                  time_text(retry.due));
  }
  void operator()(const VerdictGiven& verdict) {
    std::string text = titled(verdict.state);
    if (const std::string_view word = mark_word(verdict.verdict); !word.empty())
      text += " (" + std::string(word) + ")";
    if (!verdict.note.empty()) text += ": " + shorten(view_.text(verdict.note), 200);
    const bool in_tree = !state_.start.parent;
    add(std::string(mark(verdict.verdict)), std::move(text), in_tree);
  }
  void operator()(const GateOpened& gate) {
    quiet("?", style_(Tone::accent, shorten(view_.text(gate.question), 200)));
  }
  void operator()(const GateAnswered& answered) {
    const std::string& reason = answered.command.reason;
    line("✎", to_string(record_.actor) + " answered " + answered.command.decision +
                  (reason.empty() ? "" : ": " + clean(view_.text(reason))));
  }
  void operator()(const MessageReceived& message) {
    const std::string& reason = message.command.reason;
    line("✉", to_string(record_.actor) + " says " + message.command.name +
                  (reason.empty() ? "" : ": " + clean(view_.text(reason))));
  }
  void operator()(const LeaseGranted& granted) {
    std::string units;
    for (const LeasedUnit& unit : granted.command.units)
      units += (units.empty() ? "" : ", ") + unit.resource + " " + unit.name;
    if (!units.empty()) quiet("·", style_(Tone::dim, "has " + units));
  }
  void operator()(const RunPaused& paused) {
    line("‖", "paused: " + clean(view_.text(paused.command.reason)));
  }
  void operator()(const RunResumed&) { line("▶", "goes on"); }
  void operator()(const IncidentRaised& incident) {
    quiet("‼", style_(Tone::bad, std::string(to_string(incident.kind)) + ": " +
                                     clean(view_.text(incident.message))));
  }
  void operator()(const CommandRejected& rejected) {
    line("✗", "rejected: " + clean(rejected.reason));
  }
  void operator()(const RunFinished& end) {
    quiet("■", style_(end.outcome == RunOutcome::succeeded ? Tone::good : Tone::bad,
                      std::string(to_string(end.outcome))) +
                   (end.reason.empty() ? "" : ": " + clean(view_.text(end.reason))));
  }

  std::vector<LiveLine> all;

 private:
  void add(std::string mark, std::string text, bool in_tree) {
    LiveLine made;
    made.mark = std::move(mark);
    made.text = std::move(text);
    made.quiet = in_tree;
    all.push_back(std::move(made));
  }
  void line(const char* mark, std::string text) { add(mark, std::move(text), false); }
  void quiet(const char* mark, std::string text) { add(mark, std::move(text), true); }
  std::string titled(statechart::StateIndex index) const {
    const StateSpec* spec = view_.spec(index);
    return spec != nullptr && !spec->title.empty() ? clean(filled(view_, state_, spec->title))
                                                   : view_.state(index);
  }

  const View& view_;
  const RunState& state_;
  const Record& record_;
  const Style& style_;
};

template <class E>
void add_facts(const View& view, const E& event, LiveLine& line) {
  if constexpr (requires { event.state.value; })
    line.state = view.state(statechart::StateIndex(event.state));
  if constexpr (std::is_same_v<E, VerdictGiven>) line.verdict = to_string(event.verdict);
  if constexpr (std::is_same_v<E, RunFinished>) line.outcome = to_string(event.outcome);
}

}  // namespace

std::vector<LiveLine> live_lines(const View& view, const RunState& state, const Record& record,
                                 const Style& style) {
  Lines lines(view, state, record, style);
  for (const Event& event : record.events) {
    std::size_t made = lines.all.size();
    std::visit(lines, event);
    for (; made < lines.all.size(); ++made) {
      LiveLine& line = lines.all[made];
      line.type = event_name(event);
      std::visit([&](const auto& e) { add_facts(view, e, line); }, event);
    }
  }
  return std::move(lines.all);
}

json::object as_json(const Record& record, const LiveLine& line) {
  json::object object{{"run", record.run.value},
                      {"sequence", record.last().value},
                      {"time", as_json(record.time)},
                      {"type", line.type}};
  if (!line.state.empty()) object["state"] = line.state;
  if (!line.verdict.empty()) object["verdict"] = line.verdict;
  if (!line.outcome.empty()) object["outcome"] = line.outcome;
  object["text"] = line.text;
  return object;
}

}  // namespace checkride::cli
