// A JobRunner without processes, for tests of the engine: what a job's attempt comes to is a
// function of its spec. The attempts live in a ScriptedWorld of their own, so a test can drop the
// engine with its runner and let a new one recover over the same world, as after a kill.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/ports/job_runner.h"

namespace checkride {

class ScriptedRunner;

// The machine as jobs see it. One thread.
class ScriptedWorld {
 public:
  using Script = std::function<JobOutcome(const JobSpec&)>;
  explicit ScriptedWorld(Script script_) : script(std::move(script_)) {}

  Script script;
  // True: the attempt runs until release(), lose() or a cancel. Unset: none does.
  std::function<bool(const JobSpec&)> holds;
  // True: the start is lost on the way, as if the engine died before its supervisor claimed;
  // nothing is reported. Unset: none is.
  std::function<bool(const JobSpec&)> swallows;

  // Lets a held attempt end with what the script says, or as lost.
  void release(const Token& token);
  void lose(const Token& token);
  // Its end cannot be proved any more.
  void forget(const Token& token);

  // Every attempt that ran, in order; a token is in here at most once.
  const std::vector<JobSpec>& started() const { return started_; }
  std::size_t started_count(const std::string& state) const;
  // Tokens somebody tried to start a second time, or after voiding: an engine's bug.
  const std::vector<Token>& double_starts() const { return double_starts_; }
  const std::vector<Token>& cancelled() const { return cancelled_; }
  AttemptTrace look(const Token& token) const;

 private:
  friend class ScriptedRunner;
  struct Attempt {
    JobSpec spec;
    AttemptTrace trace = AttemptTrace::absent;
    JobOutcome outcome;
  };
  void end(Attempt& attempt, AttemptTrace trace, JobOutcome outcome);

  std::unordered_map<Token, Attempt> attempts_;
  std::vector<JobSpec> started_;
  std::vector<Token> double_starts_;
  std::vector<Token> cancelled_;
  ScriptedRunner* runner_ = nullptr;  // the one that watches now
  std::int64_t ticks_ = 0;            // start times and pids that differ
};

class ScriptedRunner final : public JobRunner {
 public:
  // At most one runner per world at a time.
  ScriptedRunner(boost::asio::io_context& io, JobListener& listener, ScriptedWorld& world);
  ~ScriptedRunner() override;

  void start(const JobSpec& spec) override;
  void recover(const JobSpec& spec) override;
  void cancel(const Token& token) override;
  AttemptTrace look(const Token& token) const override;
  void detach() override;

 private:
  friend class ScriptedWorld;
  void report(const Token& token);
  void post_started(const Token& token, bool adopted);

  boost::asio::io_context& io_;
  JobListener& listener_;
  ScriptedWorld& world_;
  // Replaced by detach(): callbacks posted before it are dropped.
  std::shared_ptr<bool> attached_ = std::make_shared<bool>(true);
  std::unordered_map<Token, bool> watched_;
};

}  // namespace checkride
