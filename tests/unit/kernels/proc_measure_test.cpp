// proc.measure: step lines read from output, and real children that end in every way.
#include <boost/json/array.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>

#include "engine/base/files.h"
#include "kernels/process/child.h"
#include "kernels/process/descendants.h"
#include "kernels/process/proc_measure_job.h"
#include "kernels/process/step_lines.h"
#include "kernels/statistics/comparison.h"
#include "kernels/statistics/samples.h"
#include "tests/unit/kernels/fake_nvml.h"
#include "tests/unit/kernels/folder.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::process;
namespace fs = std::filesystem;

namespace {

using test::Folder;

StepLines lines_of(const std::string& regex, std::int64_t warmup = 1, double per_step = 1.0) {
  auto lines = StepLines::create({regex, warmup, per_step});
  REQUIRE(lines);
  return std::move(*lines);
}

JobReport measure(const Folder& folder, json::object inputs) {
  JobRequest request;
  request.inputs = std::move(inputs);
  request.folder = folder.path;
  const auto report = proc_measure_job().run(request);
  if (!report) FAIL(report.error().text());
  return *report;
}

std::int64_t whole_of(const JobReport& report, const char* field) {
  return report.fields.at(field).as_int64();
}

std::string text_of(const JobReport& report, const char* field) {
  const json::string& text = report.fields.at(field).as_string();
  return {text.data(), text.size()};
}

}  // namespace

TEST_CASE("steps are counted from the end of the warm-up", "[steps]") {
  StepLines lines = lines_of("step done", 2, 8.0);
  lines.feed("loading\nstep done\n", 10.0);  // compilation
  lines.feed("step done\n", 11.0);           // the clock starts here
  lines.feed("step do", 11.9);
  lines.feed("ne\nother\nstep done\n", 13.0);
  lines.end(14.0);
  const StepSummary& found = lines.summary();
  CHECK(found.steps == 4);
  CHECK(found.measured_steps == 2);
  CHECK(*found.samples_per_s == Approx(8.0));
  CHECK(*found.wall_s_per_1k_steps == Approx(1000.0));
  // Two lines at one moment are one interval.
  CHECK(found.interval_samples_per_s == std::vector<double>{8.0});
  CHECK(found.interval_wall_s_per_1k_steps == std::vector<double>{1000.0});
}

TEST_CASE("a warm-up of nothing measures from the start", "[steps]") {
  StepLines lines = lines_of("s", 0);
  lines.feed("s\n", 2.0);
  lines.feed("s\n", 4.0);
  CHECK(*lines.summary().samples_per_s == Approx(0.5));
  CHECK(lines.summary().measured_steps == 2);
}

TEST_CASE("numbers in the line say which step it is and how many samples", "[steps]") {
  StepLines lines = lines_of("step (?P<step>[0-9,]+).* samples=(?P<samples>\\S+)", 10);
  lines.feed("step 10 samples=99\n", 1.0);
  lines.feed("step 20 samples=40\r", 2.0);
  lines.feed("step 20 samples=40\r", 2.5);  // a bar drawn again
  lines.feed("step 1,020 samples=60\n", 3.0);
  lines.feed("step 5 samples=1\n", 4.0);      // goes back
  lines.feed("step 1,030 samples=x\n", 5.0);  // no number
  const StepSummary& found = lines.summary();
  CHECK(found.steps == 1020);
  CHECK(found.measured_steps == 1010);
  CHECK(*found.samples_per_s == Approx(50.0));
  CHECK(*found.wall_s_per_1k_steps == Approx(1000.0 * 2.0 / 1010.0));
  CHECK(found.odd_lines == 2);
  CHECK(found.interval_samples_per_s == std::vector<double>{40.0, 60.0});
  StepLines unnamed = lines_of("it ([0-9]+)", 1);
  unnamed.feed("it 1\n", 1.0);
  unnamed.feed("it 11\n", 2.0);
  CHECK(*unnamed.summary().samples_per_s == Approx(10.0));
}

TEST_CASE("one step line is no speed", "[steps]") {
  StepLines lines = lines_of("step");
  CHECK_FALSE(lines.summary().samples_per_s);
  lines.feed("step\n", 1.0);
  CHECK_FALSE(lines.summary().samples_per_s);
  lines.feed("step\n", 1.0);
  CHECK_FALSE(lines.summary().samples_per_s);  // no time has passed
}

