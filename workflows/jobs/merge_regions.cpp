#include "workflows/jobs/merge_regions.h"

#include <charconv>
#include <fstream>

#include "engine/base/files.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

// Longer than any marker a source may hold as its own text.
constexpr std::size_t marker_size = 61;

Result<void> write_text(const fs::path& path, const std::string& text) {
  // A last line without an end would be glued to what follows when sides are put together.
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!text.empty() && text.back() != '\n') file << '\n';
  file.close();
  if (!file) return fail(ErrorCode::io, "cannot write " + path.string());
  return {};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::size_t next = end == std::string::npos ? text.size() : end + 1;
    lines.push_back(text.substr(at, next - at));
    at = next;
  }
  return lines;
}

bool is_marker(const std::string& line, char c) {
  return line.size() > marker_size && line.find_first_not_of(c) >= marker_size &&
         (line[marker_size] == ' ' || line[marker_size] == '\n' || line[marker_size] == '\r');
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Lines [first, first + count) of a text, from 1.
struct Span {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// A change that git diff found: `at.count` old lines gone, `added` new ones. With no old line gone,
// at.first is the line after which the new ones stand.
struct Change {
  Span at;
  std::int64_t added = 0;
};

Span span_at(std::string_view text) {
  Span span{0, 1};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, span.first);
  if (read.ptr != end && *read.ptr == ',') std::from_chars(read.ptr + 1, end, span.count);
  return span;
}

std::vector<Change> changes_of(const std::string& diff) {
  std::vector<Change> changes;
  for (const std::string& line : lines_of(diff)) {
    if (!line.starts_with("@@ -")) continue;
    const std::size_t plus = line.find(" +");
    if (plus == std::string::npos) continue;
    changes.push_back({span_at(std::string_view(line).substr(4, plus - 4)),
                       span_at(std::string_view(line).substr(plus + 2)).count});
  }
  return changes;
}

// Whether a change altered the region, or put lines right beside it.
bool touches(const Change& change, const Span& region) {
  const std::int64_t region_end = region.first + region.count;  // one past its last line
  if (change.at.count == 0)                                     // an insertion after line at.first
    return change.at.first >= region.first - 1 && change.at.first <= region_end - 1;
  const std::int64_t change_end = change.at.first + change.at.count;
  if (change.at.first < region_end && change_end > region.first) return true;
  return change.added > 0 && (change_end == region.first || change.at.first == region_end);
}

}  // namespace

Result<std::vector<MergePart>> merge_regions(const Git& git, const MergeText& texts,
                                             MergeStyle style, const fs::path& scratch) {
  const fs::path folder = scratch / "merge";
  CR_CHECK(make_folders(folder));
  CR_CHECK(write_text(folder / "base", texts.base));
  CR_CHECK(write_text(folder / "ours", texts.ours));
  CR_CHECK(write_text(folder / "theirs", texts.theirs));
  std::vector<std::string> command = {"merge-file", "-p", "-q",
                                      "--marker-size=" + std::to_string(marker_size)};
  if (style == MergeStyle::with_base) command.emplace_back("--diff3");
  for (const char* side : {"ours", "base", "theirs"}) command.push_back((folder / side).string());
  CR_TRY(const ProcessReply reply, git.run(std::move(command)));
  // The exit code counts conflicts; from 128 on it is an error.
  if (reply.exit_code < 0 || reply.exit_code > 127)
    return fail(ErrorCode::internal, "git merge-file failed: " + reply.err);

  std::vector<MergePart> parts(1);
  std::vector<std::string>* into = &parts.back().ours;
  for (std::string& line : lines_of(reply.out)) {
    const bool inside = parts.back().conflict;
    if (!inside && is_marker(line, '<')) {
      parts.emplace_back();
      parts.back().conflict = true;
      into = &parts.back().ours;
    } else if (inside && is_marker(line, '|')) {
      into = &parts.back().base;
    } else if (inside && is_marker(line, '=')) {
      into = &parts.back().theirs;
    } else if (inside && is_marker(line, '>')) {
      parts.emplace_back();
      into = &parts.back().ours;
    } else {
      into->push_back(std::move(line));
    }
  }
  return parts;
}

Result<bool> regions_resolved_to(const Git& git, const std::vector<MergePart>& parts,
                                 MergeChoice choice, const std::string& resolved,
                                 const fs::path& scratch) {
  std::vector<std::string> lines;
  std::vector<Span> regions;
  for (const MergePart& part : parts) {
    const auto first = static_cast<std::int64_t>(lines.size()) + 1;
    if (!part.conflict || choice == MergeChoice::ours) append(lines, part.ours);
    if (part.conflict && choice == MergeChoice::theirs) append(lines, part.theirs);
    if (part.conflict && choice == MergeChoice::ours_theirs) {
      append(lines, part.ours);
      append(lines, part.theirs);
    }
    if (part.conflict && choice == MergeChoice::theirs_ours) {
      append(lines, part.theirs);
      append(lines, part.ours);
    }
    if (part.conflict)
      regions.push_back({first, static_cast<std::int64_t>(lines.size()) + 1 - first});
  }
  if (regions.empty()) return false;
  std::string candidate;
  for (const std::string& line : lines) candidate += line;
  const fs::path folder = scratch / "merge";
  CR_CHECK(make_folders(folder));
  CR_CHECK(write_text(folder / "candidate", candidate));
  CR_CHECK(write_text(folder / "resolved", resolved));
  CR_TRY(const ProcessReply reply,
         git.run({"diff", "--no-index", "-U0", "--no-color", "--no-ext-diff", "--no-textconv",
                  "--text", "--inter-hunk-context=0", (folder / "candidate").string(),
                  (folder / "resolved").string()}));
  if (reply.exit_code != 0 && reply.exit_code != 1)
    return fail(ErrorCode::internal, "git diff could not compare a resolution: " + reply.err);
  for (const Change& change : changes_of(reply.out))
    for (const Span& region : regions)
      if (touches(change, region)) return false;
  return true;
}

}  // namespace checkride::jobs
