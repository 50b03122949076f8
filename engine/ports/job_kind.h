// What a kind of job does. The signature is checked when a definition is loaded; run() is called in
// the job's own process under its supervisor (supervised kinds) or on a pool thread of the engine
// (inline kinds). A kind that is a foreign program gives a command instead and reads its end.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

// A program to execute, nothing of it interpreted by a shell of ours.
struct ProcessCommand {
  std::vector<std::string> argv;                         // argv[0] is looked up in PATH
  std::vector<std::pair<std::string, std::string>> env;  // added to the fixed allow-list
  std::filesystem::path folder;                          // working folder; must exist
  std::string input;                                     // its standard input; empty: /dev/null
};

// How a foreign program ended, as its supervisor saw it.
struct ProcessEnd {
  std::optional<std::int64_t> exit_code;
  std::optional<std::int64_t> signal;
  std::string stdout_tail;  // last 64 KiB at most
  std::string stderr_tail;
  cel::Map values;                 // what `parse` found
  std::vector<std::string> unmet;  // one sentence for each expectation that did not hold
};

struct JobContext {
  std::filesystem::path attempt_folder;  // private to this attempt; files left here may be kept
  std::filesystem::path run_folder;      // of the root run: worktree, toolbox, logs
};

class JobKind {
 public:
  virtual ~JobKind() = default;
  virtual const JobSignature& signature() const = 0;

  // Foreign programs: the command, or an error that ends the attempt `unavailable` or `code`.
  // Kinds of our own return nothing here and implement run().
  virtual std::optional<Result<ProcessCommand>> command(const JobSpec& spec,
                                                        const JobContext& context) const {
    static_cast<void>(spec);
    static_cast<void>(context);
    return std::nullopt;
  }
  // The outcome of a foreign program that ended by itself. Times, artifacts, exit code and signal
  // are filled in by the supervisor; unmet expectations make it not completed, class code.
  virtual JobOutcome finish(const JobSpec& spec, const ProcessEnd& end) const {
    static_cast<void>(spec);
    static_cast<void>(end);
    return {};
  }
  // Kinds of our own; blocking. Standard output and error go to the attempt's log. Never throws.
  virtual JobOutcome run(const JobSpec& spec, const JobContext& context) const {
    static_cast<void>(spec);
    static_cast<void>(context);
    return {};
  }
  // What run() would find now, as far as that can be told while changing nothing at all; nothing
  // where it cannot. For `run --dry-run`; the attempt folder is empty, bounded time. Never throws.
  virtual std::optional<JobOutcome> look(const JobSpec& spec, const JobContext& context) const {
    static_cast<void>(spec);
    static_cast<void>(context);
    return std::nullopt;
  }
};

// The kinds this program has. Built once in main; immutable.
class JobCatalog {
 public:
  void add(std::unique_ptr<JobKind> kind);  // a second kind of one name is a bug
  const JobKind* find(std::string_view name) const;
  std::vector<const JobSignature*> signatures() const;  // sorted by name

 private:
  std::vector<std::unique_ptr<JobKind>> kinds_;  // sorted by name
};

// Shorthands for run(): a completed result, and an ended attempt without one.
JobOutcome completed(cel::Map result, JobStatus status = JobStatus::pass);
JobOutcome not_completed(JobStatus status, FailureClass failure, std::string message);

}  // namespace checkride
