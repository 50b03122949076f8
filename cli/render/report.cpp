#include "cli/render/report.h"

#include <algorithm>
#include <cctype>

#include "cli/render/event_line.h"

namespace checkride::cli {

using statechart::StateIndex;

namespace {

std::string at(Sequence sequence) {
  return "@" + to_string(sequence);
}
std::string short_digest(const Digest& digest) {
  return to_hex(digest).substr(0, 12);
}
std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : clean(text)) safe += c == '|' ? std::string("\\|") : std::string(1, c);
  return safe;
}

std::string child_title(const RunTree& child) {
  return child.label.empty() ? child.state.run.value : child.label;
}

class MarkdownReport {
 public:
  MarkdownReport(const RunTree& tree, const TreeEvidence& evidence)
      : tree_(tree), evidence_(evidence) {}

  std::string text() {
    head();
    checklist_of(tree_, "## ", "");
    incidents();
    unsatisfied();
    figures();
    foot();
    return std::move(out_);
  }

 private:
  void head() {
    const RunState& state = tree_.state;
    out_ += "# " + clean(run_title(tree_.view, state)) + "\n\n";
    out_ += "- Run: " + code(state.run.value) + ", workflow " + code(state.start.definition_name) +
            ", definition " + code(short_digest(state.start.definition)) + "\n";
    out_ += "- Started: " + time_text(state.started) + " by " + to_string(state.author) + "\n";
    if (state.finished())
      out_ += "- Ended: " + time_text(tree_.ended) + ", after " +
              to_human(tree_.ended - state.started) + "\n";
    else
      out_ += "- Last event: " + time_text(state.updated) + "\n";
    out_ += "- Verdict: **" + verdict_line(tree_) + "**\n";
    for (const auto& [name, value] : state.start.facts)
      out_ += "- " + clean(name) + ": " + clean(tree_.view.text(value)) + "\n";
    const cel::Map params = tree_.view.params(
        tree_.view.definition() == nullptr
            ? state.params
            : tree_.view.definition()->complete_params(state.params).value_or(state.params));
    if (params.empty()) return;
    out_ += "\n| Parameter | Value |\n| --- | --- |\n";
    for (const auto& [key, value] : params)
      out_ +=
          "| " + cell(key.kind() == cel::Kind::string ? key.as_string() : cel::to_cel(key)) +
          " | " +
          cell(shorten(value.kind() == cel::Kind::string ? value.as_string() : cel::to_cel(value),
                       param_width_max)) +
          " |\n";
  }

  const RunEvidence& evidence_of(const RunTree& run) const {
    static const RunEvidence none;
    const auto found = evidence_.find(run.state.run);
    return found == evidence_.end() ? none : found->second;
  }

  void checklist_of(const RunTree& run, const std::string& heading, const std::string& indent) {
    for (const ChecklistSection& section : checklist(run)) {
      std::string body;
      std::swap(body, out_);
      for (const ChecklistLine& line : section.lines) checklist_line(run, line, indent);
      std::swap(body, out_);
      if (body.empty()) continue;
      if (!heading.empty()) {
        if (!out_.ends_with("\n\n")) out_ += "\n";
        out_ += heading + (section.heading.empty() ? "Checklist" : section.heading) + "\n\n";
      } else if (!section.heading.empty()) {
        out_ += indent + "- **" + section.heading + "**\n";
      }
      out_ += body;
    }
  }

  void checklist_line(const RunTree& run, const ChecklistLine& line, const std::string& indent) {
    const RunEvidence& evidence = evidence_of(run);
    const auto answers = evidence.answers.find(line.state);
    const bool asked = answers != evidence.answers.end();
    const std::string lead = indent + std::string(2 * line.depth, ' ');
    if (!line.title.empty()) {
      std::string text = clean(line.title);
      std::string rest(mark_word(line.verdict));
      if (!line.note.empty()) rest += (rest.empty() ? "" : ": ") + clean(line.note);
      if (line.verdict == Verdict::none)
        rest = line.active     ? "in progress"
               : line.required ? "not reached"
                               : "optional, not reached";
      if (!rest.empty()) text += " — " + rest;
      out_ += lead + "- " + std::string(mark(line.verdict)) + " " + text + "\n";
      evidence_line(run, line, lead + "  ");
    }
    if (asked) answer_lines(run, line, answers->second, line.title.empty() ? lead : lead + "  ");
    if (line.machine) children_of(run, line, lead + (line.title.empty() ? "" : "  "));
  }

