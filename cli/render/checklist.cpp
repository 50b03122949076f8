#include "cli/render/checklist.h"

#include <algorithm>

namespace checkride::cli {

using statechart::StateIndex;

namespace {

struct Collector {
  const RunTree& run;
  const Definition& definition;
  std::vector<ChecklistSection> sections;

  ChecklistSection& section(const std::string& heading) {
    for (ChecklistSection& known : sections)
      if (known.heading == heading) return known;
    sections.push_back({heading, {}});
    return sections.back();
  }

  // Depth is bounded by chart_depth_max.
  void walk(StateIndex index, std::string heading, std::size_t depth) {
    const StateSpec& spec = definition.states[index.value];
    const std::string section_heading = filled(run.view, run.state, spec.section);
    if (!section_heading.empty() && section_heading != heading) {
      heading = section_heading;
      depth = 0;
      section(heading);
    }
    const bool machine = spec.invoke && spec.invoke->machine != nullptr;
    const bool gate =
        spec.invoke && spec.invoke->signature.performer == JobSignature::Performer::person;
    if (spec.reports() || machine || gate) {
      ChecklistLine line;
      line.state = index;
      line.title = filled(run.view, run.state, spec.title);
      line.depth = depth;
      line.required = spec.required;
      line.machine = machine;
      line.gate = gate;
      const auto& active = run.state.chart.configuration;
      const bool inside = std::binary_search(active.begin(), active.end(), index);
      line.active = !run.state.finished() && inside;
      // It was at work when the run was ended from outside.
      const bool ended = run.state.outcome == RunOutcome::cancelled ||
                         run.state.outcome == RunOutcome::rolled_back;
      if (inside && ended && !definition.chart.is_final(index)) line.verdict = Verdict::interrupted;
      if (const auto given = run.state.verdicts.find(index); given != run.state.verdicts.end()) {
        line.verdict = given->second.verdict;
        line.note = run.view.text(given->second.note);
        line.given_at = given->second.given_at;
      }
      section(heading).lines.push_back(std::move(line));
      if (spec.reports()) ++depth;
    }
    for (const StateIndex child : definition.chart.state(index).children)
      walk(child, heading, depth);
  }
};

}  // namespace

std::vector<ChecklistSection> checklist(const RunTree& run) {
  const Definition* definition = run.view.definition();
  if (definition == nullptr) return {};
  Collector collector{run, *definition, {}};
  collector.walk(statechart::root_state, "", 0);
  std::erase_if(collector.sections,
                [](const ChecklistSection& section) { return section.lines.empty(); });
  return std::move(collector.sections);
}

std::string line_text(const ChecklistLine& line) {
  std::string text = line.title;
  std::string rest(mark_word(line.verdict));
  if (!line.note.empty()) rest += (rest.empty() ? "" : ": ") + line.note;
  if (!line.required && line.verdict == Verdict::none) rest = "optional";
  if (!rest.empty()) text += (text.empty() ? "" : " — ") + rest;
  return text;
}

json::object as_json(const View& view, const ChecklistLine& line) {
  json::object object{{"state", view.state(line.state)},
                      {"title", line.title},
                      {"depth", line.depth},
                      {"required", line.required},
                      {"active", line.active},
                      {"verdict", to_string(line.verdict)},
                      {"mark", mark(line.verdict)},
                      {"note", line.note}};
  if (line.given_at.value != 0) object["given_at"] = line.given_at.value;
  return object;
}

ChecklistCount count_lines(const std::vector<ChecklistSection>& sections) {
  ChecklistCount count;
  for (const ChecklistSection& section : sections)
    for (const ChecklistLine& line : section.lines) {
      if (line.title.empty() || (!line.required && line.verdict == Verdict::none)) continue;
      ++count.lines;
      if (satisfies(line.verdict)) ++count.satisfied;
      if (line.verdict == Verdict::failed) ++count.failed;
      if (mark(line.verdict) == mark(Verdict::warned)) ++count.warned;
    }
  return count;
}

}  // namespace checkride::cli
