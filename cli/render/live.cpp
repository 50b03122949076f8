#include "cli/render/live.h"

#include <ostream>

#include "cli/render/text.h"
#include "cli/render/view.h"
#include "engine/decider/decide.h"

namespace checkride::cli {

LiveView::LiveView(const Context& context, RunId root)
    : context_(context), root_(std::move(root)) {}

LiveView::Seen* LiveView::seen(const LogReader& log, const RunId& run) {
  auto& place = runs_[run];
  if (!place) place = std::make_unique<Seen>();
  if (!place->definition) {
    const auto head = log.head(run);
    if (!head || !*head) return place.get();
    if (auto definition = context_.definition(log, (*head)->summary.definition))
      place->definition = *definition;
  }
  return place.get();
}

void LiveView::skip_to_end(const LogReader& log) {
  const auto heads = log.heads();
  if (!heads) return;
  for (const RunHead& head : *heads) {
    if (head.summary.root != root_) continue;
    Seen* known = seen(log, head.run);
    if (auto state = load_state(log, head.run)) known->state = *std::move(state);
  }
}

void LiveView::begin(const LogReader& log) {
  const auto heads = log.heads();
  if (!heads) return;
  for (const RunHead& head : *heads)
    if (head.summary.root == root_) moved(log, head.run);
}

void LiveView::moved(const LogReader& log, const RunId& run) {
  Seen* known = seen(log, run);
  static_cast<void>(log.read(run, known->state.last.next(), [&](const Record& record) {
    if (record.first > known->state.last) {
      evolve(known->state, record);
      show(*known, record);
    }
    return true;
  }));
  context_.out.flush();
}

void LiveView::line(const Seen& seen, Timestamp time, std::string_view mark,
                    const std::string& text) {
  const std::string clock = to_iso8601(time).substr(11, 8);
  if (context_.json) {
    std::string json = "{\"run\": ";
    cel::append_json_string(json, seen.state.run.value);
    json += ", \"sequence\": " + to_string(seen.state.last) + ", \"time\": ";
    cel::append_json_string(json, to_iso8601(time));
    json += ", \"text\": ";
    cel::append_json_string(json, text);
    context_.out << json << "}\n";
    return;
  }
  const Style style(context_.terminal);
  const std::string indent = seen.state.start.parent ? "  " : "";
  context_.out << style(Tone::dim, clock) << "  " << indent << pad(mark, 3) << text << "\n";
}

void LiveView::show(const Seen& known, const Record& record) {
  Mask mask;
  if (known.definition) add_secrets(mask, *known.definition, known.state.params);
  const View view(known.definition, std::move(mask));
  const Style style(context_.terminal);
  const auto titled = [&](statechart::StateIndex index) {
    const StateSpec* spec = view.spec(index);
    return spec != nullptr && !spec->title.empty() ? clean(view.text(spec->title))
                                                   : view.state(index);
  };
  for (const Event& event : record.events) {
    if (const auto* started = std::get_if<RunStarted>(&event)) {
      line(known, record.time, "▶",
           style(Tone::bold, run_title(view, known.state)) + "  (" + record.run.value + ", " +
               started->command.definition_name + ")");
    } else if (const auto* intended = std::get_if<JobIntended>(&event)) {
      if (intended->performer == JobSignature::Performer::machine) continue;
      std::string text = style(Tone::dim, titled(intended->state) + " · " + intended->spec.kind);
      if (intended->attempt > 1) text += " (attempt " + std::to_string(intended->attempt) + ")";
      if (intended->purpose != JobPurpose::invoke)
        text += " (" + std::string(to_string(intended->purpose)) + ")";
      line(known, record.time, "·", text);
    } else if (std::holds_alternative<JobAdopted>(event)) {
      line(known, record.time, "·", "a running job was adopted");
    } else if (const auto* finished = std::get_if<JobFinished>(&event)) {
      const JobOutcome& outcome = finished->command.outcome;
      if (!outcome.completed && !outcome.message.empty() && !finished->command.child_sequence)
        line(known, record.time, "!",
             style(Tone::warn, std::string(to_string(outcome.failure)) + ": " +
                                   shorten(view.text(outcome.message), 160)));
    } else if (const auto* retry = std::get_if<RetryScheduled>(&event)) {
      line(known, record.time, "↻",
           titled(retry->state) + ": attempt " + std::to_string(retry->attempt) + " at " +
               time_text(retry->due));
    } else if (const auto* verdict = std::get_if<VerdictGiven>(&event)) {
      std::string text = titled(verdict->state);
      if (const std::string_view word = mark_word(verdict->verdict); !word.empty())
        text += " (" + std::string(word) + ")";
      if (!verdict->note.empty()) text += ": " + shorten(view.text(verdict->note), 200);
      line(known, record.time, mark(verdict->verdict), text);
    } else if (const auto* gate = std::get_if<GateOpened>(&event)) {
      line(known, record.time, "?", style(Tone::accent, shorten(view.text(gate->question), 200)));
    } else if (const auto* answered = std::get_if<GateAnswered>(&event)) {
      line(known, record.time, "✎",
           to_string(record.actor) + " answered " + answered->command.decision +
               (answered->command.reason.empty() ? ""
                                                 : ": " + clean(view.text(answered->command.reason))));
    } else if (const auto* incident = std::get_if<IncidentRaised>(&event)) {
      line(known, record.time, "‼",
           style(Tone::bad, std::string(to_string(incident->kind)) + ": " +
                                clean(view.text(incident->message))));
    } else if (const auto* rejected = std::get_if<CommandRejected>(&event)) {
      line(known, record.time, "✗", "rejected: " + clean(rejected->reason));
    } else if (const auto* end = std::get_if<RunFinished>(&event)) {
      line(known, record.time, "■",
           style(end->outcome == RunOutcome::succeeded ? Tone::good : Tone::bad,
                 std::string(to_string(end->outcome))) +
               (end->reason.empty() ? "" : ": " + clean(view.text(end->reason))));
    }
  }
}

void LiveView::finish(const LogReader& log) {
  const auto heads = log.heads();
  if (!heads || context_.json) return;
  for (const RunHead& head : *heads) {
    if (head.summary.root != root_ || head.summary.mode == RunMode::finished) continue;
    Seen* known = seen(log, head.run);
    if (known->state.last < head.last) moved(log, head.run);
    Mask mask;
    if (known->definition) add_secrets(mask, *known->definition, known->state.params);
    const View view(known->definition, std::move(mask));
    for (const auto& [token, gate] : known->state.gates) {
      context_.out << "\nWaiting for a person: " << clean(view.text(gate.question)) << "\n";
      for (const auto& [key, value] : gate.inputs) {
        if (key.kind() != cel::Kind::string || key.as_string() == "question") continue;
        if (value.kind() == cel::Kind::string)
          context_.out << wrapped(view.text(value.as_string()), "  ", "  ");
      }
      context_.out << "  checkride answer " << root_.value << " " << view.state(gate.state)
                   << " --approve" << (gate.options.size() > 3 ? "   (or" : "");
      for (std::size_t i = 3; i < gate.options.size(); ++i)
        context_.out << " --choose " << gate.options[i] << (i + 1 < gate.options.size() ? "," : "");
      context_.out << (gate.options.size() > 3 ? ")" : "") << "\n";
    }
    for (const auto& [id, incident] : known->state.incidents)
      context_.out << "\nParked: " << clean(view.text(incident.message)) << "\n  checkride resolve "
                   << head.run.value << " " << id.value << "\n";
  }
  context_.out.flush();
}

}  // namespace checkride::cli
