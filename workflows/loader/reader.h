// Reads one machine (a workflow, or an entry of `machines`) out of its YAML map into a Definition.
// It goes over the map three times: states get their numbers first, then invocations their result
// types (guards anywhere may read `jobs.STATE`), then every expression is compiled against those
// types. Internal to workflows/loader.
//
// The members stand in several files by subject: reader.cpp (the order of things), fields.cpp,
// messages.cpp, expressions.cpp, actions.cpp, transitions.cpp, states.cpp, invoke.cpp,
// gates.cpp, retry_and_expect.cpp.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/decider/decide.h"
#include "engine/decider/definition.h"
#include "workflows/loader/language.h"
#include "workflows/loader/reporter.h"
#include "workflows/loader/yaml.h"

namespace checkride::loader {

// What a reader needs from beyond its own machine.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual const JobSignature* find_kind(std::string_view name) const = 0;
  virtual std::vector<std::string> kind_names() const = 0;
  // The machine, loaded; null after reporting why (at `place`) or when its own errors were.
  virtual std::shared_ptr<const Definition> machine(const std::string& name, Place place) = 0;
};

class DefinitionReader {
 public:
  // `document` is the whole text, for places inside scalars. `child`: an entry of `machines`.
  DefinitionReader(Surroundings& surroundings, Reporter& reporter, std::string_view document,
                   bool child);

  // The definition as far as it could be read, without hash; null only when there are no states.
  // Whether it may be used says Reporter::errors().
  std::shared_ptr<Definition> read(const Node& root, std::string name);
  // Whether the chart is whole, so that rules about its paths mean something.
  bool structure_sound() const { return structure_sound_; }

 private:
  // The variables an expression may use.
  using Environment = cel::Environment;
  struct Scope {
    const Environment* environment = nullptr;
  };
  // A state that invokes something, after the second walk.
  struct Invocation {
    const Node* node = nullptr;
    InvokeSpec spec;      // signature, machine, gate, parse; the rest follows in the third walk
    cel::Type result;     // dyn where the invocation could not be read
    bool usable = false;  // kind or machine is known
    std::optional<Environment> result_environment;  // made when first needed
  };

  // fields.cpp
  void read_fields(const Node* node, bool data, std::vector<FieldSpec>& fields);
  void read_result(const Node* node);

  // messages.cpp
  void read_messages(const Node* node);
  void read_needs(const Node& node, InvokeSpec& spec);

  std::optional<cel::Value> literal(const Node& node, const cel::Type& type,
                                    const std::string& what);
  std::optional<cel::Value> untyped_literal(const Node& node);

  // expressions.cpp
  void check_keys(const Node& map, const std::vector<std::string>& known, std::string_view what);
  bool expect_map(const Node& node, std::string_view what);
  std::optional<std::string> text_of(const Node& node, std::string_view what);
  std::string text_or(const Node& map, std::string_view key, std::string fallback);
  bool flag(const Node& map, std::string_view key);
  std::optional<Duration> duration_of(const Node& node, std::string_view what);
  std::optional<std::int64_t> int_of(const Node& node, std::string_view what, std::int64_t least,
                                     std::int64_t most);
  std::vector<std::string> names_of(const Node& node, std::string_view what);
  std::optional<cel::Type> type_of(const Node& node);
  void report(const Node& node, const std::vector<cel::Diagnostic>& diagnostics);
  std::optional<cel::Program> program(const Node& node, const Scope& scope, const cel::Type& type,
                                      std::string_view what);
  std::optional<cel::Program> hole(const Node& node, const Scope& scope, std::string_view what);
  std::optional<cel::Template> text_template(const Node& node, const Scope& scope);
  std::optional<ValueTemplate> value_template(const Node& node, const Scope& scope,
                                              const cel::Type& type, const std::string& what,
                                              bool may_be_none = false);
  std::optional<ValueTemplate> scalar_template(const Node& node, const Scope& scope,
                                               const cel::Type& type, const std::string& what,
                                               bool may_be_none);
  void check_shown_text(const Node& node);
  std::optional<std::string> event_name(const Node& node);

