// Replaces the values of secrets by *** in a stream, however it is cut into pieces. Holds back only
// what may still become a secret, so a follower of the log sees everything else at once.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decider/job.h"
#include "engine/runners/local/environment.h"

namespace checkride {

class SecretMask {
 public:
  // Of a value with several lines every line of 8 bytes or more counts on its own too: programs
  // indent keys and change line ends.
  explicit SecretMask(const EnvironmentVariables& secrets);

  // The next piece, masked; the tail of it may come with a later call.
  std::string pass(std::string_view piece);
  // The end of the stream: what was held back.
  std::string finish();

  // A whole text at once, independent of the stream.
  std::string mask(std::string_view text) const;
  // Every text of the outcome: message, result, facts.
  void mask_outcome(JobOutcome& outcome) const;

 private:
  std::string scan(std::string& pending, bool ended) const;
  cel::Value mask_value(const cel::Value& value) const;
  cel::Map mask_map(const cel::Map& map) const;

  std::vector<std::string> values_;  // longest first
  std::array<bool, 256> begins_{};   // whether a value begins with this byte
  std::string pending_;
};

}  // namespace checkride
