// JobRunner for this machine. Supervised kinds run under a detached supervisor each (supervisor.h),
// which this class spawns, watches through a pidfd, and finds again after the engine was killed;
// inline kinds run on a small pool of the engine.
//
// All calls and all callbacks happen on the io_context's one thread. Blocking work (files,
// spawning, searching for survivors) runs on a pool of its own, so a slow inline job delays no
// start.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/ports/job_kind.h"
#include "engine/ports/job_runner.h"

namespace checkride {

class LocalRunner final : public JobRunner {
 public:
  // `attempts` is the folder that holds a folder per attempt. `supervisor` is the command that,
  // with such a folder as last argument, calls supervise(): {"/proc/self/exe", "supervise"}.
  // References must outlive the runner.
  LocalRunner(boost::asio::io_context& io, JobListener& listener, const JobCatalog& catalog,
              std::filesystem::path attempts, std::vector<std::string> supervisor);
  // Detaches, and waits for inline jobs that are in the middle of their run.
  ~LocalRunner() override;

  // A token that is being watched already is left as it is.
  void start(const JobSpec& spec) override;
  void recover(const JobSpec& spec) override;
  // Inline jobs are reported cancelled at once; a late result of theirs is dropped (they are safe
  // to repeat and hold nothing).
  void cancel(const Token& token) override;
  AttemptTrace look(const Token& token) const override;
  void detach() override;

  // Where an attempt keeps its files; an outcome's artifact lies there under its name.
  std::filesystem::path attempt_folder(const Token& token) const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace checkride