  void evidence_line(const RunTree& run, const ChecklistLine& line, const std::string& lead) {
    std::string text;
    const RunEvidence& evidence = evidence_of(run);
    if (const auto attempts = evidence.attempts.find(line.state);
        attempts != evidence.attempts.end())
      for (const AttemptEvidence& attempt : attempts->second) {
        text += (text.empty() ? "" : "; ") + code(attempt.kind);
        if (attempt.purpose != JobPurpose::invoke)
          text += " (" + std::string(to_string(attempt.purpose)) + ")";
        if (attempt.attempt > 1) text += " attempt " + std::to_string(attempt.attempt);
        text += " " + at(attempt.intended_at);
        if (!attempt.outcome) {
          text += ", not ended";
          continue;
        }
        text += "–" + at(attempt.ended_at) + " " + clean(outcome_words(run.view, *attempt.outcome));
        if (attempt.stale) text += " (result not taken)";
        for (const Artifact& artifact : attempt.outcome->artifacts)
          if (artifact.bytes > 0)
            text += ", " + artifact.name + " " + code(short_digest(artifact.digest)) + " (" +
                    bytes_text(artifact.bytes) + ")";
      }
    if (line.given_at.value != 0)
      text += (text.empty() ? "verdict " : "; verdict ") + at(line.given_at);
    if (!text.empty()) out_ += lead + "- evidence: " + text + "\n";
  }

  void answer_lines(const RunTree& run, const ChecklistLine& line,
                    const std::vector<AnswerEvidence>& answers, const std::string& lead) {
    for (const AnswerEvidence& answer : answers) {
      std::string question = clean(run.view.text(answer.question));
      if (question.empty()) question = "gate " + code(run.view.state(line.state));
      out_ += lead + "- asked (" + at(answer.opened_at) + "): " + question + "\n";
      if (answer.answered_at.value == 0) {
        out_ +=
            lead + "  - " + (answer.decision.empty() ? "not answered yet" : answer.decision) + "\n";
        continue;
      }
      out_ += lead + "  - **" + answer.decision + "** by " + to_string(answer.actor) + ", " +
              time_text(answer.time) + " (" + at(answer.answered_at) + ")" +
              (answer.reason.empty() ? "" : ": " + clean(run.view.text(answer.reason))) + "\n";
    }
  }

