#include "cli/render/event_line.h"

#include "cli/render/text.h"

namespace checkride::cli {

namespace {

std::string short_digest(const Digest& digest) {
  return to_hex(digest).substr(0, 12);
}

std::string arrow_of(const View& view, const std::vector<statechart::StateIndex>& exited,
                     const std::vector<statechart::StateIndex>& entered) {
  if (exited.empty() && entered.empty()) return "no state changes";
  if (exited.empty()) return "enters " + view.states(entered);
  if (entered.empty()) return "leaves " + view.states(exited);
  return view.states(exited) + " → " + view.states(entered);
}

std::string quoted_event(const std::string& name) {
  return name.empty() ? "always" : name;
}

std::string units_text(const std::vector<LeasedUnit>& units) {
  std::string text;
  for (const LeasedUnit& unit : units)
    text += (text.empty() ? "" : ", ") + unit.resource + " " + unit.name;
  return text.empty() ? "may start" : text;
}

struct Words {
  const View& view;
  const EventLines& lines;

  std::string reason(const std::string& text) const {
    return text.empty() ? std::string() : ": " + view.text(text);
  }
  std::string command(const CommandBody& body) const {
    return std::visit(CommandWords{*this}, body);
  }

  // Commands are worded by the events that carry them.
  struct CommandWords {
    const Words& words;
    const View& view = words.view;

    std::string operator()(const StartRun& c) const {
      std::string text = c.definition_name + " " + short_digest(c.definition);
      for (const auto& [key, value] : view.params(c.params))
        text += " " + (key.kind() == cel::Kind::string ? key.as_string() : cel::to_cel(key)) + "=" +
                view.brief(value, 40);
      if (c.parent) text += ", part of " + c.parent->run.value;
      return text;
    }
    std::string operator()(const FinishJob& c) const {
      std::string text = words.lines.of_token(c.token) + ": " + outcome_words(view, c.outcome);
      if (c.child_sequence)
        text += " (child run at @" + to_string(*c.child_sequence) + ", chain " +
                short_digest(c.child_chain) + ")";
      return text;
    }
    std::string operator()(const MarkJobStarted& c) const {
      return words.lines.of_token(c.token) + ": pid " + std::to_string(c.identity.job_pid) +
             " on " + c.identity.host;
    }
    std::string operator()(const AdoptJob& c) const {
      return words.lines.of_token(c.token) + ": still running, pid " +
             std::to_string(c.identity.job_pid) + " on " + c.identity.host;
    }
    std::string operator()(const ReportJobUnknown& c) const {
      return words.lines.of_token(c.token) + words.reason(c.findings);
    }
    std::string operator()(const FireTimer& c) const {
      return c.timer.value + ", due " + time_text(c.due);
    }
    std::string operator()(const AnswerGate& c) const {
      return words.lines.of_token(c.gate) + ": " + c.decision + words.reason(c.reason);
    }
    std::string operator()(const ResolveIncident& c) const {
      std::string text = c.incident.value + ": " + std::string(to_string(c.how));
      if (!c.state.empty()) text += " " + c.state;
      if (!c.job.empty()) text += " " + c.job.value;
      return text + words.reason(c.reason);
    }
    std::string operator()(const CancelRun& c) const { return view.text(c.reason); }
    std::string operator()(const RollbackRun& c) const { return view.text(c.reason); }
    std::string operator()(const SignalRun& c) const {
      return c.name + (c.data.is_null() ? std::string() : " " + view.brief(c.data)) +
             words.reason(c.reason);
    }
    std::string operator()(const GrantLease& c) const {
      return words.lines.of_token(c.token) + ": " + units_text(c.units) +
             (c.exclusive ? ", exclusive" : "");
    }
    std::string operator()(const ReleaseLease& c) const {
      return words.lines.of_token(c.token) + words.reason(c.reason);
    }
    std::string operator()(const PauseRun& c) const {
      return view.text(c.reason) + (c.by_parent ? " (with its parent)" : "");
    }
    std::string operator()(const ResumeRun& c) const {
      return view.text(c.reason) + (c.by_parent ? " (with its parent)" : "");
    }
  };

  std::string operator()(const RunStarted& e) const { return command(e.command); }
  std::string operator()(const JobFinished& e) const { return command(e.command); }
  std::string operator()(const StaleResultRejected& e) const {
    return command(e.command) + " (not taken: " + e.reason + ")";
  }
  std::string operator()(const JobStarted& e) const { return command(e.command); }
  std::string operator()(const JobAdopted& e) const { return command(e.command); }
  std::string operator()(const JobUnknown& e) const { return command(e.command); }
  std::string operator()(const TimerFired& e) const { return command(e.command); }
  std::string operator()(const GateAnswered& e) const { return command(e.command); }
  std::string operator()(const IncidentResolved& e) const { return command(e.command); }
  std::string operator()(const RunCancelRequested& e) const { return command(e.command); }
  std::string operator()(const RollbackRequested& e) const { return command(e.command); }
  std::string operator()(const CommandRejected& e) const {
    return std::string(command_name(e.command)) + " refused, " + std::string(to_string(e.code)) +
           reason(e.reason);
  }

  std::string operator()(const MessageReceived& e) const {
    return e.message + ": " + command(e.command) +
           (e.expires ? ", waits until " + time_text(*e.expires) : std::string());
  }
  std::string operator()(const MessageConsumed& e) const { return e.message + " is taken"; }
  std::string operator()(const MessageExpired& e) const { return e.message + reason(e.reason); }
  std::string operator()(const LeaseGranted& e) const { return command(e.command); }
  std::string operator()(const LeaseReleased& e) const { return command(e.command); }
  std::string operator()(const RunPaused& e) const { return command(e.command); }
  std::string operator()(const RunResumed& e) const {
    return command(e.command) +
           (e.due.empty() ? "" : ", " + counted(e.due.size(), "timer") + " set anew");
  }

