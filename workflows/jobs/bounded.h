// Results live in the log for ever and must stay small: texts are cut at a bound and say so, lists
// keep the first items within a budget and count the rest. Text from files and programs is made
// valid UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/cel/value.h"

namespace checkride::jobs {

// Valid UTF-8; bytes that are not become U+FFFD. At most about `bytes_max` bytes of the front (or
// of the end), cut between characters, with a note of how much is missing.
std::string front_of(std::string_view text, std::size_t bytes_max);
std::string end_of(std::string_view text, std::size_t bytes_max);

class BoundedList {
 public:
  explicit BoundedList(std::size_t items_max = 500, std::size_t bytes_max = 96 << 10)
      : items_max_(items_max), bytes_max_(bytes_max) {}
  void add(cel::Value item);
  std::int64_t total() const { return total_; }
  bool truncated() const { return static_cast<std::size_t>(total_) > items_.size(); }
  cel::Value value() const { return cel::Value(items_); }

 private:
  std::size_t items_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::int64_t total_ = 0;
  cel::List items_;
};

template <class Range>
cel::Value list_of(const Range& texts, std::size_t bytes_max = 32 << 10) {
  BoundedList list(500, bytes_max);
  for (const auto& text : texts) list.add(cel::Value(front_of(text, 4096)));
  return list.value();
}

}  // namespace checkride::jobs
