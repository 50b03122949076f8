// Ids and counts as types, so that a sequence cannot be passed where an attempt is meant.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/result.h"

namespace checkride {

// An integer with a meaning. Tag is a class naming it.
template <class Tag, class Integer = std::uint64_t>
struct Number {
  Integer value = 0;
  constexpr Number() = default;
  constexpr explicit Number(Integer v) : value(v) {}
  constexpr auto operator<=>(const Number&) const = default;
  constexpr Number next() const { return Number(static_cast<Integer>(value + 1)); }
};

template <class Tag, class Integer>
std::string to_string(Number<Tag, Integer> n) {
  return std::to_string(n.value);
}
template <class Out, class Tag, class Integer>
Out& operator<<(Out& out, Number<Tag, Integer> n) {
  out << n.value;
  return out;
}

// A string with a meaning.
template <class Tag>
struct Name {
  std::string value;
  Name() = default;
  explicit Name(std::string v) : value(std::move(v)) {}
  auto operator<=>(const Name&) const = default;
  bool operator==(const Name&) const = default;
  bool empty() const { return value.empty(); }
  const std::string& str() const { return value; }
};

template <class Out, class Tag>
Out& operator<<(Out& out, const Name<Tag>& n) {
  out << n.value;
  return out;
}

// Position of an event in its run: 1, 2, 3, ... without gaps. 0 means "before the first".
using Sequence = Number<struct SequenceTag>;
// Position of a record among all records of a store, 1, 2, 3, ...
using GlobalSequence = Number<struct GlobalSequenceTag>;
// Counts openings of a store for writing; a record carries the epoch that wrote it.
using Epoch = Number<struct EpochTag>;

// A run: letters, digits, '.', '_' and '-', at most 160 bytes. A child's id is its parent's id, a dot
// and the sequence of the JobIntended that started it.
using RunId = Name<struct RunIdTag>;
// One attempt of a job: run id, a dot, sequence of its JobIntended. Safe as a file name.
using Token = Name<struct TokenTag>;
// A command, chosen by its sender; a repeated id gets the recorded answer.
using CommandId = Name<struct CommandIdTag>;
// A durable timer within a run.
using TimerId = Name<struct TimerIdTag>;
// An incident within a run: "i" and the sequence of its IncidentRaised.
using IncidentId = Name<struct IncidentIdTag>;

inline constexpr std::size_t run_id_bytes_max = 160;

// Checks a run id a person typed; the error says which character or length is wrong.
Result<RunId> parse_run_id(std::string_view text);
// The token of the attempt whose JobIntended stands at `sequence` of `run`.
Token token_of(const RunId& run, Sequence sequence);

}  // namespace checkride

template <class Tag, class Integer>
struct std::hash<checkride::Number<Tag, Integer>> {
  std::size_t operator()(checkride::Number<Tag, Integer> n) const noexcept {
    return std::hash<Integer>()(n.value);
  }
};
template <class Tag>
struct std::hash<checkride::Name<Tag>> {
  std::size_t operator()(const checkride::Name<Tag>& n) const noexcept {
    return std::hash<std::string>()(n.value);
  }
};
