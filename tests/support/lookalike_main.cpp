// make_lookalike: the look-alike from a shell. Prints nothing where all went well; 1 and a sentence
// where not, 2 on wrong usage.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "tests/support/lookalike.h"

namespace {

using namespace checkride::lookalike;

template <class List>
auto by_name(const List& list) {
  std::map<std::string, typename List::value_type> names;
  for (const auto value : list) names.emplace(to_string(value), value);
  return names;
}

int end(const checkride::Result<void>& result) {
  if (result) return 0;
  std::cerr << "make_lookalike: " << result.error().text() << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Writes a look-alike fork into FOLDER, or answers a conflict in a worktree of one.");
  const std::map<std::string, ScriptBehaviour> behaviours = {
      {"pass", ScriptBehaviour::pass},
      {"skip", ScriptBehaviour::skip},
      {"fail-upstream", ScriptBehaviour::fail_upstream},
      {"fail-gh200", ScriptBehaviour::fail_gh200},
      {"fail-combined", ScriptBehaviour::fail_combined}};
  const auto commits = by_name(all_commits);
  const auto lies = by_name(all_lies);
  std::string folder, resolve, move;
  LookalikeOptions options;
  // CLI11 takes its enums as text: its own to_string and ours do not get along.
  std::string scripts = "pass", tip = "base", at = "base", lie;
  app.add_option("folder", folder, "a new or empty folder");
  app.add_flag("--lost-symbols", options.lost_symbols, "patch 01 deletes methods still called");
  app.add_flag("--package-where-expected", options.package_where_expected,
               "patch 06 adds its package where importers look");
  app.add_option("--scripts", scripts, "what the test scripts do")
      ->check(CLI::IsMember(&behaviours));
  app.add_option("--tip", tip, "where origin's main stands")->check(CLI::IsMember(&commits));
  app.add_option("--resolve", resolve, "put the conflict in this worktree right");
  app.add_option("--at", at, "the upstream commit the worktree stands on")
      ->check(CLI::IsMember(&commits));
  app.add_option("--lie", lie, "answer the conflict wrongly, in this way")
      ->check(CLI::IsMember(&lies));
  app.add_option("--move-package", move, "repair patch 06 in this worktree");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.scripts = behaviours.at(scripts);
  options.tip = commits.at(tip);
  if (!move.empty()) return end(move_package(move));
  if (!resolve.empty() && !lie.empty())
    return end(tell_lie(resolve, commits.at(at), lies.at(lie), options));
  if (!resolve.empty()) return end(resolve_conflict(resolve, commits.at(at), options));
  if (folder.empty()) {
    std::cerr << app.help();
    return 2;
  }
  return end(make_lookalike(folder, options).map([](const Lookalike&) {}));
}
