// Answers to a conflict, honest and lying, and the ways in which a fork's checkout can be awkward.
#include <functional>

#include "engine/base/files.h"
#include "tests/support/lookalike.h"
#include "tests/support/lookalike_git.h"
#include "tests/support/lookalike_tree.h"

namespace checkride::lookalike {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = 1u << 20;

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto length = end == std::string_view::npos ? text.size() : end + 1;
    result.emplace_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return result;
}

Result<std::vector<std::string>> unmerged_files(const fs::path& worktree) {
  CR_TRY(const std::string names,
         git(worktree, {"-c", "core.quotePath=false", "diff", "--name-only", "--diff-filter=U"}));
  std::vector<std::string> files = lines(names + (names.empty() ? "" : "\n"));
  for (auto& file : files) file.pop_back();
  if (files.empty())
    return fail(ErrorCode::invalid_argument, worktree.string() + " has no unmerged file");
  return files;
}

using Region = std::function<std::string(const std::string& ours, const std::string& theirs)>;

// The text with each conflict region replaced by what `settle` makes of its two sides; understands
// the merge and the diff3 style.
std::string settle_regions(std::string_view text, const Region& settle) {
  enum class Part { common, ours, original, theirs } part = Part::common;
  std::string result, ours, theirs;
  for (const auto& line : lines(text)) {
    if (line.starts_with("<<<<<<< ")) {
      part = Part::ours;
    } else if (part != Part::common && line.starts_with("||||||| ")) {
      part = Part::original;
    } else if (part != Part::common && line == "=======\n") {
      part = Part::theirs;
    } else if (part == Part::theirs && line.starts_with(">>>>>>> ")) {
      result += settle(ours, theirs);
      ours.clear();
      theirs.clear();
      part = Part::common;
    } else if (part == Part::common) {
      result += line;
    } else if (part == Part::ours) {
      ours += line;
    } else if (part == Part::theirs) {
      theirs += line;
    }
  }
  return result;
}

Result<void> settle_files(const fs::path& worktree, const Region& settle) {
  CR_TRY(const auto files, unmerged_files(worktree));
  for (const auto& file : files) {
    CR_TRY(const std::string text, read_file(worktree / file, file_bytes_max));
    CR_CHECK(write_file_atomic(worktree / file, settle_regions(text, settle)));
    CR_CHECK(git(worktree, {"add", "--", file}));
  }
  return {};
}

Result<void> write_right_texts(const fs::path& worktree, UpstreamCommit at,
                               const LookalikeOptions& options) {
  CR_TRY(const auto files, unmerged_files(worktree));
  for (const auto& file : files) {
    CR_TRY(const std::string text, right_resolution(at, file, options));
    CR_CHECK(write_file_atomic(worktree / file, text));
  }
  return {};
}

std::string with_crlf(std::string_view text) {
  std::string result;
  for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return result;
}

}  // namespace

std::string_view to_string(Lie lie) {
  constexpr std::array<std::string_view, 6> names = {
      "markers-left", "markers-committed", "all-ours", "all-theirs", "both-sides", "not-added"};
  return names.at(static_cast<std::size_t>(lie));
}

Result<std::string> right_resolution(UpstreamCommit at, std::string_view path,
                                     const LookalikeOptions& options) {
  const Change change = resolution(at, path, options);
  if (change.edits.empty())
    return fail(ErrorCode::not_found,
                std::string(path) + " does not conflict at " + std::string(to_string(at)));
  CR_TRY(Tree tree, upstream_tree(step_of(at)));
  CR_TRY(tree, with_change(std::move(tree), change));
  return tree.at(std::string(path)).text;
}

Result<void> resolve_conflict(const fs::path& worktree, UpstreamCommit at,
                              const LookalikeOptions& options) {
  CR_TRY(const auto files, unmerged_files(worktree));
  CR_CHECK(write_right_texts(worktree, at, options));
  for (const auto& file : files) CR_CHECK(git(worktree, {"add", "--", file}));
  return {};
}

Result<void> move_package(const fs::path& worktree) {
  CR_CHECK(git(worktree, {"mv", "gh200", "simpletuner/gh200"}));
  return {};
}

