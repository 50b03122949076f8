// Lines at the bottom of a terminal that are drawn again in place. Gives the bytes to write and
// keeps count of what they left there; it never hides the cursor nor changes a mode, so whatever
// ends the program leaves the terminal as it was.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace checkride::cli {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

class Frame {
 public:
  // Replaces the frame. `above`, whole lines, goes into the scrollback before it. Lines are clipped
  // to the terminal's width; how many there are is the caller's business.
  std::string draw(const std::vector<std::string>& lines, const std::string& above,
                   const TerminalSize& size);
  // What is drawn stays where it is; the next draw begins below it.
  void leave() { widths_.clear(); }
  bool drawn() const { return !widths_.empty(); }

 private:
  std::vector<std::size_t> widths_;  // of the lines on the screen, in columns
};

}  // namespace checkride::cli
