#include "workflows/rehearsal/rehearse.h"

#include "workflows/rehearsal/world.h"

namespace checkride::rehearsal {

std::string Rehearsed::outcome() const {
  if (!problem.empty() || runs.empty()) return "stopped";
  return top().state.finished() ? std::string(to_string(top().state.outcome)) : "waiting";
}

int Rehearsed::exit_code() const {
  const std::string how = outcome();
  if (how == "stopped") return 2;
  if (how == "waiting") return 3;
  return how == "succeeded" ? 0 : 1;
}

Result<Rehearsed> rehearse(const std::shared_ptr<const Definition>& definition,
                           const CaseFile& file, const Case& one, EventLog& log, Coverage& coverage,
                           const RehearsalOptions& options) {
  return World(definition, file, one, log, coverage, options).play();
}

namespace {

void collect(const Script& script, const std::set<const void*>& used, const std::string& prefix,
             std::vector<Unused>& all) {
  const auto series_of = [&](const std::map<std::string, Series>& part, const std::string& name) {
    for (const auto& [state, series] : part)
      for (std::size_t i = 0; i < series.steps.size(); ++i) {
        const Planned& plan = series.steps[i];
        std::string what = prefix + name + "." + state;
        if (series.list) what += " #" + std::to_string(i + 1);
        if (!used.contains(&plan)) {
          all.push_back({plan.place, what});
          continue;
        }
        if (plan.every) collect(*plan.every, used, what + ".", all);
        for (const auto& [item, own] : plan.items)
          collect(*own, used, what + ".items." + item + ".", all);
      }
  };
  series_of(script.outcomes, "outcomes");
  series_of(script.probes, "probes");
  series_of(script.undo, "undo");
  for (std::size_t i = 0; i < script.incidents.size(); ++i)
    if (!used.contains(&script.incidents[i]))
      all.push_back({script.incidents[i].place, prefix + "incidents #" + std::to_string(i + 1)});
  for (const PlannedSignal& signal : script.signals)
    if (!used.contains(&signal)) all.push_back({signal.place, prefix + "signals " + signal.name});
}

}  // namespace

std::vector<Unused> unused(const Script& script, const std::set<const void*>& used) {
  std::vector<Unused> all;
  collect(script, used, "", all);
  return all;
}

std::string path_text(const RehearsedRun& run) {
  std::string text;
  for (const statechart::StateIndex index : run.entered)
    if (run.definition->chart.is_atomic(index))
      text += (text.empty() ? "" : " > ") + run.definition->chart.state(index).id;
  return text;
}

}  // namespace checkride::rehearsal