Result<void> tell_lie(const fs::path& worktree, UpstreamCommit at, Lie lie,
                      const LookalikeOptions& options) {
  using Text = const std::string&;
  switch (lie) {
    case Lie::markers_left: {
      CR_TRY(const auto files, unmerged_files(worktree));
      for (const auto& file : files) CR_CHECK(git(worktree, {"add", "--", file}));
      return {};
    }
    case Lie::markers_committed:
      CR_CHECK(unmerged_files(worktree));
      CR_CHECK(git(worktree, {"commit", "--quiet", "-a", "-m", "Resolved"}));
      return {};
    case Lie::all_ours: return settle_files(worktree, [](Text ours, Text) { return ours; });
    case Lie::all_theirs: return settle_files(worktree, [](Text, Text theirs) { return theirs; });
    case Lie::both_sides:
      return settle_files(worktree, [](Text ours, Text theirs) { return ours + theirs; });
    case Lie::not_added: return write_right_texts(worktree, at, options);
  }
  return fail(ErrorCode::invalid_argument, "no such lie");
}

Result<fs::path> make_shallow_fork(const Lookalike& place, const fs::path& folder) {
  CR_CHECK(git(place.folder, {"clone", "--quiet", "--depth", "1", "--branch", "main",
                              "file://" + place.upstream.string(), folder.string()}));
  CR_CHECK(git(folder, {"config", "user.name", "Lookalike"}));
  CR_CHECK(git(folder, {"config", "user.email", "lookalike@example.invalid"}));
  Change own{fork_tools(place.options.scripts), {}};
  LookalikeOptions lived_in = place.options;
  lived_in.package_where_expected = true;
  const Change package = component(5, lived_in);
  own.files.insert(own.files.end(), package.files.begin(), package.files.end());
  for (const auto& file : carried_scripts()) own.files.push_back(file);
  for (std::size_t i = 0; i < patch_names.size(); ++i) {
    CR_TRY(std::string patch, read_file(place.patch(i), file_bytes_max));
    own.files.push_back({"patches/" + std::string(patch_names.at(i)) + ".patch", patch});
  }
  for (const auto& file : own.files) {
    std::error_code error;
    fs::create_directories((folder / file.path).parent_path(), error);
    CR_CHECK(write_file_atomic(folder / file.path, file.text, file.executable ? 0755 : 0644));
  }
  CR_CHECK(git(folder, {"add", "-A"}));
  CR_CHECK(git(folder, {"commit", "--quiet", "-m", "The fork's own files"}));
  return fs::path(folder);
}

Result<void> damage_patch(const Lookalike& place, std::size_t patch_index, PatchDamage damage) {
  const fs::path path = place.patch(patch_index);
  CR_TRY(std::string text, read_file(path, file_bytes_max));
  switch (damage) {
    case PatchDamage::crlf: text = with_crlf(text); break;
    // In the middle of a line of the last hunk.
    case PatchDamage::truncated: text.resize(text.rfind("\n+") + 3); break;
    case PatchDamage::empty: text.clear(); break;
    case PatchDamage::garbage: text = "no patch is in here\n\x01\x02\x7f\n"; break;
    case PatchDamage::missing: break;
  }
  if (damage == PatchDamage::missing)
    CR_CHECK(git(place.fork, {"rm", "--quiet", "--", path.string()}));
  else
    CR_CHECK(write_file_atomic(path, text));
  CR_CHECK(git(place.fork, {"commit", "--quiet", "-a", "-m", "Touch a patch"}));
  return {};
}

Result<void> make_dirty(const Lookalike& place) {
  const fs::path file = place.fork / "README.md";
  CR_TRY(const std::string text, read_file(file, file_bytes_max));
  return write_file_atomic(file, text + "\nUnfinished work.\n");
}

Result<void> detach_head(const Lookalike& place) {
  CR_CHECK(git(place.fork, {"checkout", "--quiet", "--detach"}));
  return {};
}

Result<void> make_branch(const Lookalike& place, std::string_view name) {
  CR_CHECK(git(place.fork, {"branch", std::string(name)}));
  return {};
}

Result<void> run_preflight(const Lookalike& place) {
  CR_TRY(const auto end, run_program(place.fork, {"./verify_assumptions.sh"}));
  if (end.exit_code != 0) return fail(ErrorCode::internal, "preflight: " + end.output);
  return {};
}

fs::path awkward_name() {
  return fs::path(u8"Träume & Schäume, it's größer");
}

}  // namespace checkride::lookalike
