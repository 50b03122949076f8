#include "workflows/jobs/bounded.h"

#include "engine/base/utf8.h"

namespace checkride::jobs {

namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace

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
