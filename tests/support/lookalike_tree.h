// The texts the look-alike is made of, as trees in memory and changes to them. A change is a set of
// exact replacements, so that a history reads as a list of edits and not as copies of files.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/lookalike.h"

namespace checkride::lookalike {

struct File {
  std::string text;
  bool executable = false;
};
using Tree = std::map<std::string, File>;  // by path

struct NewFile {
  std::string path;
  std::string text;
  bool executable = false;
};
// `find` stands exactly once in the file and becomes `replace`.
struct Edit {
  std::string_view path;
  std::string_view find;
  std::string_view replace;
};
struct Change {
  std::vector<NewFile> files;
  std::vector<Edit> edits;
};

// not_found where a file is absent or an edit's text does not stand there exactly once.
Result<Tree> with_change(Tree tree, const Change& change);

struct UpstreamStep {
  std::string_view message;
  Change change;
};
// Oldest first: fork point, one step, then base, later_1 .. later_4.
const std::vector<UpstreamStep>& upstream_history();
inline constexpr std::size_t step_of(UpstreamCommit at) {
  return 2 + static_cast<std::size_t>(at);
}
Result<Tree> upstream_tree(std::size_t step);

// What a patch does to the tree of the fork point.
Change component(std::size_t patch_index, const LookalikeOptions& options);
// The same put onto `at` by somebody who understood both sides; empty where there is no conflict.
Change resolution(UpstreamCommit at, std::string_view path, const LookalikeOptions& options);
// The files of the fork that no patch carries: test scripts, preflight, checklist.
std::vector<NewFile> fork_tools(ScriptBehaviour behaviour);
// The diagnostic and the environment script, which patch 07 carries. The test scripts are not in
// it: a run has them beside its tree before that patch, and git refuses to create a file that is
// there.
std::vector<NewFile> carried_scripts();

}  // namespace checkride::lookalike
