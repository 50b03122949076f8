// What a run's log holds behind its verdicts: attempts, answers, incidents, rejections. Gathered in
// one pass over the records, for `report`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/render/tree.h"

namespace checkride::cli {

struct AttemptEvidence {
  Token token;
  std::string kind;
  JobPurpose purpose = JobPurpose::invoke;
  std::uint32_t attempt = 1;
  Sequence intended_at;
  Sequence ended_at;  // 0: not ended
  std::optional<JobOutcome> outcome;
  bool stale = false;  // its result was not taken
};

struct AnswerEvidence {
  Token gate;
  std::string question;
  Sequence opened_at;
  Sequence answered_at;  // 0: open or withdrawn
  std::string decision;  // "approve", "expired: reject", "withdrawn"
  std::string reason;
  Actor actor;
  Timestamp time;
};

struct IncidentEvidence {
  IncidentId id;
  IncidentKind kind = IncidentKind::execution_error;
  std::string message;
  statechart::StateIndex state;
  Sequence raised_at;
  Sequence resolved_at;  // 0: open
  std::string how;
  std::string reason;
  Actor actor;
};

struct RejectionEvidence {
  Sequence at;
  std::string command;
  std::string reason;
  Actor actor;
};

struct RunEvidence {
  std::map<statechart::StateIndex, std::vector<AttemptEvidence>> attempts;  // child runs left out
  std::map<statechart::StateIndex, std::vector<AnswerEvidence>> answers;
  std::map<statechart::StateIndex, cel::List> items;  // of the last `each`
  std::vector<IncidentEvidence> incidents;
  std::vector<RejectionEvidence> rejections;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t retries = 0;
  std::uint64_t stale = 0;

  void add(const Record& record);
};
using TreeEvidence = std::map<RunId, RunEvidence>;

}  // namespace checkride::cli
