// A decision being made: the state as it will be, the events so far. Each emitted event is folded
// in at once, so the draft's state is always the fold of what the record will hold. It is the
// interpreter's Host: guards, actions, verdicts and budgets happen here. Split over draft.cpp (the
// chart), verdicts.cpp, invocations.cpp (jobs), children.cpp, gates.cpp (gates and timers),
// messages.cpp, leases.cpp (leases and pauses) and endings.cpp (cancel, rollback, finish).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/decider/activation.h"
#include "engine/decider/decide.h"
#include "engine/statechart/interpreter.h"

namespace checkride {

class Draft final : public statechart::Host {
 public:
  using StateIndex = statechart::StateIndex;

  // The state outlives the draft.
  Draft(const RunState& start, const Definition& definition, const Command& command);

  void emit(Event event);
  Sequence next_sequence() const { return state.last.next(); }

  // --- the chart (draft.cpp)
  void start_chart();
  // Queues the event while the run is parked or has older ones waiting, else takes it and all it
  // causes.
  void deliver(QueuedEvent event);
  // Takes what waited in the run's queue, as long as nothing parks it again.
  void drain_queue();
  void jump_to(statechart::StateIndex target);
  void raise_incident(IncidentKind kind, std::string message, statechart::StateIndex where,
                      std::optional<Token> job = std::nullopt,
                      std::vector<QueuedEvent> unprocessed = {}, bool start_unfinished = false);

  // --- jobs, gates, children (invocations.cpp)
  void begin_invocations();
  // Begins or continues what an incident held up.
  void resume_invocations();
  void finish_job(const FinishJob& command);
  void job_unknown(const ReportJobUnknown& command);
  void answer_gate(Token gate, const std::string& decision, const std::string& reason,
                   const std::string& actor, bool expired);
  void fire_timer(const FireTimer& command, const TimerRecord& timer);
  // `attempt`: the live one that the incident was about, as it stood before the answer.
  void resolve_job(const ResolveIncident& command, const IncidentRecord& incident,
                   const std::optional<JobRecord>& attempt);
  // Everything a state leaves behind when it is exited.
  void release_state(statechart::StateIndex state, const std::string& why);

  // --- messages (messages.cpp)
  void receive_message(const SignalRun& command, const MessageSpec& spec);
  // Gives waiting messages, oldest first, to transitions that want them.
  void take_messages();
  void expire_message(const std::string& message, const std::string& reason);
  // Whether an active state listens to any message.
  bool listens() const;

  // --- leases and pauses (leases.cpp)
  // What attempts held whose end this decision recorded.
  void release_leases();
  void resume_clocks(const ResumeRun& command);

  // --- endings (endings.cpp)
  void stop_everything(const std::string& why);
  void continue_rollback();
  void compensation_ended(const JobIntended& intent, const JobOutcome& outcome);
  void compensation_failed(StateIndex index, const std::string& message);
  // At the end of every decision: finishes the run, continues a rollback, or finds it stuck.
  void settle();

  // --- statechart::Host
  Verdict evaluate(statechart::TransitionIndex transition, statechart::ConditionIndex cond,
                   const statechart::ChartEvent* event,
                   const statechart::Interpreter& interpreter) override;
  Outcome execute(statechart::ContentIndex content, const statechart::ChartEvent* event,
                  statechart::Interpreter& interpreter) override;
  void on_microstep(const statechart::Microstep& step) override;

  RunState state;
  std::vector<Event> events;
  const Definition& definition;
  const Command& command;

 private:
  // Takes back all events but the first so many. The state is folded again from the start, which is
  // rare; a copy made before every macrostep would be dear.
  void take_back(std::size_t events_kept);

  enum class Step : std::uint8_t { start, dispatch, jump };
  void macrostep(Step step, const QueuedEvent& event, StateIndex target = statechart::root_state);
  void run_pending();
  // Whether it tells of an invocation that its state has left behind.
  bool is_outdated(const QueuedEvent& event) const;
  void flush_candidates(const std::string& trigger);
  void give_verdicts(const statechart::Microstep& step);
  void give_verdict(StateIndex of, checkride::Verdict verdict,
                    const std::optional<cel::Template>& note);
  void count_entries(const statechart::Microstep& step, TransitionTaken& taken);
  // A failure outside a guard or action: parks, or raises error.execution.
  void host_failed(std::string message, StateIndex where);
  Outcome run_actions(const std::vector<Action>& actions, const statechart::ChartEvent* event,
                      statechart::Interpreter& interpreter);
  statechart::HostError error_kind() const;
  RunActivation activation(const statechart::ChartEvent* event) const;
  RecordedFact record_fact(const cel::Fact& fact) const;

  void begin_invocation(StateIndex index, const InvokeSpec& invoke);
  Result<cel::Map> invocation_inputs(const InvokeSpec& invoke, const cel::Value* item) const;
  // Intends one attempt; false after an incident because its inputs could not be evaluated.
  bool intend(StateIndex index, const InvokeSpec& invoke, JobPurpose purpose, std::uint32_t item,
              std::uint32_t attempt, std::optional<Token> about = std::nullopt);
  void intend_with(cel::Map inputs, StateIndex index, const InvokeSpec& invoke, JobPurpose purpose,
                   std::uint32_t item, std::uint32_t attempt, std::optional<Token> about);
  void intend_again(const JobIntended& intent, std::uint32_t attempt);
  void emit_intent(JobIntended intent);
  bool wanted(const MessageRecord& message) const;
  bool offer_message(const MessageRecord& message);
  std::uint32_t last_attempt(StateIndex index, std::uint32_t item) const;
  void open_gate(StateIndex index, const InvokeSpec& invoke, cel::Map inputs);
  void attempt_failed(const JobIntended& intent, const JobOutcome& outcome);
  void lost_attempt(const JobIntended& intent, const JobOutcome& outcome);
  void probe_ended(const JobIntended& intent, const JobOutcome& outcome);
  void finish_invocation(StateIndex index, bool done, JobStatus status, cel::Value data,
                         bool record_result);
  void fail_invocation(const JobIntended& intent, const JobOutcome& outcome);
  void children_progress(StateIndex index, const InvokeSpec& invoke);
  const InvokeSpec* invoke_of(const JobIntended& intent) const;

  const RunState& start_;

  // Of the macrostep under way.
  statechart::Interpreter* interpreter_ = nullptr;
  const statechart::ChartEvent* event_ = nullptr;
  std::vector<GuardCandidate> candidates_;
  std::string trigger_;
  bool stop_ = false;  // park: throw this macrostep away
  std::string stop_message_;
  StateIndex stop_state_;
  std::vector<std::pair<StateIndex, std::string>> exhausted_;  // budgets without a transition
  std::deque<QueuedEvent> pending_;         // external events to take in this decision, in order
  bool taking_ = false;                     // somebody further out goes on with `pending_`
  std::optional<LeaseOffer> offer_;         // what is left of the command's
  const MessageRecord* message_ = nullptr;  // being offered to the chart
  bool consumed_ = false;                   // a transition took it
};

// What guards see as `error`.
cel::Value error_value(const JobOutcome& outcome, std::uint32_t attempts, const Token& token);
// The one that weighs more in a report.
JobStatus worse(JobStatus a, JobStatus b);

// The final state at the top that ended the chart, if one did.
std::optional<statechart::StateIndex> top_final(const RunState& state,
                                                const Definition& definition);

}  // namespace checkride
