// The jobs that start a tool: with tools played by shell scripts, and (hidden, [.gpu]) with the
// real ones on a device. CHECKRIDE_TOOL_PROBE is a program with one known fault for each of its
// modes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "engine/base/files.h"
#include "kernels/job/device.h"
#include "kernels/tools/child.h"
#include "kernels/tools/ncu_job.h"
#include "kernels/tools/sanitizer_job.h"
#include "tests/unit/kernels/folder.h"
#include "tests/unit/kernels/run_job.h"

namespace checkride::kernels {
namespace {

using test::Folder;
using testing::fixture;
using tools::ChildCommand;
using tools::run_child;

// A tool of that name first on PATH for as long as this lives.
class FakeTool {
 public:
  FakeTool(const std::string& name, const std::string& script) : old_(std::getenv("PATH")) {
    REQUIRE(write_file_atomic(folder_.path / name, "#!/bin/sh\n" + script, 0755));
    ::setenv("PATH", (folder_.path.string() + ":" + old_).c_str(), 1);
  }
  FakeTool(const FakeTool&) = delete;
  FakeTool& operator=(const FakeTool&) = delete;
  ~FakeTool() { ::setenv("PATH", old_.c_str(), 1); }

 private:
  Folder folder_;
  std::string old_;
};

Result<JobReport> run_in(const Folder& folder, const Job& job, const json::object& inputs) {
  CR_TRY(const JobRequest request, request_of(inputs, folder.path));
  return job.run(request);
}

bool gone(pid_t pid) {
  // Dead and waited for by whoever inherited it, or still waiting for that.
  if (::kill(pid, 0) != 0) return true;
  std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
  std::string id, name, state;
  status >> id >> name >> state;
  return state == "Z";
}

// Ending a process takes the system a moment.
template <class Done>
bool soon(Done done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return done();
}

TEST_CASE("a child's output, exit code and signal come back", "[child]") {
  auto end = run_child({.words = {"sh", "-c", "echo out; echo err >&2; exit 7"}});
  REQUIRE(end);
  CHECK(end->output == "out\nerr\n");
  CHECK(end->exit_code == 7);
  CHECK(end->signal == 0);
  end = run_child({.words = {"sh", "-c", "kill -SEGV $$"}});
  REQUIRE(end);
  CHECK(end->signal == SIGSEGV);
  end = run_child({.words = {"sh", "-c", "head -c 100000 /dev/zero"}, .output_bytes_max = 1000});
  REQUIRE(end);
  CHECK(end->output.size() == 1000);
  CHECK(end->truncated);
  CHECK(end->exit_code == 0);
  const auto none = run_child({.words = {"/no/such/program"}});
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
  CHECK_FALSE(run_child(ChildCommand{}));
  CHECK_FALSE(tools::find_tool("no-such-tool"));
}

TEST_CASE("at the time limit a child and all it started are ended", "[child]") {
  const auto end = run_child({.words = {"sh", "-c", "sleep 600 & echo $!; wait"},
                              .timeout = std::chrono::milliseconds(300)});
  REQUIRE(end);
  CHECK(end->timed_out);
  CHECK(end->signal == SIGKILL);
  const pid_t grandchild = std::stoi(end->output);
  CHECK(soon([&] { return gone(grandchild); }));
}

TEST_CASE("what outlives the child ends with the call", "[child]") {
  const auto end =
      run_child({.words = {"sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!; exit 0"}});
  REQUIRE(end);
  CHECK_FALSE(end->timed_out);
  CHECK(end->exit_code == 0);
  CHECK(soon([&] { return gone(std::stoi(end->output)); }));
}

TEST_CASE("when the caller is killed its child's group goes too", "[child]") {
  const Folder folder;
  const std::string file = (folder.path / "pid").string();
  const pid_t caller = ::fork();
  REQUIRE(caller >= 0);
  if (caller == 0) {
    const auto end = run_child({.words = {"sh", "-c",
                                          "sleep 600 & echo $! > '" + file + "'.new; mv '" + file +
                                              "'.new '" + file + "'; wait"}});
    ::_exit(end ? 0 : 1);
  }
  REQUIRE(soon([&] { return std::filesystem::exists(file); }));
  const pid_t grandchild = std::stoi(read_file(file, 100).value());
  CHECK_FALSE(gone(grandchild));
  ::kill(caller, SIGKILL);
  CHECK(::waitpid(caller, nullptr, 0) == caller);
  CHECK(soon([&] { return gone(grandchild); }));
}

TEST_CASE("sanitizer.run judges what the tool says", "[sanitizer]") {
  const Folder folder;
  const std::string path = fixture("sanitizer").string();
  SECTION("clean") {
    const FakeTool tool("compute-sanitizer",
                        "echo \"$@\" >&2; cat '" + path + "/racecheck_clean.txt'");
    const auto report = run_in(
        folder, sanitizer_run_job(),
        {{"command", {"./target", "clean"}}, {"tool", "racecheck"}, {"expect", {"^clean: "}}});
    REQUIRE(report);
    CHECK(report->status == Status::pass);
    REQUIRE(report->artifacts.size() == 1);
    const std::string kept = read_file(folder.path / report->artifacts[0], 1 << 20).value();
    CHECK(kept.find("--tool racecheck --error-exitcode 86 --print-limit 100000 ./target clean") !=
          std::string::npos);
  }
  SECTION("its own program") {
    const FakeTool tool("compute-sanitizer", "echo \"$@\"");
    const auto report =
        run_in(folder, sanitizer_run_job(), {{"command", {"checkride", "kernel", "list"}}});
    REQUIRE(report);
    const std::string kept = read_file(folder.path / report->artifacts.at(0), 1 << 20).value();
    const auto own = std::filesystem::read_symlink("/proc/self/exe").string();
    CHECK(kept.find(" " + own + " kernel list") != std::string::npos);
  }
  SECTION("races") {
    const FakeTool tool("compute-sanitizer", "cat '" + path + "/racecheck_race.txt'; exit 86");
    const auto report =
        run_in(folder, sanitizer_run_job(), {{"command", {"t"}}, {"tool", "racecheck"}});
    REQUIRE(report);
    CHECK(report->reasons == std::vector<std::string>{"hazards"});
    CHECK(report->fields.at("kernels_checked").as_int64() == 1);
  }
  SECTION("the tool dies, or never ends") {
    const FakeTool tool(
        "compute-sanitizer",
        "echo '========= COMPUTE-SANITIZER'; [ $8 = dies ] && kill -9 $$; sleep 600");
    auto report =
        run_in(folder, sanitizer_run_job(), {{"command", {"sh", "dies"}}, {"tool", "racecheck"}});
    REQUIRE(report);
    CHECK(report->status == Status::error);
    report = run_in(folder, sanitizer_run_job(),
                    {{"command", {"sh", "stays"}}, {"tool", "racecheck"}, {"timeout_s", 1}});
    REQUIRE(report);
    CHECK(report->status == Status::error);
    CHECK(report->reasons == std::vector<std::string>{"timeout"});
  }
  SECTION("no command, no tool") {
    CHECK_FALSE(run_in(folder, sanitizer_run_job(), {{"command", json::array{}}}));
    const std::string path_before = std::getenv("PATH");
    ::setenv("PATH", "", 1);
    const auto report = run_in(folder, sanitizer_run_job(), {{"command", {"true"}}});
    ::setenv("PATH", path_before.c_str(), 1);
    if (::access("/usr/local/cuda/bin/compute-sanitizer", X_OK) != 0) {
      REQUIRE_FALSE(report);
      CHECK(report.error().code == ErrorCode::unavailable);
    }
  }
}

TEST_CASE("ncu.run asks for base units and unchanged clocks, and reads the log", "[ncu]") {
  const Folder folder;
  const std::string csv = fixture("ncu/attention_long.txt").string();
  SECTION("with figures") {
    const FakeTool tool(
        "ncu",
        "args=\"$*\"; while [ $# -gt 0 ]; do [ \"$1\" = --log-file ] && log=\"$2\"; shift; done\n"
        "grep -v '^{' '" +
            csv + "' > \"$log\"; echo \"==WARNING== args $args\" >> \"$log\"");
    const auto report = run_in(folder, ncu_run_job(),
                               {{"command", {"./bench", "--first"}}, {"kernels", "forward_split"}});
    REQUIRE(report);
    CHECK(report->status == Status::pass);
    CHECK(report->fields.at("k").as_object().at("num_ctas").as_int64() == 128);
    const std::string log = read_file(folder.path / "ncu.csv", 1 << 20).value();
    CHECK(log.find("--clock-control none") != std::string::npos);
    CHECK(log.find("--print-units base") != std::string::npos);
    CHECK(log.find("--kernel-name regex:forward_split ./bench --first") != std::string::npos);
  }
  SECTION("refused") {
    const FakeTool tool("ncu", "cat '" + fixture("ncu/permission_denied.txt").string() + "'");
    const auto report = run_in(folder, ncu_run_job(), {{"command", {"./bench"}}});
    REQUIRE(report);
    CHECK(report->status == Status::unavailable);
    CHECK(report->fields.at("counters_denied").as_bool());
  }
}

std::string probe() {
  const char* const path = std::getenv("CHECKRIDE_TOOL_PROBE");
  return path != nullptr ? path : CR_TOOL_PROBE;
}

// True where the machine keeps the tool from its device; says so.
bool refused(const JobReport& report) {
  if (report.status != Status::unavailable) return false;
  WARN("unavailable: " << report.message);
  return true;
}

TEST_CASE("compute-sanitizer finds each fault of the probe, and nothing in clean kernels",
          "[.gpu]") {
  REQUIRE(device());
  const Folder folder;
  const auto run = [&](const char* tool, const char* mode) {
    auto report = run_in(folder, sanitizer_run_job(),
                         {{"command", {probe(), mode}},
                          {"tool", tool},
                          {"timeout_s", 60},
                          {"expect", {"^" + std::string(mode) + ": "}}});
    REQUIRE(report);
    return *std::move(report);
  };
  for (const char* tool : {"memcheck", "racecheck", "initcheck", "synccheck"}) {
    const JobReport report = run(tool, "clean");
    if (refused(report)) return;
    INFO(tool << ": " << report.message);
    CHECK(report.status == Status::pass);
  }
  CHECK(run("memcheck", "wild").fields.at("errors").as_int64() > 0);
  CHECK(run("memcheck", "leak").fields.at("leaked_bytes").as_int64() == 8192);
  CHECK(run("memcheck", "api").fields.at("api_errors").as_int64() > 0);
  CHECK(run("racecheck", "race").fields.at("hazards").as_int64() > 0);
  CHECK(run("initcheck", "uninit").fields.at("errors").as_int64() == 64);
  const JobReport crashed = run("racecheck", "segv-late");
  CHECK(crashed.status == Status::fail);
  CHECK(crashed.fields.at("hazards").as_int64() == 0);
  CHECK(crashed.reasons == std::vector<std::string>{"target_failed"});
}

TEST_CASE("ncu reads figures of the probe's kernels", "[.gpu]") {
  REQUIRE(device());
  const Folder folder;
  const auto report =
      run_in(folder, ncu_run_job(), {{"command", {probe(), "clean"}}, {"kernels", "scale_clean"}});
  REQUIRE(report);
  if (refused(*report)) return;
  INFO(report->message);
  CHECK(report->status == Status::pass);
  REQUIRE(report->fields.at("k").is_object());
  const json::object& k = report->fields.at("k").as_object();
  CHECK(k.at("num_ctas").as_int64() == 8);
  CHECK(k.at("duration_us").as_double() > 0.5);
  CHECK(k.at("duration_us").as_double() < 100);
  CHECK(k.at("regs").as_int64() > 0);
  CHECK(k.at("tensor_inst_gmma").as_int64() == 0);
  CHECK(k.at("spill_insts").as_int64() == 0);
}

}  // namespace
}  // namespace checkride::kernels