  std::string operator()(const TransitionTaken& e) const {
    return arrow_of(view, e.exited, e.entered) +
           (e.transitions.empty() ? std::string(" (initial or chosen by a person)")
                                  : ", on " + quoted_event(e.trigger));
  }
  std::string operator()(const GuardEvaluated& e) const {
    std::string text = "on " + quoted_event(e.trigger) + ":";
    for (const GuardCandidate& candidate : e.candidates)
      text += std::string(&candidate == &e.candidates.front() ? " " : ", ") +
              (!candidate.error.empty() ? "error "
               : candidate.holds        ? "yes "
                                        : "no ") +
              view.transition(candidate.transition);
    return text;
  }
  std::string operator()(const DataAssigned& e) const {
    return e.name + " = " + view.brief(e.value);
  }
  std::string operator()(const VerdictGiven& e) const {
    return std::string(mark(e.verdict)) + " " + view.state(e.state) + " " +
           std::string(to_string(e.verdict)) + reason(e.note);
  }
  std::string operator()(const EventQueued& e) const { return e.name + " waits in the queue"; }
  std::string operator()(const EventTaken&) const { return "the first of the queue"; }

  std::string operator()(const InvocationStarted& e) const {
    return view.state(e.state) + (e.each ? ", " + counted(e.items.size(), "item") : "");
  }
  std::string operator()(const InvocationFinished& e) const {
    return view.state(e.state) + ": " + (e.done ? "done" : "error") + ", " +
           std::string(to_string(e.status)) +
           (e.result ? ", " + view.brief(*e.result) : std::string());
  }
  std::string operator()(const JobIntended& e) const {
    std::string text = lines.of_token(e.spec.token) + ": " + e.spec.kind;
    if (e.purpose != JobPurpose::invoke) text += " (" + std::string(to_string(e.purpose)) + ")";
    for (const auto& [key, value] : e.spec.inputs)
      text += " " + (key.kind() == cel::Kind::string ? key.as_string() : cel::to_cel(key)) + "=" +
              view.brief(value, 40);
    return text;
  }
  std::string operator()(const RetryScheduled& e) const {
    return view.state(e.state) + ": attempt " + std::to_string(e.attempt) + " after " +
           std::string(to_string(e.failure)) + ", due " + time_text(e.due);
  }
  std::string operator()(const JobCancelRequested& e) const {
    return lines.of_token(e.token) + ": " + e.reason;
  }
  std::string operator()(const TimerSet& e) const {
    return e.timer.value + ", due " + time_text(e.due);
  }
  std::string operator()(const TimerCancelled& e) const { return e.timer.value; }
  std::string operator()(const GateOpened& e) const {
    return view.state(e.state) + reason(e.question);
  }
  std::string operator()(const GateClosed& e) const {
    return lines.of_token(e.gate) + ": " + e.outcome;
  }
  std::string operator()(const IncidentRaised& e) const {
    return e.incident.value + " " + std::string(to_string(e.kind)) +
           (e.state == statechart::root_state ? "" : " in " + view.state(e.state)) +
           reason(e.message);
  }
  std::string operator()(const BudgetExtended& e) const {
    return view.state(e.state) + " may be entered once more";
  }
  std::string operator()(const CompensationStarted& e) const {
    return "undoing " + view.state(e.state);
  }
  std::string operator()(const CompensationFinished& e) const {
    return view.state(e.state) + (e.ok ? " undone" : " not undone") + reason(e.message);
  }
  std::string operator()(const RunFinished& e) const {
    return std::string(to_string(e.outcome)) + reason(e.reason);
  }
  std::string operator()(const StoreOpened& e) const {
    return "epoch " + to_string(e.epoch) + " on " + e.host + ", build " + e.build +
           (e.clean ? "" : ", the writer before did not close it");
  }
};

}  // namespace

std::string outcome_words(const View& view, const JobOutcome& outcome) {
  std::string text(outcome.failure == FailureClass::none ? to_string(outcome.status)
                                                         : to_string(outcome.failure));
  if (outcome.cancelled) text = "cancelled";
  if (outcome.never_started) text = "never started";
  if (outcome.exit_code) text += ", exit " + std::to_string(*outcome.exit_code);
  if (outcome.signal) text += ", signal " + std::to_string(*outcome.signal);
  if (!outcome.never_started && outcome.ended > outcome.started)
    text += ", " + to_human(outcome.ended - outcome.started);
  if (!outcome.message.empty()) text += ": " + view.text(outcome.message);
  return text;
}

std::string EventLines::of_token(const Token& token) const {
  const auto known = tokens_.find(token);
  return known == tokens_.end() ? token.value : known->second;
}

void EventLines::note(const Event& event) {
  if (const auto* intent = std::get_if<JobIntended>(&event)) {
    std::string name = view_.state(intent->state);
    if (intent->performer == JobSignature::Performer::machine)
      name += "[" + std::to_string(intent->item) + "]";
    if (intent->attempt > 1) name += " attempt " + std::to_string(intent->attempt);
    tokens_[intent->spec.token] = std::move(name);
  } else if (const auto* gate = std::get_if<GateOpened>(&event)) {
    tokens_[gate->gate] = view_.state(gate->state);
  }
}

std::string EventLines::line(const Event& event) {
  note(event);
  return std::visit(Words{view_, *this}, event);
}

}  // namespace checkride::cli
