// The machine code of this build's kernels, read from the objects: needs nvcc at build time and no
// GPU. CR_PROBE is the object of the probe kernels, CR_CUDA_ARCHIVES all archives of device code.
#include <catch2/catch.hpp>
#include <sstream>

#include "kernels/inspect/inspect_job.h"
#include "tests/unit/kernels/run_job.h"

namespace checkride::kernels {
namespace {

using testing::run_job;

std::vector<std::string> archives() {
  std::vector<std::string> all;
  std::istringstream list(CR_CUDA_ARCHIVES);
  for (std::string path; std::getline(list, path, ',');) all.push_back(path);
  return all;
}

std::int64_t kernels_of(const JobReport& report) {
  return static_cast<std::int64_t>(report.fields.at("kernels").as_array().size());
}

TEST_CASE("the opcode table fits this compiler", "[machine_code]") {
  struct Row {
    const char* kernel;
    std::vector<std::pair<const char*, int>> counts;
  };
  const std::vector<Row> rows = {
      {"one_hmma", {{"HMMA", 1}, {"HGMMA", 0}, {"QGMMA", 0}, {"LDL", 0}, {"STL", 0}, {"BAR", 1}}},
      {"e4m3_by_halves", {{"HMMA", 2}, {"QMMA", 0}, {"QGMMA", 0}}},
      {"two_hgmma", {{"HGMMA", 2}, {"HMMA", 0}, {"QGMMA", 0}}},
      {"one_qgmma", {{"QGMMA", 1}, {"HGMMA", 0}, {"HMMA", 0}}},
      {"two_mufu", {{"MUFU", 2}, {"LDG", 2}, {"STG", 2}}},
      {"one_ffma_pair", {{"FFMA", 2}, {"STG", 2}, {"MUFU", 0}}}};
  // sm_90a, and sm_90, which has no warpgroup instructions.
  for (const char* probe : {CR_PROBE, CR_PLAIN_PROBE}) {
    for (const Row& row : rows) {
      const auto report = run_job(inspect_job(), {{"file", probe}, {"kernels", row.kernel}});
      REQUIRE(report);
      INFO(probe << " " << row.kernel);
      if (std::string_view(row.kernel).find("gmma") != std::string_view::npos &&
          std::string_view(probe) == CR_PLAIN_PROBE) {
        CHECK(report->reasons == std::vector<std::string>{"no_kernel"});
        continue;
      }
      CHECK(report->status == Status::pass);
      REQUIRE(kernels_of(*report) == 1);
      for (const auto& [name, count] : row.counts) {
        INFO(name);
        CHECK(report->fields.at("opcodes").as_object().at(name).as_int64() == count);
      }
      CHECK(report->fields.at("opcodes").as_object().at("other").as_int64() == 0);
      CHECK(report->fields.at("spill_source").as_string() == "compiler_marks");
    }
  }
}

TEST_CASE("spills and private arrays are told apart", "[machine_code]") {
  const auto spills = run_job(inspect_job(), {{"file", CR_PROBE}, {"kernels", "spills"}});
  REQUIRE(spills);
  CHECK(spills->reasons == std::vector<std::string>{"spills", "forbidden_opcode"});
  const auto local = run_job(inspect_job(), {{"file", CR_PROBE}, {"kernels", "uses_local"}});
  REQUIRE(local);
  CHECK(local->reasons == std::vector<std::string>{"forbidden_opcode"});
  const json::object& kernel = local->fields.at("kernels").as_array()[0].as_object();
  CHECK(kernel.at("stack_bytes").as_int64() >= 256);
  CHECK(kernel.at("spill_bytes").as_int64() == 0);
}

TEST_CASE("attention kernels use their matrix instructions and no local memory", "[machine_code]") {
  struct Rule {
    const char* kernels;
    const char* wanted;
    const char* unwanted;
  };
  for (const Rule& rule :
       {Rule{"forward_split", "HGMMA", "HMMA"}, Rule{"forward_stream", "HGMMA", "HMMA"},
        Rule{"forward_mma", "HMMA", "HGMMA"}, Rule{"forward_e4m3", "QGMMA", "HGMMA"}}) {
    std::int64_t seen = 0;
    for (const std::string& archive : archives()) {
      if (archive.find("attention") == std::string::npos) continue;
      const auto report =
          run_job(inspect_job(), {{"file", archive},
                                  {"kernels", rule.kernels},
                                  {"required_opcodes", json::array{rule.wanted}},
                                  {"forbidden_opcodes", json::array{rule.unwanted, "LDL", "STL"}},
                                  {"stack_bytes_max", 0}});
      REQUIRE(report);
      if (report->status == Status::error && report->reasons.front() == "no_kernel") continue;
      INFO(archive << ": " << report->message);
      CHECK(report->status == Status::pass);
      seen += kernels_of(*report);
    }
    INFO(rule.kernels);
    CHECK(seen > 0);
  }
}

TEST_CASE("no kernel of this build spills", "[machine_code]") {
  std::int64_t seen = 0;
  for (const std::string& archive : archives()) {
    const auto report = run_job(
        inspect_job(), {{"file", archive}, {"sm", 90}, {"forbidden_opcodes", json::array{}}});
    REQUIRE(report);
    // An archive may hold host code alone.
    if (report->status == Status::error && report->reasons.front() == "no_kernel") continue;
    INFO(archive << ": " << report->message);
    CHECK(report->status == Status::pass);
    seen += kernels_of(*report);
  }
  CHECK(seen >= 3);
}

}  // namespace
}  // namespace checkride::kernels
