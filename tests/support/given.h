// Given a definition and what happened so far, when a command comes, then these events follow: the
// harness of the tests of decide() and evolve(). Every command goes through here, so every test
// also checks what must hold always: the next state is the fold of the events, replay decides the
// same, the configuration is legal, a person's repeated command changes nothing.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decider/decide.h"

namespace checkride::test {

// Job kinds without anything behind them. `work` asks after a loss, `safe` may be repeated,
// `probed` has the probe `look`. Inputs {n?: int}; result {n: int} but for `look`, which tells
// {verdict, findings?, result?}.
const std::vector<const JobSignature*>& fake_kinds();
// Loads a document whose first line and name are given: "states: ..." and what else it needs. Ends
// the test with the diagnostics when it is wrong.
std::shared_ptr<const Definition> load_document(std::string_view body);

// Outcomes of attempts.
JobOutcome passed(std::int64_t n = 0, JobStatus status = JobStatus::pass);
JobOutcome failed(FailureClass failure, std::string message = "it broke");
JobOutcome lost();
JobOutcome never_started();
JobOutcome looked(const std::string& verdict, std::optional<std::int64_t> n = std::nullopt);

// Sentences about a decision that breaks what must hold always; empty when all is well.
std::vector<std::string> broken_laws(const RunState& before, const Definition& definition,
                                     const Command& command, const Decision& decision);

class Given {
 public:
  explicit Given(std::string_view body);
  explicit Given(std::shared_ptr<const Definition> definition);

  // --- when
  Decision start(cel::Map params = {});
  // A child run of `parent`, as the shell would start it.
  Decision start_as_child(const Given& parent, const JobIntended& intent);
  Decision when(CommandBody body);
  Decision when(const Command& command);
  Decision finish(const std::string& state, JobOutcome outcome);  // the state's newest attempt
  Decision finish(const Token& token, JobOutcome outcome);
  Decision finish_child(const std::string& state, const Given& child);
  Decision fire(const std::string& event_or_purpose);  // the first timer with this id prefix
  Decision answer(const std::string& decision, const std::string& why = "because");
  Decision resolve(ResolveIncident::How how, std::string state = {},
                   std::optional<JobOutcome> outcome = std::nullopt);
  Command command(CommandBody body);  // with an id of its own, a second later than the last

  // --- then
  std::string active() const;  // atomic states, "a b"
  std::string verdict(const std::string& state) const;
  std::vector<Token> tokens(const std::string& state) const;  // live attempts, oldest first
  Token token(const std::string& state) const;                // the newest of them
  const JobIntended& intent(const std::string& state) const;
  const IncidentRecord& incident() const;  // the only open one
  statechart::StateIndex index(const std::string& state) const;
  cel::Value data(const std::string& name) const;

  RunState state;
  std::shared_ptr<const Definition> definition;
  std::vector<Record> records;  // all that was decided, rejections included
  Actor actor{Actor::Kind::local, "ada"};
  Timestamp now{1'700'000'000'000'000'000};
  RunId run{"r"};

 private:
  int commands_ = 0;
};

// The names of a decision's events, "JobFinished InvocationFinished ...".
std::string names(const Decision& decision);

// The first event of a type, or null.
template <class E>
const E* find(const Decision& decision) {
  for (const Event& event : decision.events)
    if (const auto* found = std::get_if<E>(&event)) return found;
  return nullptr;
}
template <class E>
std::size_t count(const Decision& decision) {
  std::size_t n = 0;
  for (const Event& event : decision.events) n += std::holds_alternative<E>(event) ? 1 : 0;
  return n;
}

}  // namespace checkride::test
