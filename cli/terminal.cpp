#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace checkride::cli {

namespace {

std::size_t number_of(const char* name, std::size_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr) return otherwise;
  const std::string_view view(text);
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  const bool whole = error == std::errc() && end == view.data() + view.size();
  return whole && value > 0 && value < 10'000 ? value : otherwise;
}

}  // namespace

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0)
    return {size.ws_col, size.ws_row};
  const TerminalSize usual;
  return {number_of("COLUMNS", usual.columns), number_of("LINES", usual.rows)};
}

bool terminal_moves_cursor() {
  const char* term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

bool terminal_has_colours() {
  const char* refused = std::getenv("NO_COLOR");
  return terminal_moves_cursor() && (refused == nullptr || *refused == '\0');
}

}  // namespace checkride::cli
