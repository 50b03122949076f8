// Plain text for people: columns, wrapping, colours. Widths are terminal columns, not bytes: the
// marks of a checklist take two. Everything that comes from outside (job output, answers, notes)
// passes through clean() before it reaches a terminal, so that it cannot move the cursor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"

namespace checkride::cli {

enum class Tone : std::uint8_t { plain, bold, dim, good, warn, bad, accent };

// ANSI colours, or none at all.
class Style {
 public:
  explicit Style(bool colours = false) : colours_(colours) {}
  std::string operator()(Tone tone, std::string_view text) const;

 private:
  bool colours_;
};

// Columns a terminal needs; ANSI colour sequences count nothing.
std::size_t display_width(std::string_view text);
std::string pad(std::string_view text, std::size_t width);
// Control characters replaced (line ends and tabs by a blank each, the rest by U+FFFD).
std::string clean(std::string_view text);
// clean(), cut to `width_max` columns with "…" at the end.
std::string shorten(std::string_view text, std::size_t width_max);
// Text with colours cut to `width_max` columns, "…" and the end of colours where it was cut. Not
// cleaned: what goes in has been.
std::string clip(std::string_view text, std::size_t width_max);
// Lines of at most `width` columns, broken at blanks where there are any; line ends are kept.
// A word longer than `width` keeps a line of its own, so that paths and commands stay whole.
std::vector<std::string> wrap(std::string_view text, std::size_t width);
// wrap() with `first` before the first line and `rest` before the others; ends with a line end.
std::string wrapped(std::string_view text, std::string_view first, std::string_view rest,
                    std::size_t width = 100);

std::string bytes_text(std::uint64_t bytes);                       // "412 bytes", "1.2 KiB"
std::string time_text(Timestamp time);                             // "2026-11-21 03:41:00Z"
std::string counted(std::uint64_t count, std::string_view thing);  // "1 gate", "2 gates"

// A table with left-aligned columns; the last one is not padded. Cells may carry colours.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  std::string text(const Style& style, std::string_view indent = "") const;

 private:
  std::vector<std::string> headings_;  // all empty: no heading line
  std::vector<std::vector<std::string>> rows_;
};

// A word for a shell: quoted where it needs to be.
std::string shell_word(std::string_view text);

}  // namespace checkride::cli
