#include "cli/render/evidence.h"

#include <algorithm>

namespace checkride::cli {

namespace {

template <class Map, class Match>
auto* find_in(Map& map, Match match) {
  for (auto& [state, list] : map)
    for (auto& item : list)
      if (match(item)) return &item;
  return static_cast<decltype(&map.begin()->second.front())>(nullptr);
}

}  // namespace

void RunEvidence::add(const Record& record) {
  ++records;
  events += record.events.size();
  for (std::size_t i = 0; i < record.events.size(); ++i) {
    const Event& event = record.events[i];
    const Sequence at(record.first.value + i);
    const auto ended = [&](const FinishJob& finish, bool is_stale) {
      auto* attempt =
          find_in(attempts, [&](const AttemptEvidence& a) { return a.token == finish.token; });
      if (attempt == nullptr || attempt->ended_at.value != 0) return;
      attempt->ended_at = at;
      attempt->outcome = finish.outcome;
      attempt->stale = is_stale;
    };
    if (const auto* intent = std::get_if<JobIntended>(&event)) {
      if (intent->performer == JobSignature::Performer::machine) continue;
      AttemptEvidence attempt;
      attempt.token = intent->spec.token;
      attempt.kind = intent->spec.kind;
      attempt.purpose = intent->purpose;
      attempt.attempt = intent->attempt;
      attempt.intended_at = at;
      attempts[intent->state].push_back(std::move(attempt));
    } else if (const auto* finished = std::get_if<JobFinished>(&event)) {
      ended(finished->command, false);
    } else if (const auto* rejected = std::get_if<StaleResultRejected>(&event)) {
      ++stale;
      ended(rejected->command, true);
    } else if (std::holds_alternative<RetryScheduled>(event)) {
      ++retries;
    } else if (const auto* started = std::get_if<InvocationStarted>(&event)) {
      if (started->each) items[started->state] = started->items;
    } else if (const auto* opened = std::get_if<GateOpened>(&event)) {
      AnswerEvidence answer;
      answer.gate = opened->gate;
      answer.question = opened->question;
      answer.opened_at = at;
      answers[opened->state].push_back(std::move(answer));
    } else if (const auto* answered = std::get_if<GateAnswered>(&event)) {
      auto* answer = find_in(
          answers, [&](const AnswerEvidence& a) { return a.gate == answered->command.gate; });
      if (answer == nullptr) continue;
      answer->answered_at = at;
      answer->decision = answered->command.decision;
      answer->reason = answered->command.reason;
      answer->actor = record.actor;
      answer->time = record.time;
    } else if (const auto* closed = std::get_if<GateClosed>(&event)) {
      auto* answer =
          find_in(answers, [&](const AnswerEvidence& a) { return a.gate == closed->gate; });
      if (answer == nullptr || answer->answered_at.value != 0) continue;
      answer->decision = closed->outcome;
      answer->time = record.time;
      answer->actor = record.actor;
      if (closed->outcome != "withdrawn") answer->answered_at = at;
    } else if (const auto* raised = std::get_if<IncidentRaised>(&event)) {
      IncidentEvidence incident;
      incident.id = raised->incident;
      incident.kind = raised->kind;
      incident.message = raised->message;
      incident.state = raised->state;
      incident.raised_at = at;
      incidents.push_back(std::move(incident));
    } else if (const auto* resolved = std::get_if<IncidentResolved>(&event)) {
      for (IncidentEvidence& incident : incidents) {
        if (incident.id != resolved->command.incident || incident.resolved_at.value != 0) continue;
        incident.resolved_at = at;
        incident.how = to_string(resolved->command.how);
        incident.reason = resolved->command.reason;
        incident.actor = record.actor;
      }
    } else if (const auto* refused = std::get_if<CommandRejected>(&event)) {
      rejections.push_back(
          {at, std::string(command_name(refused->command)), refused->reason, record.actor});
    }
  }
}

}  // namespace checkride::cli
