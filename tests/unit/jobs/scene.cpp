#include "tests/unit/jobs/scene.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "engine/cel/type.h"

namespace checkride::test {

cel::Map record(Fields fields) {
  cel::Map map;
  for (const auto& [name, value] : fields) map.set(name, value);
  return map;
}

cel::Value list(const std::vector<std::string>& texts) {
  cel::List values;
  for (const std::string& one : texts) values.emplace_back(one);
  return cel::Value(std::move(values));
}

std::vector<std::string> texts(const cel::Value& values) {
  std::vector<std::string> all;
  for (const cel::Value& value : values.as_list()) all.push_back(value.as_string());
  return all;
}

const cel::Value& at(const cel::Value& value, const std::string& field) {
  const cel::Value* found = value.field(field);
  INFO("field " << field << " of " << cel::to_json(value, 2));
  REQUIRE(found != nullptr);
  return *found;
}

std::string text(const cel::Value& value, const std::string& field) {
  return at(value, field).as_string();
}

Scene::Scene() : catalog_(builtin_jobs()) {
  std::string pattern = (fs::temp_directory_path() / "checkride jöbs XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  root = pattern;
  repo = root / "repo";
  run_folder = root / "run";
  fs::create_directories(run_folder);
  ::setenv("HOME", root.c_str(), 1);
  ::setenv("XDG_CONFIG_HOME", root.c_str(), 1);
  ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
}

Scene::~Scene() {
  std::error_code ignored;
  fs::remove_all(root, ignored);
}

std::string Scene::sh(const std::string& script, const fs::path& folder) const {
  const fs::path file = root / "script.sh";
  std::ofstream(file) << "set -e\ncd '" << (root / folder).string() << "'\n" << script << "\n";
  FILE* pipe = ::popen(
      ("sh '" + file.string() + "' 2>'" + (root / "script.err").string() + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.append(buffer.data(), n);
  const int status_code = ::pclose(pipe);
  INFO(script << "\n" << out << read("script.err"));
  REQUIRE(status_code == 0);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

void Scene::write(const fs::path& file, const std::string& contents) const {
  fs::create_directories((root / file).parent_path());
  std::ofstream(root / file, std::ios::binary) << contents;
}

std::string Scene::read(const fs::path& file) const {
  std::ifstream in(root / file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string Scene::numbered(int from, int to) {
  std::string lines;
  for (int i = from; i <= to; ++i) lines += "line " + std::to_string(i) + "\n";
  return lines;
}

void Scene::make_repository(const std::string& contents) const {
  fs::create_directories(repo);
  sh("git init -q -b main . && git config user.name Ann && git config user.email ann@example.org");
  write("repo/f.txt", contents);
  sh("git add . && git commit -qm base");
}

JobOutcome Scene::outcome(const std::string& kind, cel::Map inputs) {
  const JobKind* found = catalog_.find(kind);
  REQUIRE(found != nullptr);
  const cel::Value given(inputs);
  const auto fits = cel::conforms(given, found->signature().inputs);
  INFO(kind << ": " << (fits ? "" : fits.error().text()));
  REQUIRE(fits.has_value());
  JobSpec spec;
  spec.root = RunId(run_id);
  spec.run = spec.root;
  spec.token = token_of(spec.run, Sequence(static_cast<std::uint64_t>(++attempt_)));
  spec.kind = kind;
  spec.inputs = std::move(inputs);
  spec.folder = run_folder.string();
  const JobContext context{run_folder / ("attempt-" + std::to_string(attempt_)), run_folder};
  fs::create_directories(context.attempt_folder);
  JobOutcome ended = found->run(spec, context);
  if (ended.completed) {
    const auto result_fits = cel::conforms(ended.result, found->signature().result);
    INFO(cel::to_json(ended.result, 2));
    REQUIRE(result_fits.has_value());
    REQUIRE(cel::size_bytes(ended.result) <= result_bytes_max);
  }
  return ended;
}

cel::Value Scene::run(const std::string& kind, Fields inputs) {
  const JobOutcome ended = outcome(kind, record(inputs));
  INFO(kind << ": " << ended.message);
  REQUIRE(ended.completed);
  status = ended.status;
  facts = ended.facts;
  return ended.result;
}

fs::path Scene::worktree(const std::string& commit) {
  const cel::Value made =
      run("git.worktree", {{"repo", repo.string()}, {"branch", "work"}, {"commit", commit}});
  REQUIRE(at(made, "ready").as_bool());
  return text(made, "path");
}

}  // namespace checkride::test
