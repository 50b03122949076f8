#include "cli/render/frame.h"

#include "cli/render/text.h"

namespace checkride::cli {

std::string Frame::draw(const std::vector<std::string>& lines, const std::string& above,
                        const TerminalSize& size) {
  const std::size_t columns = size.columns > 1 ? size.columns : 2;
  // A terminal that became narrower has broken the old lines into several rows.
  std::size_t rows = 0;
  for (const std::size_t width : widths_)
    rows += width > columns ? (width + columns - 1) / columns : 1;
  std::string bytes = "\r";
  if (rows > 0) bytes += "\x1b[" + std::to_string(rows) + "A";
  if (!above.empty()) {
    bytes += "\x1b[J";
    bytes += above;
  }
  widths_.clear();
  for (const std::string& line : lines) {
    const std::string shown = clip(line, columns - 1);
    widths_.push_back(display_width(shown));
    bytes += shown + "\x1b[K\n";
  }
  return bytes + "\x1b[J";
}

}  // namespace checkride::cli