  // One row per item in the order of `each`, with the newest child of each; items that were not
  // reached have a row too.
  void children_of(const RunTree& run, const ChecklistLine& line, const std::string& lead) {
    std::vector<const RunTree*> mine;
    for (const RunTree& child : run.children)
      if (child.intent != nullptr && child.intent->state == line.state) mine.push_back(&child);
    const StateSpec* spec = run.view.spec(line.state);
    const bool each = spec != nullptr && spec->invoke && spec->invoke->each.has_value();
    if (!each) {
      for (const RunTree* child : mine) checklist_of(*child, "", lead);
      return;
    }
    const auto known = evidence_of(run).items.find(line.state);
    if (known == evidence_of(run).items.end()) return;
    std::string column = spec->invoke->as.empty() ? "item" : spec->invoke->as;
    column[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(column[0])));
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += "\n";
    out_ += lead + "| " + column + " | Status | Notes |\n" + lead + "| --- | --- | --- |\n";
    for (std::size_t item = 0; item < known->second.size(); ++item) {
      const RunTree* newest = nullptr;
      for (const RunTree* child : mine)
        if (child->intent->item == item) newest = child;
      if (newest == nullptr) {
        const cel::Value& value = known->second[item];
        out_ += lead + "| " +
                cell(value.kind() == cel::Kind::string ? run.view.text(value.as_string())
                                                       : run.view.brief(value)) +
                " | [ ] | not reached |\n";
        continue;
      }
      const ChildResult result = child_result(*newest);
      out_ += lead + "| " + cell(child_title(*newest)) + " | " + std::string(mark(result.verdict)) +
              (result.word.empty() ? "" : " " + cell(result.word)) + " | " +
              cell(shorten(result.notes, notes_width_max)) + " |\n";
    }
    out_ += "\n";
    for (const RunTree* child : mine) {
      const ChildResult result = child_result(*child);
      out_ += lead + "- " + std::string(mark(result.verdict)) + " **" + clean(child_title(*child)) +
              "**" + (result.word.empty() ? "" : " " + result.word) + ", run " +
              code(child->state.run.value) + ", chain " + code(short_digest(child->head.chain)) +
              "\n";
      checklist_of(*child, "", lead + "  ");
    }
  }

  template <class Each>
  static void walk(const RunTree& run, const Each& each) {
    each(run);
    for (const RunTree& child : run.children) walk(child, each);
  }

  std::string in_run(const RunTree& run) const {
    return &run == &tree_ ? "" : " of " + code(child_title(run));
  }

  void incidents() {
    std::string text;
    walk(tree_, [&](const RunTree& run) {
      for (const IncidentEvidence& incident : evidence_of(run).incidents) {
        text += "- " + at(incident.raised_at) + in_run(run) + " " +
                std::string(to_string(incident.kind)) +
                (incident.state == statechart::root_state
                     ? ""
                     : " in " + code(run.view.state(incident.state))) +
                ": " + clean(run.view.text(incident.message)) + "\n";
        if (incident.resolved_at.value == 0)
          text += "  - open\n";
        else
          text += "  - **" + incident.how + "** by " + to_string(incident.actor) + " (" +
                  at(incident.resolved_at) + "): " + clean(run.view.text(incident.reason)) + "\n";
      }
      for (const RejectionEvidence& rejection : evidence_of(run).rejections)
        text += "- " + at(rejection.at) + in_run(run) + " " + rejection.command + " by " +
                to_string(rejection.actor) +
                " was refused: " + clean(run.view.text(rejection.reason)) + "\n";
    });
    if (!text.empty()) out_ += "\n## Incidents and refusals\n\n" + text;
  }

  void unsatisfied() {
    std::string text;
    walk(tree_, [&](const RunTree& run) {
      for (const ChecklistSection& section : checklist(run))
        for (const ChecklistLine& line : section.lines) {
          if (line.title.empty() || !line.required || satisfies(line.verdict)) continue;
          text += "- " + clean(line.title) + in_run(run) + ": " +
                  (line.verdict != Verdict::none ? std::string(to_string(line.verdict))
                   : line.active                 ? "in progress"
                                                 : "not reached") +
                  "\n";
        }
    });
    if (!text.empty()) out_ += "\n## Not satisfied\n\n" + text;
  }

  void figures() {
    std::uint64_t runs = 0;
    RunEvidence sum;
    std::size_t incidents = 0;
    std::size_t rejections = 0;
    walk(tree_, [&](const RunTree& run) {
      const RunEvidence& evidence = evidence_of(run);
      ++runs;
      sum.records += evidence.records;
      sum.events += evidence.events;
      sum.retries += evidence.retries;
      sum.stale += evidence.stale;
      incidents += evidence.incidents.size();
      rejections += evidence.rejections.size();
    });
    out_ += "\n## Figures\n\n- " + counted(runs, "run") + ", " + counted(sum.records, "record") +
            ", " + counted(sum.events, "event") + "\n- retries: " + std::to_string(sum.retries) +
            ", incidents: " + std::to_string(incidents) +
            ", refused commands: " + std::to_string(rejections) +
            ", results not taken: " + std::to_string(sum.stale) + "\n";
  }

  void foot() {
    if (const Definition* definition = tree_.view.definition();
        definition != nullptr && !definition->omits.empty()) {
      out_ += "\n## Not part of this version\n\n";
      for (const std::string& part : definition->omits) out_ += "- " + clean(part) + "\n";
    }
    out_ += "\n## Verdict\n\n**" + verdict_line(tree_) + "**\n";
    if (!tree_.state.outcome_reason.empty())
      out_ += "\n" + clean(tree_.view.text(tree_.state.outcome_reason)) + "\n";
    out_ += "\nChain head at " + at(tree_.head.last) + ": " + code(to_hex(tree_.head.chain)) +
            "\nChecked by: " +
            code("checkride verify " + shell_word(tree_.state.run.value) + " --head " +
                 to_hex(tree_.head.chain)) +
            "\n";
  }

  static constexpr std::size_t param_width_max = 200;
  static constexpr std::size_t notes_width_max = 240;

  const RunTree& tree_;
  const TreeEvidence& evidence_;
  std::string out_;
};

}  // namespace

