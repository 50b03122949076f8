#include "cli/render/text.h"

#include <algorithm>
#include <cstdio>

namespace checkride::cli {

namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 1;
};

// Ill-formed bytes count as one replacement character each.
CodePoint decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  const std::size_t length = first < 0x80    ? 1
                             : first >= 0xF0 ? 4
                             : first >= 0xE0 ? 3
                             : first >= 0xC2 ? 2
                                             : 0;
  if (length == 1) return {first, 1};
  if (length == 0 || at + length > text.size()) return {0xFFFD, 1};
  char32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {0xFFFD, 1};
    value = value << 6 | (byte(at + i) & 0x3F);
  }
  return {value, length};
}

bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0xFF00 && c <= 0xFF60) || (c >= 0x1F300 && c <= 0x1FAFF) || c == 0x2705 ||
         c == 0x274C || c == 0x23F3;
}

bool is_zero(char32_t c) {
  return (c >= 0x300 && c <= 0x36F) || c == 0x200B || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0E);
}

// Past an ANSI colour sequence that starts at `at`, or `at` itself.
std::size_t skip_colour(std::string_view text, std::size_t at) {
  if (text.size() - at < 2 || text[at] != '\x1b' || text[at + 1] != '[') return at;
  const std::size_t end = text.find('m', at);
  return end == std::string_view::npos ? at : end + 1;
}

}  // namespace

std::string Style::operator()(Tone tone, std::string_view text) const {
  if (!colours_ || tone == Tone::plain || text.empty()) return std::string(text);
  const char* code = "0";
  switch (tone) {
    case Tone::plain: break;
    case Tone::bold: code = "1"; break;
    case Tone::dim: code = "2"; break;
    case Tone::good: code = "32"; break;
    case Tone::warn: code = "33"; break;
    case Tone::bad: code = "31"; break;
    case Tone::accent: code = "36"; break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  std::size_t last = 0;  // of the character before, for U+FE0F
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t next = skip_colour(text, at); next != at) {
      at = next;
      continue;
    }
    const CodePoint c = decode(text, at);
    at += c.bytes;
    if (c.value == 0xFE0F) {  // asks for the picture form: two columns
      if (last == 1) ++width;
      last = 0;
      continue;
    }
    last = is_zero(c.value) ? 0 : is_wide(c.value) ? 2 : 1;
    width += last;
  }
  return width;
}

std::string pad(std::string_view text, std::size_t width) {
  std::string padded(text);
  const std::size_t have = display_width(text);
  if (have < width) padded.append(width - have, ' ');
  return padded;
}

std::string clean(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint c = decode(text, at);
    if (c.value == '\n' || c.value == '\r' || c.value == '\t')
      safe += ' ';
    else if (c.value < 0x20 || c.value == 0x7F || (c.value >= 0x80 && c.value < 0xA0) ||
             c.value == 0xFFFD)
      safe += "\xEF\xBF\xBD";
    else
      safe.append(text, at, c.bytes);
    at += c.bytes;
  }
  return safe;
}

std::string shorten(std::string_view text, std::size_t width_max) {
  std::string safe = clean(text);
  if (display_width(safe) <= width_max) return safe;
  std::size_t at = 0;
  std::size_t width = 0;
  while (at < safe.size()) {
    const CodePoint c = decode(safe, at);
    const std::size_t columns = is_zero(c.value) ? 0 : is_wide(c.value) ? 2 : 1;
    if (width + columns + 1 > width_max) break;
    width += columns;
    at += c.bytes;
  }
  safe.resize(at);
  return safe + "…";
}

std::string clip(std::string_view text, std::size_t width_max) {
  if (display_width(text) <= width_max) return std::string(text);
  std::string out;
  std::size_t width = 0;
  bool coloured = false;
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t next = skip_colour(text, at); next != at) {
      out.append(text, at, next - at);
      coloured = true;
      at = next;
      continue;
    }
    const CodePoint c = decode(text, at);
    // A picture form may widen the character before it: that one is counted as wide already.
    const CodePoint after = at + c.bytes < text.size() ? decode(text, at + c.bytes) : CodePoint{};
    const std::size_t columns = is_zero(c.value) || c.value == 0xFE0F           ? 0
                                : is_wide(c.value) || after.value == 0xFE0F ? 2
                                                                            : 1;
    if (width + columns + 1 > width_max) break;
    width += columns;
    out.append(text, at, c.bytes);
    at += c.bytes;
  }
  if (width < width_max) out += "…";
  return coloured ? out + "\x1b[0m" : out;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view paragraph = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::string line;
    bool any = false;
    while (!paragraph.empty()) {
      const std::size_t blank = std::min(paragraph.find(' '), paragraph.size());
      const std::string word = clean(paragraph.substr(0, blank));
      paragraph.remove_prefix(std::min(blank + 1, paragraph.size()));
      if (any && display_width(line) + 1 + display_width(word) > width) {
        lines.push_back(std::move(line));
        line = word;
      } else {
        line += (any ? " " : "") + word;
      }
      any = true;
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

std::string wrapped(std::string_view text, std::string_view first, std::string_view rest,
                    std::size_t width) {
  // The first line may be indented deeper than the others: it is wrapped by itself.
  const auto room = [&](std::string_view indent) {
    const std::size_t taken = display_width(indent);
    return width > taken + 20 ? width - taken : std::size_t{20};
  };
  const std::vector<std::string> lines = wrap(text, room(first));
  std::string out = std::string(first) + lines.front() + "\n";
  if (lines.size() == 1) return out;
  std::string remaining;
  for (std::size_t i = 1; i < lines.size(); ++i) remaining += (i == 1 ? "" : " ") + lines[i];
  const bool single = text.find('\n') == std::string_view::npos;
  const std::vector<std::string> others =
      single ? wrap(remaining, room(rest))
             : std::vector<std::string>(lines.begin() + 1, lines.end());
  for (const std::string& line : others) out += std::string(rest) + line + "\n";
  return out;
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return bytes == 1 ? "1 byte" : std::to_string(bytes) + " bytes";
  double size = static_cast<double>(bytes);
  const char* unit = "bytes";
  for (const char* next : {"KiB", "MiB", "GiB", "TiB"}) {
    if (size < 1024) break;
    size /= 1024;
    unit = next;
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", size, unit);
  return text;
}

std::string time_text(Timestamp time) {
  std::string iso = to_iso8601(time);  // 2026-11-21T03:41:00.123Z
  if (iso.size() < 20) return iso;
  iso[10] = ' ';
  return iso.substr(0, 19) + "Z";
}

std::string counted(std::uint64_t count, std::string_view thing) {
  return std::to_string(count) + " " + std::string(thing) + (count == 1 ? "" : "s");
}

std::string Table::text(const Style& style, std::string_view indent) const {
  std::vector<std::size_t> widths;
  const auto measure = [&](const std::vector<std::string>& cells) {
    if (widths.size() < cells.size()) widths.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], display_width(cells[i]));
  };
  measure(headings_);
  for (const auto& cells : rows_) measure(cells);
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells, Tone tone) {
    std::string text(indent);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const bool last = i + 1 == cells.size();
      text += style(tone, cells[i]);
      if (!last) text.append(widths[i] - display_width(cells[i]) + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  if (std::any_of(headings_.begin(), headings_.end(), [](const auto& h) { return !h.empty(); }))
    line(headings_, Tone::dim);
  for (const auto& cells : rows_) line(cells, Tone::plain);
  return out;
}

std::string shell_word(std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-/:=@+,").find(c) != std::string_view::npos;
  });
  if (plain) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace checkride::cli
