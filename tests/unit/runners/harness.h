// What the tests of the runners share: a folder of their own, specs, a runner with its listener, a
// fifo to wait for a job's word, and processes to start and kill.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "engine/decider/job.h"
#include "engine/ports/job_kind.h"
#include "engine/runners/local/local_runner.h"
#include "tests/support/runner_suite.h"

namespace checkride {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A named pipe a job writes to or waits on; opened here at once, so nobody blocks for want of a
// peer.
class Fifo {
 public:
  explicit Fifo(std::filesystem::path path);
  // Whether a byte came within a minute.
  bool await() const;
  void tell() const;
  const std::string& path() const { return path_.native(); }

 private:
  std::filesystem::path path_;
  FileDescriptor fd_;
};

std::string test_supervisor();  // path of the program

JobSpec shell_spec(const std::filesystem::path& folder, const std::string& script,
                   const std::string& token = "run.1");
JobSpec own_spec(const std::filesystem::path& folder, const std::string& what,
                 const std::string& text = "", const std::string& token = "run.1");
JobSpec inline_spec(const std::filesystem::path& folder, const std::string& what,
                    const std::string& text = "", const std::string& token = "run.1");

// A runner over `<folder>/attempts`.
struct LocalMachine {
  LocalMachine();
  void restart();
  // Starts it and waits for its one report, which must be an end.
  JobOutcome outcome_of(const JobSpec& spec);
  bool await_end();
  std::filesystem::path attempt(const std::string& token = "run.1") const;
  std::string file(const std::string& name, const std::string& token = "run.1") const;

  TemporaryFolder folder;
  JobCatalog catalog;
  boost::asio::io_context io;
  RunnerLog log;
  std::unique_ptr<LocalRunner> runner;
};

// Starts a program, standard input and output on /dev/null.
pid_t start_process(const std::vector<std::string>& argv);
int await_process(pid_t pid);  // its wait status
void kill_process(pid_t pid);  // KILL, and reaps it if it is ours

// Waits for the end of processes that are not ours; false after a minute.
bool await_gone(const std::vector<pid_t>& pids);

}  // namespace checkride
