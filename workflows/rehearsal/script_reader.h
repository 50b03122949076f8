// Reads the parts of a document of cases: scripts and what stands in them. Internal to
// workflows/rehearsal. The members stand in script_reader.cpp (scripts, children) and
// outcome_reader.cpp (one outcome, answer or resolution).
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

  // The script parts of `map`: outcomes, probes, undo, incidents; other keys are left to the
  // caller.
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

 private:
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
