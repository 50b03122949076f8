// What the tests of the look-alike start from: temporary folders, a value or the error's text, and
// git's own verdict on a patch.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/lookalike.h"
#include "tests/support/lookalike_git.h"

namespace checkride::lookalike {

// A folder that is gone at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "lookalike-test-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().text());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Applied {
  std::string patch_class;
  ProgramEnd end;  // of git apply --3way
};

// Applies as the procedure does and reads the class from exit codes and the index, not from words.
inline Applied apply_patch(const std::filesystem::path& worktree,
                           const std::filesystem::path& patch) {
  Applied applied;
  if (must(run_program(worktree, {"git", "apply", "--check", "--reverse", patch})).exit_code == 0) {
    applied.patch_class = "already-applied";
    return applied;
  }
  const int direct = must(run_program(worktree, {"git", "apply", "--check", patch})).exit_code;
  applied.end = must(run_program(worktree, {"git", "apply", "--3way", patch}));
  if (applied.end.exit_code == 0)
    applied.patch_class = direct == 0 ? "clean-direct" : "clean-merged";
  else if (!must(git(worktree, {"ls-files", "-u"})).empty())
    applied.patch_class = "conflict";
  else
    applied.patch_class = "failed";
  return applied;
}

}  // namespace checkride::lookalike
