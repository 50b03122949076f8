#include "workflows/jobs/bounded.h"

#include <cstdint>

namespace checkride::jobs {

namespace {

// Length of the valid UTF-8 sequence at the front of `text`, 0 if there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogates
  if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xF4 && byte(1) > 0x8F) return 0;  // above U+10FFFF
  return length;
}

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

std::string front_of(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return valid_utf8(text);
  std::size_t end = bytes_max;
  while (end > 0 && continues(text[end])) --end;
  return valid_utf8(text.substr(0, end)) + "\n[" + std::to_string(text.size() - end) +
         " more bytes]";
}

std::string end_of(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return valid_utf8(text);
  std::size_t begin = text.size() - bytes_max;
  while (begin < text.size() && continues(text[begin])) ++begin;
  return "[" + std::to_string(begin) + " bytes before]\n" + valid_utf8(text.substr(begin));
}

void BoundedList::add(cel::Value item) {
  // Once one was left out all later ones are, so that what is kept is a true beginning.
  const bool cut = truncated();
  ++total_;
  const std::size_t bytes = cel::size_bytes(item);
  if (cut || items_.size() >= items_max_ || bytes_ + bytes > bytes_max_) return;
  bytes_ += bytes;
  items_.push_back(std::move(item));
}

}  // namespace checkride::jobs
