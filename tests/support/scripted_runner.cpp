#include "tests/support/scripted_runner.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "engine/base/assert.h"
#include "engine/ports/job_kind.h"

namespace checkride {

void ScriptedWorld::end(Attempt& attempt, AttemptTrace trace, JobOutcome outcome) {
  attempt.trace = trace;
  attempt.outcome = std::move(outcome);
  if (runner_ != nullptr) runner_->report(attempt.spec.token);
}

void ScriptedWorld::release(const Token& token) {
  const auto place = attempts_.find(token);
  if (place == attempts_.end() || place->second.trace != AttemptTrace::running) return;
  end(place->second, AttemptTrace::finished, script(place->second.spec));
}

void ScriptedWorld::lose(const Token& token) {
  const auto place = attempts_.find(token);
  if (place == attempts_.end() || place->second.trace != AttemptTrace::running) return;
  end(place->second, AttemptTrace::lost,
      not_completed(JobStatus::error, FailureClass::lost, "its supervisor died"));
}

void ScriptedWorld::forget(const Token& token) {
  const auto place = attempts_.find(token);
  if (place == attempts_.end() || place->second.trace != AttemptTrace::running) return;
  end(place->second, AttemptTrace::unknown, {});
}

std::size_t ScriptedWorld::started_count(const std::string& state) const {
  return static_cast<std::size_t>(std::count_if(
      started_.begin(), started_.end(), [&](const JobSpec& spec) { return spec.state == state; }));
}

AttemptTrace ScriptedWorld::look(const Token& token) const {
  const auto place = attempts_.find(token);
  return place == attempts_.end() ? AttemptTrace::absent : place->second.trace;
}

ScriptedRunner::ScriptedRunner(boost::asio::io_context& io, JobListener& listener,
                               ScriptedWorld& world)
    : io_(io), listener_(listener), world_(world) {
  CR_ASSERT(world_.runner_ == nullptr);
  world_.runner_ = this;
}

ScriptedRunner::~ScriptedRunner() {
  detach();
  world_.runner_ = nullptr;
}

void ScriptedRunner::start(const JobSpec& spec) {
  if (world_.swallows && world_.swallows(spec)) return;
  auto& attempt = world_.attempts_[spec.token];
  if (attempt.trace != AttemptTrace::absent) {
    world_.double_starts_.push_back(spec.token);
    recover(spec);  // what the real one does: it finds the claim and follows what is there
    return;
  }
  attempt.spec = spec;
  attempt.trace = AttemptTrace::running;
  world_.started_.push_back(spec);
  watched_[spec.token] = true;
  post_started(spec.token, false);
  if (!world_.holds || !world_.holds(spec)) world_.release(spec.token);
}

void ScriptedRunner::recover(const JobSpec& spec) {
  watched_[spec.token] = true;
  auto& attempt = world_.attempts_[spec.token];
  attempt.spec = spec;
  if (attempt.trace == AttemptTrace::running) return post_started(spec.token, true);
  if (attempt.trace == AttemptTrace::absent) attempt.trace = AttemptTrace::voided;
  report(spec.token);
}

void ScriptedRunner::cancel(const Token& token) {
  const auto place = world_.attempts_.find(token);
  if (!watched_.contains(token) || place == world_.attempts_.end() ||
      place->second.trace != AttemptTrace::running)
    return;
  world_.cancelled_.push_back(token);
  JobOutcome outcome = not_completed(JobStatus::error, FailureClass::none, "cancelled");
  outcome.cancelled = true;
  world_.end(place->second, AttemptTrace::finished, std::move(outcome));
}

AttemptTrace ScriptedRunner::look(const Token& token) const {
  return world_.look(token);
}

void ScriptedRunner::detach() {
  attached_ = std::make_shared<bool>(true);
  watched_.clear();
}

void ScriptedRunner::post_started(const Token& token, bool adopted) {
  ProcessIdentity identity;
  identity.host = "scripted";
  identity.boot_id = "boot";
  identity.pid = ++world_.ticks_;
  identity.job_pid = ++world_.ticks_;
  boost::asio::post(io_, [this, token, identity, adopted, attached = std::weak_ptr(attached_)] {
    if (!attached.expired() && watched_.contains(token))
      listener_.on_started(token, identity, adopted);
  });
}

void ScriptedRunner::report(const Token& token) {
  if (!watched_.contains(token)) return;
  boost::asio::post(io_, [this, token, attached = std::weak_ptr(attached_)] {
    if (attached.expired() || watched_.erase(token) == 0) return;
    const ScriptedWorld::Attempt& attempt = world_.attempts_.at(token);
    if (attempt.trace == AttemptTrace::unknown)
      return listener_.on_unknown(token, "the script forgot it");
    JobOutcome outcome = attempt.outcome;
    if (attempt.trace == AttemptTrace::voided) {
      outcome = not_completed(JobStatus::error, FailureClass::none, "it never started");
      outcome.never_started = true;
    }
    listener_.on_finished(token, outcome);
  });
}

}  // namespace checkride
