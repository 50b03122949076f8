// Comma-separated values as tools print them (RFC 4180): fields in quotes may hold commas, doubled
// quotes and line ends.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace checkride::kernels::tools {

// Calls visit for each line of the text without its line end.
template <class Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

// The record at the beginning of the text, which is then shortened by it. `whole` is false where
// the text ended inside quotes.
std::vector<std::string> take_csv_record(std::string_view& text, bool& whole);

// The number a person wrote: "1,234.5" is 1234.5, "3" is 3. False for anything else, "n/a" too.
bool read_number(std::string_view text, double& value);

}  // namespace checkride::kernels::tools
