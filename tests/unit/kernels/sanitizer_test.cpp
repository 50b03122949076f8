#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <random>

#include "engine/base/files.h"
#include "kernels/tools/sanitizer_job.h"
#include "kernels/tools/sanitizer_report.h"
#include "tests/unit/kernels/run_job.h"

namespace checkride::kernels {
namespace {

using testing::fixture;
using testing::run_job;
using tools::read_sanitizer_report;

std::string captured(const std::string& name) {
  return read_file(fixture("sanitizer/" + name + ".txt"), 1 << 20).value();
}
JobReport parsed(const std::string& name, json::object more = {}) {
  more["report"] = fixture("sanitizer/" + name + ".txt").string();
  auto report = run_job(sanitizer_parse_job(), more);
  REQUIRE(report);
  CHECK(report->backend == Backend::parse);
  return *std::move(report);
}

TEST_CASE("each captured report has its verdict, on the tool and on the target", "[sanitizer]") {
  struct Row {
    const char* name;
    int exit_code;
    Status status;
    const char* reason;
  };
  const Row rows[] = {{"memcheck_clean", 0, Status::pass, ""},
                      {"memcheck_no_leak", 0, Status::pass, ""},
                      {"racecheck_clean", 0, Status::pass, ""},
                      {"synccheck_clean", 0, Status::pass, ""},
                      {"memcheck_wild_write", 86, Status::fail, "errors"},
                      {"memcheck_api", 86, Status::fail, "errors"},
                      {"memcheck_leak", 86, Status::fail, "errors"},
                      {"initcheck_uninitialized", 86, Status::fail, "errors"},
                      {"barrier", 86, Status::fail, "errors"},
                      {"print_limit", 86, Status::fail, "errors"},
                      {"racecheck_race", 86, Status::fail, "hazards"},
                      {"racecheck_write_write", 86, Status::fail, "hazards"},
                      {"racecheck_hazards", 86, Status::fail, "hazards"},
                      {"memcheck_target_exit_3", 3, Status::fail, "target_failed"},
                      {"memcheck_target_segfault", 11, Status::fail, "target_failed"},
                      {"memcheck_early_segfault", 255, Status::fail, "target_failed"},
                      {"memcheck_no_cuda_call", 255, Status::error, "no_summary"},
                      {"missing_target", 1, Status::error, "no_summary"},
                      {"device_not_supported", 4, Status::unavailable, "device_not_supported"}};
  for (const Row& row : rows) {
    INFO(row.name);
    const bool clean = row.status == Status::pass;
    for (const bool told : {true, false}) {  // with the tool's exit code and without
      json::object more;
      if (told) more["exit_code"] = row.exit_code;
      if (clean) more["expect"] = json::array{"^clean: cudaSuccess$"};
      const JobReport report = parsed(row.name, more);
      CHECK(report.status == row.status);
      CHECK((report.reasons.empty() ? "" : report.reasons.front()) == std::string(row.reason));
      if (clean) CHECK(report.fields.at("target_exit").as_int64() == 0);
    }
  }
  CHECK(parsed("memcheck_target_segfault", {{"exit_code", 11}})
            .fields.at("target_signal")
            .as_int64() == 11);
  CHECK(parsed("memcheck_target_exit_3", {{"exit_code", 3}}).fields.at("target_exit").as_int64() ==
        3);
  // Zero hazards and a good exit code in the text, but the shell saw the tool fail.
  CHECK(parsed("racecheck_clean", {{"exit_code", 139}, {"expect", {"clean"}}}).reasons ==
        std::vector<std::string>{"target_failed"});
}

TEST_CASE("a run that shows no kernel is no pass", "[sanitizer]") {
  CHECK(parsed("memcheck_clean").reasons == std::vector<std::string>{"no_kernels_checked"});
  CHECK(parsed("memcheck_clean", {{"expect", {"^all 12 tests passed"}}}).reasons ==
        std::vector<std::string>{"expected_missing"});
  const JobReport report =
      parsed("memcheck_attention", {{"kernel_line", "\"impl_used\":.*\"pass\":true"}});
  CHECK(report.status == Status::pass);
  CHECK(report.fields.at("kernels_checked").as_int64() == 4);
  CHECK(run_job(sanitizer_parse_job(), {{"text", "nothing of it"}})->reasons ==
        std::vector<std::string>{"no_report"});
  CHECK_FALSE(run_job(sanitizer_parse_job(), {{"text", "x"}, {"expect", {"("}}}));
  CHECK_FALSE(run_job(sanitizer_parse_job(), {{"text", "x"}, {"tool", "valgrind"}}));
}

TEST_CASE("a pattern that nothing matches shows nothing", "[sanitizer]") {
  for (const char* pattern : {".*", "^", "x?", "(launched)*"}) {
    INFO(pattern);
    CHECK_FALSE(run_job(sanitizer_parse_job(), {{"text", "x\ny"}, {"kernel_line", pattern}}));
    CHECK_FALSE(run_job(sanitizer_parse_job(), {{"text", "x\ny"}, {"expect", {pattern}}}));
  }
  // The last line without its end counts as the others do.
  const auto report = run_job(sanitizer_parse_job(), {{"text",
                                                       "========= COMPUTE-SANITIZER\n"
                                                       "========= ERROR SUMMARY: 0 errors\n"
                                                       "launched\nlaunched"},
                                                      {"kernel_line", "launched"}});
  REQUIRE(report);
  CHECK(report->status == Status::pass);
  CHECK(report->fields.at("kernels_checked").as_int64() == 2);
}

TEST_CASE("a tool that failed itself has found nothing out", "[sanitizer]") {
  const auto report = run_job(sanitizer_parse_job(), {{"text",
                                                       "========= COMPUTE-SANITIZER\n"
                                                       "========= Internal Sanitizer Error: x\n"
                                                       "========= ERROR SUMMARY: 0 errors\n"
                                                       "launched\n"},
                                                      {"exit_code", 1},
                                                      {"kernel_line", "launched"}});
  REQUIRE(report);
  CHECK(report->status == Status::error);
  CHECK(report->reasons == std::vector<std::string>{"tool_failed"});
}

TEST_CASE("records say where", "[sanitizer]") {
  auto said = read_sanitizer_report(captured("memcheck_wild_write"));
  CHECK(said.errors == 36);
  CHECK(said.records_seen == 3);
  REQUIRE_FALSE(said.records.empty());
  CHECK(said.records[0].kind == "invalid_write");
  CHECK(said.records[0].kernel == "wild_write(int *)");
  CHECK(said.records[0].thread == "(0,0,0)");
  CHECK(said.records[0].block == "(0,0,0)");
  CHECK(said.records[0].address == "0x10");
  CHECK(said.records[0].bytes == 4);
  CHECK(said.records[0].file == "tool_probe.cu");
  CHECK(said.records[0].line == 34);

  said = read_sanitizer_report(captured("racecheck_hazards"));
  CHECK(said.hazards == 257);
  CHECK(said.hazard_errors == 257);
  CHECK(said.hazard_warnings == 0);
  CHECK(said.records[0].kind == "race");
  CHECK(said.records[0].kernel == "shared_race(int *)");
  CHECK(said.records[0].thread == "(31,0,0)");
  CHECK(said.records[0].address == "0x47c");
  CHECK(said.records[0].line == 16);

  said = read_sanitizer_report(captured("memcheck_leak"));
  CHECK(said.leaked_bytes == 8192);
  CHECK(said.leaks == 2);
  CHECK(said.records[1].bytes == 4096);
  said = read_sanitizer_report(captured("memcheck_api"));
  CHECK(said.api_errors == 2);
  said = read_sanitizer_report(captured("print_limit"));
  CHECK(said.errors == 4321);
  CHECK(said.not_printed == 4221);
  CHECK(said.records[0].file == "/home/someone/src with space/gather.cu");
  CHECK(said.records[0].line == 1234);
  CHECK(said.records[0].block == "(7,2,0)");
}

TEST_CASE("a report of thousands of records stays small", "[sanitizer]") {
  const std::string one = captured("memcheck_wild_write");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += one;
  const auto report = run_job(sanitizer_parse_job(), {{"text", many}});
  REQUIRE(report);
  CHECK(report->status == Status::fail);
  CHECK(report->fields.at("records_seen").as_int64() == 3000);
  CHECK(json::serialize(report->fields).size() < 60000);
}

TEST_CASE("lines without words and bytes that are no text are read over", "[sanitizer]") {
  const JobRequest request = {{{"text",
                                "========= COMPUTE-SANITIZER\n=========      \n=========\n"
                                "========= Invalid __global__ write \xff\xe2\x96 of size 4 bytes\n"
                                "=========     at k\xc3()+0x70 in a.cu:1\n"
                                "========= ERROR SUMMARY: 1 error\n"}},
                              JobRequest::Where::anywhere,
                              1,
                              {}};
  const auto report = sanitizer_parse_job().run(request);
  REQUIRE(report);
  CHECK(report->status == Status::fail);
  const json::object whole = envelope(sanitizer_parse_job(), request, *report, {});
  boost::system::error_code problem;
  const json::value read = json::parse(json::serialize(whole), problem);
  REQUIRE_FALSE(problem);
  CHECK(read.at("records").at(0).at("kernel") == "k?()");
  CHECK(std::string(read.at("message").as_string()).find("write ??? of size") != std::string::npos);
}

TEST_CASE("a report cut before its summary never passes", "[sanitizer]") {
  for (const char* name : {"memcheck_clean", "racecheck_clean", "memcheck_no_leak"}) {
    const std::string whole = captured(name);
    const std::size_t summary = whole.rfind("========= ");
    for (std::size_t cut = 1; cut < summary + 20; ++cut) {
      const auto report = run_job(sanitizer_parse_job(),
                                  {{"text", whole.substr(0, cut)}, {"expect", json::array{"."}}});
      REQUIRE(report);
      INFO(whole.substr(0, cut));
      CHECK(report->status == Status::error);
    }
  }
  std::mt19937 random(5);
  std::string noise = captured("racecheck_hazards");
  for (int i = 0; i < 300; ++i) {
    for (int k = 0; k < 20; ++k) noise[random() % noise.size()] = static_cast<char>(random());
    CHECK(read_sanitizer_report(noise).records.size() <= 1000);
  }
}

}  // namespace
}  // namespace checkride::kernels