TEST_CASE("lines without an end and hostile patterns stay bounded", "[steps]") {
  StepLines lines = lines_of("(a+)+$|step");
  const std::string much(1 << 20, 'a');
  for (int i = 0; i < 8; ++i) lines.feed(much, 1.0);
  lines.feed("b\nstep\n", 2.0);
  CHECK(lines.summary().cut_lines == 1);
  CHECK_FALSE(StepLines::create({"(", 1, 1.0}));
  CHECK_FALSE(StepLines::create({std::string(5000, 'a'), 1, 1.0}));
  CHECK_FALSE(StepLines::create({"(((a{1000}){1000}){1000})", 1, 1.0}));
  const std::string nul("\0\xff step\n", 8);
  StepLines bytes = lines_of("step");
  bytes.feed(nul, 1.0);
  CHECK(bytes.summary().steps == 1);
}

TEST_CASE("a child that prints steps is measured, and its samples can be compared", "[proc]") {
  const Folder folder;
  const std::string script =
      "i=0; while [ $i -lt 6 ]; do i=$((i+1)); echo \"step $i/6\"; sleep 0.05; done";
  const JobReport report = measure(folder, {{"script", script},
                                            {"work_regex", "step (\\d+)/"},
                                            {"samples_per_step", 4.0},
                                            {"cell", "sleeper"}});
  CHECK(report.status == Status::pass);
  CHECK(report.message.empty());
  CHECK(whole_of(report, "exit_code") == 0);
  CHECK(whole_of(report, "steps") == 6);
  CHECK(whole_of(report, "measured_steps") == 5);
  // Five steps of at least 50 ms each.
  CHECK(report.fields.at("samples_per_s").as_double() <= 4.0 / 0.05);
  CHECK(report.fields.at("samples_per_s").as_double() > 1.0);
  CHECK(report.fields.at("wall_s_per_1k_steps").as_double() >= 50.0);
  CHECK(report.fields.at("wall_s").as_double() >= 0.3);
  CHECK(whole_of(report, "peak_rss_bytes") > 100'000);
  CHECK(report.fields.at("output_tail") ==
        "step 1/6\nstep 2/6\nstep 3/6\nstep 4/6\nstep 5/6\nstep 6/6\n");
  const auto file = statistics::read_samples(folder.path / "samples_per_s.samples.json");
  REQUIRE(file);
  CHECK(file->direction == statistics::Direction::higher_is_better);
  CHECK(file->cell == "sleeper");
  CHECK(file->blocks.at(0).samples.size() >= 1);
  const auto memory = statistics::read_samples(folder.path / "peak_rss_bytes.samples.json");
  REQUIRE(memory);
  CHECK(memory->direction == statistics::Direction::lower_is_better);
  const auto same = statistics::compare(statistics::cells_of({{"a", *file}}, {{"b", *file}}), {});
  REQUIRE(same);
  CHECK(same->at(0).blocks_wanted == 8);
}

TEST_CASE("how a child ends is told", "[proc]") {
  const Folder folder;
  const JobReport failed = measure(folder, {{"argv", {"sh", "-c", "echo bad >&2; exit 3"}}});
  CHECK(failed.status == Status::fail);
  CHECK(failed.reasons == std::vector<std::string>{"exit_code"});
  CHECK(whole_of(failed, "exit_code") == 3);
  CHECK(failed.fields.at("output_tail") == "bad\n");
  CHECK(failed.fields.at("samples_per_s").is_null());

  const JobReport killed = measure(folder, {{"script", "kill -KILL $$"}});
  CHECK(killed.status == Status::fail);
  CHECK(killed.reasons == std::vector<std::string>{"killed"});
  CHECK(whole_of(killed, "exit_code") == 137);
  CHECK(whole_of(killed, "signal") == SIGKILL);

  const JobReport slow =
      measure(folder, {{"script", "echo started; sleep 30"}, {"timeout_s", 0.2}});
  CHECK(slow.status == Status::fail);
  CHECK(slow.reasons == std::vector<std::string>{"timeout"});
  CHECK(slow.fields.at("timed_out") == true);
  CHECK(slow.fields.at("wall_s").as_double() < 10.0);

  const JobReport quiet = measure(folder, {{"script", "echo hello"}, {"work_regex", "step"}});
  CHECK(quiet.status == Status::fail);
  CHECK(quiet.reasons == std::vector<std::string>{"no_steps"});
  const JobReport one = measure(folder, {{"script", "echo step"}, {"work_regex", "step"}});
  CHECK(one.reasons == std::vector<std::string>{"too_few_steps"});
}

TEST_CASE("a child that will not listen is killed after the grace", "[proc]") {
  ChildOptions options;
  options.argv = {"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"};
  options.timeout = std::chrono::milliseconds(300);
  options.grace = std::chrono::milliseconds(200);
  const auto end = run_child(options);
  REQUIRE(end);
  CHECK(end->timed_out);
  CHECK(end->signal == SIGKILL);
  CHECK(descendants().empty());
}

TEST_CASE("what a child leaves behind is ended, and holds nobody up", "[proc]") {
  ChildOptions options;
  options.argv = {"sh", "-c", "sleep 60 & setsid sleep 60 & exit 0"};
  const auto end = run_child(options);
  REQUIRE(end);
  CHECK(end->exit_code == 0);
  CHECK(end->wall_s < 10.0);
  CHECK(descendants().empty());
}

TEST_CASE("much output is kept in part and never waited for", "[proc]") {
  const Folder folder;
  const JobReport report = measure(folder, {{"script",
                                             "head -c 20000000 /dev/zero | tr '\\0' 'x'; echo; "
                                             "echo step; sleep 0.1; echo step; printf '\\377end'"},
                                            {"work_regex", "step"}});
  CHECK(report.status == Status::pass);
  CHECK(whole_of(report, "output_bytes") == 20'000'001 + 5 + 5 + 4);
  CHECK(report.fields.at("output_truncated") == true);
  CHECK(whole_of(report, "cut_lines") == 1);
  CHECK(fs::file_size(folder.path / "output.log") == (16u << 20));
  const std::string tail = text_of(report, "output_tail");
  CHECK(tail.size() == 2048);
  CHECK(tail.ends_with("step\nstep\n?end"));
}

TEST_CASE("memory is that of the child and of what it starts", "[proc]") {
  ChildOptions options;
  // A string of 64 MiB in a grandchild, held for three ticks.
  options.argv = {"sh", "-c",
                  "sh -c 'x=$(head -c 67108864 /dev/zero | tr \"\\0\" x); sleep 0.3; :'; :"};
  const auto end = run_child(options);
  REQUIRE(end);
  CHECK(end->exit_code == 0);
  CHECK(end->peak_rss_bytes > (64u << 20));
  CHECK(end->peak_rss_bytes < (1024u << 20));
}

TEST_CASE("device memory is that of the child's processes, as NVML tells it", "[proc]") {
  const Folder folder;
  const tests::FakeNvml fake("healthy");
  // The child puts itself among the processes of the device; the first line of a key counts.
  const char* script =
      "s=$CHECKRIDE_FAKE_NVML; { echo \"processes $$:3000000 1:9999\"; grep -v ^processes $s; } > "
      "$s.new; mv $s.new $s; sleep 0.35";
  const JobReport report = measure(folder, {{"script", script}});
  CHECK(whole_of(report, "peak_hbm_bytes") == 3'000'000);
  CHECK(report.fields.at("gpu_util_pct_mean").as_double() == 97.0);
  CHECK(fs::exists(folder.path / "peak_hbm_bytes.samples.json"));
  // A process the driver does not list holds an unknown amount, not none.
  const JobReport other = measure(folder, {{"script", "sleep 0.15"}});
  CHECK(other.fields.at("peak_hbm_bytes").is_null());
}

TEST_CASE("where and with what a child runs", "[proc]") {
  const Folder folder;
  fs::create_directory(folder.path / "inner");
  const JobReport report =
      measure(folder, {{"script", "pwd; echo $GREETING; cat; echo $PYTHONUNBUFFERED"},
                       {"cwd", (folder.path / "inner").string()},
                       {"env", {{"GREETING", "hello there"}}}});
  CHECK(text_of(report, "output_tail") ==
        fs::canonical(folder.path / "inner").string() + "\nhello there\n1\n");
}

TEST_CASE("what cannot be run is unavailable, what makes no sense is refused", "[proc]") {
  const Folder folder;
  JobRequest request;
  request.folder = folder.path;
  const auto code = [&](json::object inputs) {
    request.inputs = std::move(inputs);
    const auto report = proc_measure_job().run(request);
    REQUIRE_FALSE(report);
    return report.error().code;
  };
  CHECK(code({{"argv", {"no-such-program-here"}}}) == ErrorCode::unavailable);
  CHECK(code({{"argv", {"true"}}, {"cwd", "/no/such/folder"}}) == ErrorCode::unavailable);
  CHECK(code({}) == ErrorCode::invalid_argument);
  CHECK(code({{"argv", {"true"}}, {"script", "true"}}) == ErrorCode::invalid_argument);
  CHECK(code({{"argv", {"true"}}, {"work_regex", "("}}) == ErrorCode::invalid_argument);
  CHECK(code({{"argv", {"true"}}, {"timeout_s", 0.0}}) == ErrorCode::invalid_argument);
  CHECK(code({{"argv", {"true"}}, {"warmup_steps", -1}}) == ErrorCode::invalid_argument);
  CHECK(code({{"argv", {"true"}}, {"samples_per_step", 0.0}}) == ErrorCode::invalid_argument);
}
