// Reads the parts of a document of cases: scripts and what stands in them. Internal to
// workflows/rehearsal. The members stand in script_reader.cpp (scripts, children),
// outcome_reader.cpp (one outcome, answer or resolution) and occasion_reader.cpp (signals, pauses,
// leases and limits).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workflows/loader/reporter.h"
#include "workflows/loader/yaml.h"
#include "workflows/rehearsal/cases.h"

namespace checkride::rehearsal {

class ScriptReader {
 public:
  // Scripts that `but` and `usual` refer to, the nearest first; empty within `usual` itself.
  using Bases = std::vector<const Script*>;
  enum class Part : std::uint8_t { outcomes, probes, undo };

  explicit ScriptReader(loader::Reporter& reporter) : reporter_(reporter) {}

  // The script parts of `map`: outcomes, probes, undo, incidents, signals; other keys are left to
  // the caller.
  Script read(const loader::Node& map, const Definition& definition, const Bases& bases);
  // Keys of a script.
  static const std::vector<std::string>& keys();

  // --- for the other readers of the document
  void check_keys(const loader::Node& map, const std::vector<std::string>& known,
                  const std::string& what);
  bool expect_map(const loader::Node& node, const std::string& what);
  std::string text(const loader::Node& node, const std::string& what);
  std::string text_at(const loader::Node& map, std::string_view key, const std::string& what);
  std::vector<std::string> texts(const loader::Node& node, const std::string& what);
  // The state of that id, or nothing after reporting it.
  std::optional<statechart::StateIndex> state(const std::string& id, Place place,
                                              const Definition& definition);
  loader::Reporter& reporter() { return reporter_; }
  // The one thing, or each of a list.
  static std::vector<const loader::Node*> one_or_more(const loader::Node* node);
  std::vector<PlannedPause> pauses(const loader::Node* node, const Definition& definition);

 private:
  void read_signal(const loader::Node& node, const Definition& definition, Script& script);
  // Where and when: `in`, `after`, `by`, `why`.
  template <typename Occasion>
  bool occasion(const loader::Node& node, const Definition& definition, Occasion& occasion);
  std::optional<Duration> duration(const loader::Node& map, std::string_view key);
  // `timeout: LIMIT`, an outcome of its own.
  std::optional<Planned> timed_out(const loader::Node& node, const std::string& id,
                                   const InvokeSpec& invoke);
  // `lease` beside an outcome, or alone; whether `plan` is whole with it.
  bool lease(const loader::Node& node, const std::string& id, const InvokeSpec& invoke,
             Planned& plan);
  void read_series(const loader::Node* map, Part part, const Definition& definition,
                   const Bases& bases, std::map<std::string, Series>& all);
  std::optional<Planned> planned(const loader::Node& node, Part part, const std::string& id,
                                 const InvokeSpec& invoke, const Bases& bases);
  std::optional<Planned> children(const loader::Node& node, const std::string& id,
                                  const InvokeSpec& invoke, const Bases& bases);
  std::optional<Planned> answer(const loader::Node& node, const InvokeSpec& invoke);
  std::optional<Planned> job_outcome(const loader::Node& node, Part part, const std::string& id,
                                     const InvokeSpec& invoke, const Bases& bases);
  std::optional<JobOutcome> error_outcome(const loader::Node& node);
  std::optional<cel::Value> changed_result(const loader::Node& but, Part part,
                                           const std::string& id, const InvokeSpec& invoke,
                                           const Bases& bases);
  std::optional<PlannedResolution> resolution(const loader::Node& node,
                                              const Definition& definition);

  loader::Reporter& reporter_;
};

// The series of a state in one part of a script; null when it has none.
const Series* series_of(const Script& script, ScriptReader::Part part, const std::string& id);

}  // namespace checkride::rehearsal
