// What every JobRunner does, checked over the local one and the scripted one alike, so that engine
// tests with the fake mean something. A World makes runners over one machine and specs for them:
//
//   struct World {
//     boost::asio::io_context io;
//     RunnerLog log;
//     JobRunner& runner();                      // the present one
//     void restart();                           // engine gone and back: a new runner, same machine
//     JobSpec passing(const Token&);            // ends by itself, completed
//     JobSpec failing(const Token&);            // ends by itself, class code
//     JobSpec waiting(const Token&);            // runs until it is cancelled
//   };
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "engine/ports/job_runner.h"

namespace checkride {

// A JobListener that remembers. `in_call` is set by the suite around calls into the runner: a
// callback from within one is a defect.
class RunnerLog final : public JobListener {
 public:
  struct Start {
    Token token;
    ProcessIdentity identity;
    bool adopted = false;
  };
  struct End {
    Token token;
    JobOutcome outcome;
  };

  void on_started(const Token& token, const ProcessIdentity& identity, bool adopted) override {
    nested = nested || in_call;
    starts.push_back({token, identity, adopted});
  }
  void on_finished(const Token& token, const JobOutcome& outcome) override {
    nested = nested || in_call;
    ends.push_back({token, outcome});
  }
  void on_unknown(const Token& token, const std::string& findings) override {
    nested = nested || in_call;
    unknowns.push_back({token, findings});
  }

  std::vector<Start> starts;
  std::vector<End> ends;
  std::vector<std::pair<Token, std::string>> unknowns;
  bool in_call = false;
  bool nested = false;
};

// Runs handlers until `done`; false after `patience`.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& done,
                      std::chrono::seconds patience = std::chrono::seconds(60)) {
  const auto guard = boost::asio::make_work_guard(io);
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= give_up) return false;
    io.restart();
    // What is waited for may show in a file alone, with no event to wake us.
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

template <class World>
void runner_suite() {
  World world;
  RunnerLog& log = world.log;
  const Token token("suite-run.7");
  const auto call = [&](auto&& action) {
    log.in_call = true;
    action(world.runner());
    log.in_call = false;
  };
  const auto await_end = [&] {
    REQUIRE(run_until(world.io, [&] { return !log.ends.empty() || !log.unknowns.empty(); }));
  };

  SECTION("a start is reported, then its end, once each and never from within a call") {
    call([&](JobRunner& runner) { runner.start(world.passing(token)); });
    await_end();
    REQUIRE(log.ends.size() == 1);
    CHECK(log.ends[0].token == token);
    CHECK(log.ends[0].outcome.completed);
    CHECK(log.ends[0].outcome.status == JobStatus::pass);
    REQUIRE(log.starts.size() == 1);
    CHECK_FALSE(log.starts[0].adopted);
    CHECK(log.unknowns.empty());
    CHECK_FALSE(log.nested);
    CHECK(world.runner().look(token) == AttemptTrace::finished);
  }
  SECTION("a job that says no is not completed, class code") {
    call([&](JobRunner& runner) { runner.start(world.failing(token)); });
    await_end();
    CHECK_FALSE(log.ends.at(0).outcome.completed);
    CHECK(log.ends.at(0).outcome.failure == FailureClass::code);
  }
  SECTION("looking at an attempt nobody asked for finds nothing") {
    CHECK(world.runner().look(token) == AttemptTrace::absent);
    CHECK(world.runner().look(token) == AttemptTrace::absent);
  }
  SECTION("recovering an attempt that never started makes sure that it never does") {
    call([&](JobRunner& runner) { runner.recover(world.passing(token)); });
    await_end();
    CHECK(log.ends.at(0).outcome.never_started);
    CHECK_FALSE(log.ends.at(0).outcome.completed);
    CHECK(log.starts.empty());
    CHECK(world.runner().look(token) == AttemptTrace::voided);
    log.ends.clear();
    call([&](JobRunner& runner) { runner.start(world.passing(token)); });
    await_end();
    CHECK(log.ends.at(0).outcome.never_started);
    CHECK(log.starts.empty());
  }
  SECTION("recovering a finished attempt collects the same outcome") {
    call([&](JobRunner& runner) { runner.start(world.passing(token)); });
    await_end();
    const JobOutcome first = log.ends.at(0).outcome;
    log.ends.clear();
    world.restart();
    call([&](JobRunner& runner) { runner.recover(world.passing(token)); });
    await_end();
    CHECK(log.ends.at(0).outcome == first);
    CHECK_FALSE(log.nested);
  }
  SECTION("a running attempt is adopted by the next runner and ends there") {
    call([&](JobRunner& runner) { runner.start(world.waiting(token)); });
    REQUIRE(run_until(world.io, [&] { return !log.starts.empty(); }));
    world.restart();
    CHECK(world.runner().look(token) == AttemptTrace::running);
    call([&](JobRunner& runner) { runner.recover(world.waiting(token)); });
    REQUIRE(run_until(world.io, [&] { return log.starts.size() == 2; }));
    CHECK(log.starts[1].adopted);
    CHECK(log.ends.empty());
    call([&](JobRunner& runner) { runner.cancel(token); });
    await_end();
    CHECK(log.ends.at(0).outcome.cancelled);
    CHECK_FALSE(log.ends.at(0).outcome.completed);
    CHECK_FALSE(log.nested);
  }
  SECTION("a cancelled attempt ends cancelled, however often it is asked to") {
    call([&](JobRunner& runner) { runner.start(world.waiting(token)); });
    REQUIRE(run_until(world.io, [&] { return !log.starts.empty(); }));
    call([&](JobRunner& runner) { runner.cancel(token); });
    call([&](JobRunner& runner) { runner.cancel(token); });
    await_end();
    REQUIRE(log.ends.size() == 1);
    CHECK(log.ends[0].outcome.cancelled);
    CHECK_FALSE(log.ends[0].outcome.completed);
  }
  SECTION("a cancel of an unknown token is ignored") {
    call([&](JobRunner& runner) { runner.cancel(Token("nobody.1")); });
    call([&](JobRunner& runner) { runner.start(world.passing(token)); });
    await_end();
    CHECK(log.ends.at(0).token == token);
  }
  SECTION("after a detach nothing is reported and the job goes on") {
    call([&](JobRunner& runner) { runner.start(world.waiting(token)); });
    REQUIRE(run_until(world.io, [&] { return !log.starts.empty(); }));
    call([&](JobRunner& runner) { runner.detach(); });
    world.io.restart();
    world.io.run_for(std::chrono::milliseconds(50));
    CHECK(log.ends.empty());
    CHECK(world.runner().look(token) == AttemptTrace::running);
    call([&](JobRunner& runner) { runner.recover(world.waiting(token)); });
    call([&](JobRunner& runner) { runner.cancel(token); });
    await_end();
    CHECK(log.ends.at(0).outcome.cancelled);
  }
}

}  // namespace checkride