  // actions.cpp
  ContentBlock read_actions(const Node& node, const Scope& scope);
  void read_action(const Node& node, const Scope& scope, ContentBlock& block);
  void read_assign(const Node& node, const Scope& scope, ContentBlock& block);
  void read_raise(const Node& node, const Scope& scope, ContentBlock& block);
  void read_send(const Node& node, const Scope& scope, ContentBlock& block);
  void read_if(const Node& node, const Scope& scope, ContentBlock& block);
  statechart::ContentIndex add_content(ContentBlock block);

  // transitions.cpp
  void read_on(statechart::StateIndex state, const Node& on);
  void read_after(statechart::StateIndex state, const Node& after);
  void read_exhausted(statechart::StateIndex state, const Node& exhausted);
  void read_transitions(statechart::StateIndex source, const Node& node,
                        const std::vector<std::string>& events, const Scope& scope);
  std::optional<statechart::TransitionIndex> read_transition(statechart::StateIndex source,
                                                             const Node& node,
                                                             const std::vector<std::string>& events,
                                                             const Scope& scope);
  std::vector<statechart::StateIndex> read_targets(const Node& node);
  std::optional<std::vector<std::string>> descriptors(statechart::StateIndex state,
                                                      const Entry& entry, Scope& scope);
  statechart::TransitionIndex add_transition(statechart::Transition transition,
                                             TransitionSpec spec);

  // states.cpp
  void number_states(const Node& parent_node, statechart::StateIndex parent);
  void number_state(const Entry& entry, statechart::StateIndex parent);
  void read_state(statechart::StateIndex state);
  void read_state_report(statechart::StateIndex state, const Node& node);
  void read_final(statechart::StateIndex state, const Node& node);
  void read_history(statechart::StateIndex state, const Node& node);
  void read_initial(statechart::StateIndex state, const Node& node);
  void read_budget(statechart::StateIndex state, const Node& node);
  std::optional<Verdict> verdict_of(const Node& node, statechart::StateIndex reporting);

  // invoke.cpp
  void read_invocation_heads();
  void read_invocation_head(statechart::StateIndex state, Invocation& invocation);
  void read_machine_head(const Node& node, Invocation& invocation);
  bool read_kind(const Node& node, InvokeSpec& spec);
  void read_invocation(statechart::StateIndex state, Invocation& invocation);
  void read_job(const Node& node, InvokeSpec& spec, const Scope& scope, bool may_probe);
  // gates.cpp
  void read_options(const Node& node, GatePolicy& gate);
  void read_gate(const Node& node, InvokeSpec& spec, const Scope& scope);
  void read_machine(const Node& node, InvokeSpec& spec, const Scope& scope);
  void read_undo(statechart::StateIndex state, const Node& node);
  void read_inputs(const Node& node, const cel::Type& inputs, const std::string& whose,
                   const Scope& scope, ValueTemplate::MapOf& with);

  // retry_and_expect.cpp
  void read_limits(const Node& node, InvokeSpec& spec);
  void read_retry(const Node& node, InvokeSpec& spec);
  void read_repeat(const Node& node, InvokeSpec& spec, const Scope& scope, bool may_probe);
  void read_expect(const Node& node, InvokeSpec& spec);
  void read_parse(const Node& node, InvokeSpec& spec);

  // What GuardScope adds to plain_; the rest is shared with it.
  Environment environment(const GuardScope& scope) const;
  std::string state_name(statechart::StateIndex state) const;
  StateSpec& spec(statechart::StateIndex state) { return definition_->states[state.value]; }
  const Node& node_of(statechart::StateIndex state) const { return *nodes_[state.value]; }
  // An error that makes the chart's paths unreliable.
  void broken(Place place, std::string_view rule, std::string message, std::string suggestion = {});

  Surroundings& surroundings_;
  Reporter& reporter_;
  std::string_view document_;
  bool child_;
  bool structure_sound_ = true;

  std::shared_ptr<Definition> definition_;
  std::vector<const Node*> nodes_;  // by state
  std::unordered_map<std::string, statechart::StateIndex> ids_;
  std::vector<std::string> state_ids_;
  std::map<statechart::StateIndex, Invocation> invocations_;
  cel::Type jobs_;
  Environment plain_;                            // params, data, jobs, run, now, event
  Environment error_;                            // and error
  std::map<std::string, Environment> messages_;  // plain_ with a message's type in event.data
  Environment shown_;                            // params alone: titles
};

}  // namespace checkride::loader