std::string verdict_line(const RunTree& tree) {
  const RunState& state = tree.state;
  switch (state.outcome) {
    case RunOutcome::succeeded: return "accepted";
    case RunOutcome::failed: return "rejected";
    case RunOutcome::cancelled: return "aborted";
    case RunOutcome::rolled_back: return "rolled-back";
    case RunOutcome::incomplete: {
      std::string why;
      for (const StateIndex index : state.unsatisfied) {
        const auto given = state.verdicts.find(index);
        why += (why.empty() ? "" : ", ") + tree.view.state(index) + ": " +
               (given == state.verdicts.end() ? "not reached"
                                              : std::string(to_string(given->second.verdict)));
      }
      return "incomplete (" + why + ")";
    }
    case RunOutcome::none: break;
  }
  const std::vector<Question> open = questions(tree);
  if (open.empty()) return "incomplete (the run has not ended)";
  const auto gates = static_cast<std::uint64_t>(
      std::count_if(open.begin(), open.end(), [](const Question& q) { return q.gate; }));
  const auto messages = static_cast<std::uint64_t>(std::count_if(
      open.begin(), open.end(), [](const Question& q) { return !q.message.empty(); }));
  const std::uint64_t incidents = open.size() - gates - messages;
  std::string what;
  if (gates > 0) what = counted(gates, "gate");
  if (incidents > 0) what += (what.empty() ? "" : " and ") + counted(incidents, "incident");
  if (what.empty()) return "incomplete (waits for a message)";
  return "incomplete (waits for a person: " + what + ")";
}

ChildResult child_result(const RunTree& child) {
  ChildResult result;
  const std::vector<ChecklistSection> sections = checklist(child);
  for (const ChecklistSection& section : sections)
    for (const ChecklistLine& line : section.lines)
      if (!line.note.empty()) result.notes += (result.notes.empty() ? "" : "; ") + line.note;
  const ChecklistCount count = count_lines(sections);
  switch (child.state.outcome) {
    case RunOutcome::none: result.word = "in progress"; break;
    case RunOutcome::succeeded:
      result.verdict = count.warned > 0 ? Verdict::warned : Verdict::passed;
      break;
    case RunOutcome::incomplete:
      result.verdict = count.failed > 0 ? Verdict::failed : Verdict::warned;
      result.word = "incomplete";
      break;
    case RunOutcome::failed: result.verdict = Verdict::failed; break;
    case RunOutcome::cancelled:
    case RunOutcome::rolled_back:
      result.verdict = Verdict::failed;
      result.word = to_string(child.state.outcome);
      break;
  }
  if (result.notes.empty()) result.notes = child.view.text(child.state.outcome_reason);
  return result;
}

std::string report_markdown(const RunTree& tree, const TreeEvidence& evidence) {
  return MarkdownReport(tree, evidence).text();
}

}  // namespace checkride::cli
