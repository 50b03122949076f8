#include "workflows/jobs/conflict.h"

#include <algorithm>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/merge_regions.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_bytes_max = 32ULL << 20;

Result<std::string> blob_text(const Git& git, const std::string& blob) {
  if (blob.empty()) return std::string();
  return git.text({"cat-file", "blob", blob});
}

bool is_binary(std::string_view text) {
  return text.substr(0, 8000).find('\0') != std::string::npos;
}

struct Sides {
  std::string base;
  std::string ours;
  std::string theirs;
};

Result<Sides> read_sides(const Git& git, const ConflictFile& conflict) {
  Sides sides;
  CR_TRY(sides.base, blob_text(git, conflict.base));
  CR_TRY(sides.ours, blob_text(git, conflict.ours));
  CR_TRY(sides.theirs, blob_text(git, conflict.theirs));
  return sides;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

}  // namespace

std::vector<std::int64_t> marker_lines(std::string_view text, std::size_t lines_max) {
  std::vector<std::int64_t> found;
  std::int64_t number = 0;
  while (!text.empty() && found.size() < lines_max) {
    ++number;
    for (const std::string_view marker : {"<<<<<<< ", "||||||| ", ">>>>>>> "})
      if (text.starts_with(marker)) found.push_back(number);
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return found;
}

Result<std::vector<ConflictFile>> read_conflicts(const Git& git,
                                                 const std::vector<IndexEntry>& entries,
                                                 const std::set<std::string>& targets,
                                                 const fs::path& scratch) {
  std::vector<ConflictFile> all;
  for (const IndexEntry& entry : entries) {
    if (entry.stage == 0 || !targets.contains(entry.path)) continue;
    if (all.empty() || all.back().path != entry.path) {
      all.emplace_back();
      all.back().path = entry.path;
    }
    ConflictFile& file = all.back();
    (entry.stage == 1 ? file.base : entry.stage == 2 ? file.ours : file.theirs) = entry.blob;
  }
  for (ConflictFile& file : all) {
    const fs::path on_disk = git.folder() / file.path;
    std::error_code ignored;
    std::string marked;
    if (fs::is_regular_file(fs::symlink_status(on_disk, ignored))) {
      CR_TRY(marked, read_file(on_disk, file_bytes_max));
      CR_TRY(file.marked, git.line({"hash-object", "-w", "--no-filters", "--stdin"}, marked));
    }
    CR_TRY(const Sides sides, read_sides(git, file));
    file.binary = is_binary(sides.base) || is_binary(sides.ours) || is_binary(sides.theirs);
    if (file.binary) continue;
    const MergeText texts{sides.base, sides.ours, sides.theirs};
    CR_TRY(const auto regions, merge_regions(git, texts, MergeStyle::with_base, scratch));
    const std::vector<std::int64_t> lines = marker_lines(marked, 10000);
    for (const MergePart& part : regions) {
      if (!part.conflict) continue;
      ConflictHunk hunk;
      // Each region git left has two lines that marker_lines finds: its beginning and its end.
      const std::size_t at = file.hunks.size() * 2;
      hunk.line = at < lines.size() ? lines[at] : 0;
      hunk.ours = joined(part.ours);
      hunk.base = joined(part.base);
      hunk.theirs = joined(part.theirs);
      file.hunks.push_back(std::move(hunk));
    }
  }
  return all;
}

Result<void> hold_conflicts(const Git& git, const std::vector<ConflictFile>& conflicts,
                            const std::string& ref) {
  // git mktree wants its entries in no order and sorts them; names only have to differ.
  std::string listing;
  for (std::size_t i = 0; i < conflicts.size(); ++i) {
    const ConflictFile& file = conflicts[i];
    const std::string number = std::to_string(i);
    const auto add = [&](const std::string& blob, const char* what) {
      if (!blob.empty()) listing += "100644 blob " + blob + "\t" + number + "-" + what + "\n";
    };
    add(file.base, "base");
    add(file.ours, "ours");
    add(file.theirs, "theirs");
    add(file.marked, "marked");
  }
  CR_TRY(const std::string tree, git.line({"mktree", "--missing"}, listing));
  CR_CHECK(hold_tree(git, tree, {}, ref, "the sides of a conflict"));
  return {};
}

Result<std::set<std::string>> replay_resolutions(const Git& git, const fs::path& scratch) {
  std::set<std::string> replayed;
  CR_TRY(const std::string common,
         git.line({"rev-parse", "--path-format=absolute", "--git-common-dir"}));
  const fs::path cache = fs::path(common) / "rr-cache";
  std::error_code problem;
  if (!fs::is_directory(cache, problem)) return replayed;
  // Our own settings switch rerere off, so the user's wish is read from the files alone.
  for (const char* scope : {"--local", "--global"}) {
    CR_TRY(const auto wish,
           git.line_if({"config", scope, "--type=bool", "--get", "rerere.enabled"}));
    if (wish && *wish == "false") return replayed;
    if (wish) break;
  }
  // rerere writes where it reads: give it a repository of its own that borrows the objects, with a
  // copy of the cache and of the index.
  const fs::path folder = scratch / "rerere";
  fs::remove_all(folder, problem);
  CR_CHECK(make_folders(folder));
  CR_TRY(const std::string format, git.line({"rev-parse", "--show-object-format"}));
  CR_CHECK(git.text(
      {"init", "--quiet", "--bare", "--template=", "--object-format=" + format, folder.string()}));
  std::uintmax_t room = 64U << 20;
  std::size_t entries = 0;
  for (const auto& item : fs::recursive_directory_iterator(cache, problem)) {
    const fs::path target = folder / "rr-cache" / fs::relative(item.path(), cache, problem);
    std::error_code ignored;
    if (!item.is_regular_file(ignored)) continue;
    const std::uintmax_t bytes = item.file_size(ignored);
    if (bytes > room || ++entries > 20000) return replayed;  // too much to copy for a convenience
    room -= bytes;
    fs::create_directories(target.parent_path(), ignored);
    fs::copy_file(item.path(), target, ignored);
  }
  CR_CHECK(make_folders(folder / "objects" / "info"));
  CR_CHECK(write_file_atomic(folder / "objects" / "info" / "alternates", common + "/objects\n"));
  CR_TRY(const std::string index,
         git.line({"rev-parse", "--path-format=absolute", "--git-path", "index"}));
  fs::copy_file(index, folder / "index", fs::copy_options::overwrite_existing, problem);
  const Git apart = git.with_config("rerere.enabled=true")
                        .with_env("GIT_DIR", folder.string())
                        .with_env("GIT_INDEX_FILE", (folder / "index").string())
                        .with_env("GIT_WORK_TREE", git.folder().string());
  CR_TRY(const auto before, index_entries(git));
  CR_CHECK(apart.run({"rerere"}));
  CR_TRY(const std::string remaining, apart.text({"rerere", "remaining"}));
  std::set<std::string> open;
  for (std::size_t at = 0; at < remaining.size();) {
    const std::size_t end = std::min(remaining.find('\n', at), remaining.size());
    open.insert(remaining.substr(at, end - at));
    at = end + 1;
  }
  for (const std::string& path : unmerged_paths(before))
    if (!open.contains(path)) replayed.insert(path);
  return replayed;
}

Result<std::string> side_of(const Git& git, const ConflictFile& conflict,
                            const std::string& resolved, const fs::path& scratch) {
  CR_TRY(const Sides sides, read_sides(git, conflict));
  if (resolved == sides.ours) return std::string("ours");
  if (resolved == sides.theirs) return std::string("theirs");
  if (conflict.binary) return std::string("mixed");
  // How finely git cuts regions depends on the style; a union can be made from either cut.
  const MergeText texts{sides.base, sides.ours, sides.theirs};
  for (const MergeStyle style : {MergeStyle::plain, MergeStyle::with_base}) {
    CR_TRY(const auto parts, merge_regions(git, texts, style, scratch));
    for (const MergeChoice choice : {MergeChoice::ours, MergeChoice::theirs,
                                     MergeChoice::ours_theirs, MergeChoice::theirs_ours}) {
      CR_TRY(const bool taken, regions_resolved_to(git, parts, choice, resolved, scratch));
      if (!taken) continue;
      return std::string(choice == MergeChoice::ours     ? "ours"
                         : choice == MergeChoice::theirs ? "theirs"
                                                         : "both");
    }
  }
  return std::string("mixed");
}

cel::Value to_value(const std::vector<ConflictFile>& conflicts) {
  BoundedList all(200, 160 << 10);
  std::size_t text_budget = 24 << 10;
  for (const ConflictFile& file : conflicts) {
    cel::Map record;
    record.set("path", front_of(file.path, 4096));
    record.set("base", file.base);
    record.set("ours", file.ours);
    record.set("theirs", file.theirs);
    record.set("marked", file.marked);
    record.set("binary", file.binary);
    record.set("replayed", file.replayed);
    record.set("hunk_count", static_cast<std::int64_t>(file.hunks.size()));
    BoundedList hunks(50);
    for (const ConflictHunk& hunk : file.hunks) {
      // Texts are for people; the blobs say it all, so room is kept for every file's.
      if (text_budget == 0) break;
      cel::Map entry;
      entry.set("line", hunk.line);
      for (const auto& [name, text] : {std::pair("ours", &hunk.ours), std::pair("base", &hunk.base),
                                       std::pair("theirs", &hunk.theirs)}) {
        const std::string shown = front_of(*text, std::min<std::size_t>(2048, text_budget));
        text_budget -= std::min(text_budget, shown.size() + 100);
        entry.set(name, shown);
      }
      hunks.add(std::move(entry));
    }
    record.set("hunks", hunks.value());
    all.add(std::move(record));
  }
  return all.value();
}

std::vector<ConflictFile> conflicts_from(const cel::Value& list) {
  std::vector<ConflictFile> all;
  if (list.kind() != cel::Kind::list) return all;
  for (const cel::Value& record : list.as_list()) {
    ConflictFile file;
    file.path = record.string_or("path", "");
    file.base = record.string_or("base", "");
    file.ours = record.string_or("ours", "");
    file.theirs = record.string_or("theirs", "");
    file.marked = record.string_or("marked", "");
    file.binary = record.bool_or("binary", false);
    file.replayed = record.bool_or("replayed", false);
    file.hunks.resize(
        static_cast<std::size_t>(std::max<std::int64_t>(0, record.int_or("hunk_count", 0))));
    all.push_back(std::move(file));
  }
  return all;
}

}  // namespace checkride::jobs
