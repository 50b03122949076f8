// A scene for the job kinds: a temporary folder (with a space and a letter outside ASCII in its
// name), a user's checkout in it, a run's folder, and the kinds to call in-process. Git there sees
// no configuration of the machine.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "engine/ports/job_kind.h"
#include "workflows/jobs/catalog.h"

namespace checkride::test {

namespace fs = std::filesystem;
using Fields = std::initializer_list<std::pair<const char*, cel::Value>>;

cel::Map record(Fields fields);
cel::Value list(const std::vector<std::string>& texts);
std::vector<std::string> texts(const cel::Value& list);
// A field that must be there.
const cel::Value& at(const cel::Value& record, const std::string& field);
std::string text(const cel::Value& record, const std::string& field);

class Scene {
 public:
  Scene();
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  // Runs a shell script in `folder` (relative to root); its standard output. The test fails when
  // the script does.
  std::string sh(const std::string& script, const fs::path& folder = "repo") const;
  void write(const fs::path& file, const std::string& text) const;  // relative to root
  std::string read(const fs::path& file) const;
  // The checkout with `text` in f.txt on branch main.
  void make_repository(const std::string& text = numbered(1, 30)) const;
  static std::string numbered(int from, int to);

  JobOutcome outcome(const std::string& kind, cel::Map inputs);
  // The result of an attempt that must complete.
  cel::Value run(const std::string& kind, Fields inputs);
  JobStatus status = JobStatus::error;  // of the last run()
  std::vector<JobFact> facts;

  // A worktree of the run on branch "work" at `commit`, and its path.
  fs::path worktree(const std::string& commit = "main");

  fs::path root;
  fs::path repo;
  fs::path run_folder;
  std::string run_id = "run-1";

 private:
  JobCatalog catalog_;
  int attempt_ = 0;
};

}  // namespace checkride::test
