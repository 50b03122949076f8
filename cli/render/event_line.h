// One event as one line, for `history` and for the evidence of `why` and `report`. A line names the
// state that a token belongs to, so the events of a run are put in here in order. Like the JSON
// form, one visit without a default: a new event does not compile until it has its words.
#pragma once

#include <map>
#include <string>

#include "cli/render/view.h"
#include "engine/decider/event.h"

namespace checkride::cli {

class EventLines {
 public:
  explicit EventLines(const View& view) : view_(view) {}  // borrowed

  // What the event says, without its name; takes note of the tokens it brings.
  std::string line(const Event& event);
  // "clean", or "clean, attempt 2"; the token itself when its JobIntended was not put in.
  std::string of_token(const Token& token) const;
  // Learns the tokens without wording the event.
  void note(const Event& event);

 private:
  const View& view_;
  std::map<Token, std::string> tokens_;
};

// "pass, exit 0, 12ms" or "timeout after 2h 00m: no output for 30m".
std::string outcome_words(const View& view, const JobOutcome& outcome);

}  // namespace checkride::cli
