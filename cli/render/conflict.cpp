#include "cli/render/conflict.h"

#include <algorithm>
#include <vector>

namespace checkride::cli {

namespace {

constexpr std::size_t line_width_max = 160;

const cel::Value* list_field(const cel::Value& map, const char* name) {
  const cel::Value* field = map.field(name);
  return field != nullptr && field->kind() == cel::Kind::list ? field : nullptr;
}

std::string text_field(const cel::Value& map, const char* name) {
  const cel::Value* field = map.field(name);
  return field != nullptr && field->kind() == cel::Kind::string ? field->as_string() : "";
}

bool is_true(const cel::Value& map, const char* name) {
  const cel::Value* field = map.field(name);
  return field != nullptr && field->kind() == cel::Kind::boolean && field->as_bool();
}

struct Shown {
  Tone tone;
  std::string text;
};

// Tabs as blanks: a terminal's tab stops would break the bounds.
void add_lines(std::vector<Shown>& lines, Tone tone, const std::string& text) {
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::string line;
    for (std::size_t i = from; i < end; ++i)
      line += text[i] == '\t' ? std::string("    ") : std::string(1, text[i]);
    lines.push_back({tone, shorten(line, line_width_max)});
    from = end + 1;
  }
}

std::vector<Shown> hunk_lines(const View& view, const cel::Value& hunks) {
  std::vector<Shown> lines;
  for (const cel::Value& hunk : hunks.as_list()) {
    if (const cel::Value* line = hunk.field("line");
        line != nullptr && line->kind() == cel::Kind::integer && line->as_int() > 0)
      lines.push_back({Tone::dim, "@@ line " + std::to_string(line->as_int())});
    lines.push_back({Tone::bold, "<<<<<<< ours"});
    add_lines(lines, Tone::good, view.text(text_field(hunk, "ours")));
    lines.push_back({Tone::bold, "||||||| base"});
    add_lines(lines, Tone::dim, view.text(text_field(hunk, "base")));
    lines.push_back({Tone::bold, "======="});
    add_lines(lines, Tone::accent, view.text(text_field(hunk, "theirs")));
    lines.push_back({Tone::bold, ">>>>>>> theirs"});
  }
  return lines;
}

}  // namespace

bool is_conflicts(const cel::Value& value) {
  if (value.kind() != cel::Kind::list || value.as_list().empty()) return false;
  for (const cel::Value& file : value.as_list())
    if (file.kind() != cel::Kind::map || text_field(file, "path").empty() ||
        list_field(file, "hunks") == nullptr)
      return false;
  return true;
}

const cel::Value* find_conflicts(const cel::Map& inputs) {
  for (const auto& [key, value] : inputs) {
    if (is_conflicts(value)) return &value;
    if (value.kind() != cel::Kind::map) continue;
    for (const auto& [inner, field] : value.as_map())
      if (is_conflicts(field)) return &field;
  }
  return nullptr;
}

std::string conflict_text(const View& view, const cel::Value& conflicts, std::string_view indent,
                          const Style& style) {
  const std::string outer(indent);
  std::string out;
  std::size_t files = 0;
  for (const cel::Value& file : conflicts.as_list()) {
    if (++files > conflict_files_max) {
      out += outer + "… " + counted(conflicts.as_list().size() - conflict_files_max, "more file") +
             " in conflict\n";
      break;
    }
    const std::string path = clean(view.text(text_field(file, "path")));
    const cel::Value& hunks = *list_field(file, "hunks");
    std::size_t count = hunks.as_list().size();
    if (const cel::Value* all = file.field("hunk_count");
        all != nullptr && all->kind() == cel::Kind::integer && all->as_int() > 0)
      count = static_cast<std::size_t>(all->as_int());
    out += outer + "conflict in " + style(Tone::bold, path) +
           (is_true(file, "binary") ? ", a binary file"
            : count > 0             ? ", " + counted(count, "hunk")
                                    : "") +
           (is_true(file, "replayed") ? ", a stored resolution was put in place" : "") + "\n";
    const std::vector<Shown> lines = hunk_lines(view, hunks);
    for (std::size_t i = 0; i < lines.size() && i < conflict_lines_max; ++i)
      out += outer + "  " + style(lines[i].tone, lines[i].text) + "\n";
    if (lines.size() > conflict_lines_max)
      out += outer + "  … " + counted(lines.size() - conflict_lines_max, "more line") + " in " +
             path + "\n";
    if (count > hunks.as_list().size())
      out += outer + "  … " + counted(count - hunks.as_list().size(), "more hunk") + " in " + path +
             " that the log does not keep\n";
  }
  return out;
}

}  // namespace checkride::cli
