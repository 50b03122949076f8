#include <catch2/catch.hpp>
#include <random>

#include "engine/base/files.h"
#include "kernels/tools/csv.h"
#include "kernels/tools/ncu_job.h"
#include "kernels/tools/ncu_report.h"
#include "tests/unit/kernels/run_job.h"

namespace checkride::kernels {
namespace {

using testing::fixture;
using testing::run_job;
using tools::NcuField;
using tools::NcuReport;
using tools::read_ncu_report;

std::string captured(const std::string& name) {
  return read_file(fixture("ncu/" + name + ".txt"), 1 << 20).value();
}
JobReport parsed(const std::string& name, json::object more = {}) {
  more["report"] = fixture("ncu/" + name + ".txt").string();
  auto report = run_job(ncu_parse_job(), more);
  REQUIRE(report);
  CHECK(report->backend == Backend::parse);
  CHECK_FALSE(report->perf_valid);
  return *std::move(report);
}
std::string reason(const JobReport& report) {
  return report.reasons.empty() ? "" : report.reasons.front();
}

TEST_CASE("the long format of a captured report gives figures in fixed units", "[ncu]") {
  const JobReport report = parsed("attention_long", {{"bound_us", 0.57}});
  CHECK(report.status == Status::pass);
  CHECK(report.fields.at("kernels").as_array().size() == 2);
  const json::object& k = report.fields.at("k").as_object();
  CHECK(k.at("num_ctas").as_int64() == 128);
  CHECK(k.at("duration_us").as_double() == Approx(5.696));
  CHECK(k.at("attained_of_bound_pct").as_double() == Approx(100 * 0.57 / 5.696));
  CHECK(k.at("tensor_active_pct_elapsed").as_double() == Approx(9.66));
  CHECK(k.at("tensor_active_pct_active").as_double() == Approx(15.73));
  CHECK(k.at("tensor_inst_gmma").as_int64() == 12288);
  CHECK(k.at("dram_pct").as_double() == Approx(5.85));
  CHECK(k.at("dram_bytes").as_int64() == 1591552);
  CHECK(k.at("regs").as_int64() == 130);
  CHECK(k.at("smem_bytes").as_int64() == 100456);
  CHECK(k.at("spill_insts").as_int64() == 0);
  CHECK(k.at("bank_conflicts").as_int64() == 916);
  // This ncu has no count of spills alone: all local memory instructions, none here, stand for it.
  CHECK(report.fields.at("missing_metrics").as_array().empty());
}

TEST_CASE("the wide format says the same of the same kernels", "[ncu]") {
  const NcuReport wide = read_ncu_report(captured("attention_wide"));
  const NcuReport lines = read_ncu_report(captured("attention_long"));
  REQUIRE(wide.kernels.size() == 2);
  CHECK(wide.kernels[0].grid == std::vector<std::int64_t>{16, 8, 1});
  // Another run: equal where nothing is a matter of time.
  for (const NcuField field : {NcuField::regs, NcuField::smem_bytes, NcuField::tensor_inst_gmma})
    CHECK(wide.kernels[0].value(field) == lines.kernels[0].value(field));
  CHECK(wide.kernels[0].value(NcuField::duration_us) == Approx(5.7).margin(0.5));
  const NcuReport details = read_ncu_report(captured("probe_details"));
  REQUIRE(details.kernels.size() == 1);
  CHECK(details.kernels[0].value(NcuField::duration_us) == Approx(2.112));
  CHECK(details.kernels[0].value(NcuField::regs) == Approx(16));
}

TEST_CASE("scaled units, thousands, quotes, an old name and n/a are read for what they are",
          "[ncu]") {
  const JobReport report = parsed("scaled_units");
  CHECK(report.status == Status::pass);
  const json::object& k = report.fields.at("k").as_object();
  CHECK(k.at("name").as_string() == "gemm<\"f16\", 128>(float *, int)");
  CHECK(k.at("num_ctas").as_int64() == 4096);
  CHECK(k.at("duration_us").as_double() == Approx(1234500));
  CHECK(k.at("dram_bytes").as_int64() == 1750000000);
  CHECK(k.at("smem_bytes").as_int64() == 98316);
  CHECK(k.at("tensor_inst_gmma").as_int64() == 12290);
  CHECK(k.at("tensor_active_pct_elapsed").as_double() == Approx(61.25));
  CHECK(k.at("dram_pct").is_null());
  CHECK(k.at("warps_active_pct").is_null());
  std::string warnings;
  for (const json::value& warning : report.fields.at("warnings").as_array())
    warnings += std::string(warning.as_string()) + "\n";
  CHECK(warnings.find("sm__pipe_tensor_active is no metric") != std::string::npos);
  CHECK(warnings.find("parsec") != std::string::npos);
  CHECK(reason(parsed("scaled_units", {{"required_fields", {"dram_pct"}}})) == "missing_metrics");
}

TEST_CASE("what keeps ncu from an answer is named, and is never a pass", "[ncu]") {
  struct Row {
    const char* name;
    Status status;
    const char* reason;
  };
  for (const Row& row : {Row{"permission_denied", Status::unavailable, "counters_denied"},
                         Row{"library_not_loaded", Status::unavailable, "profiler_unavailable"},
                         Row{"no_kernels", Status::error, "no_kernels"},
                         Row{"target_segfault", Status::error, "target_failed"},
                         Row{"target_fault", Status::error, "target_failed"}}) {
    INFO(row.name);
    const JobReport report = parsed(row.name);
    CHECK(report.status == row.status);
    CHECK(reason(report) == row.reason);
  }
  const auto text = run_job(ncu_parse_job(), {{"text", "a binary report of --export\n"}});
  REQUIRE(text);
  CHECK(reason(*text) == "no_kernels");
  CHECK(reason(parsed("attention_long", {{"kernels", "no such"}})) == "no_kernels");
  CHECK(reason(parsed("attention_long",
                      {{"bound_us", 0.57}, {"attained_of_bound_pct_min", 80.0}})) == "below_bound");
  CHECK(parsed("attention_long", {{"bound_us", 5.0}, {"attained_of_bound_pct_min", 80.0}}).status ==
        Status::pass);
  CHECK_FALSE(run_job(ncu_parse_job(), json::object{}));
  CHECK_FALSE(run_job(ncu_parse_job(), {{"text", "x"}, {"kernels", "("}}));
}

TEST_CASE("kernels without a duration are not above a bound, nor is a failed profile", "[ncu]") {
  std::string without;
  tools::each_line(captured("attention_long"), [&](std::string_view line) {
    if (line.find("gpu__time_duration") == line.npos) without += std::string(line) + "\n";
  });
  json::object inputs{{"text", without}, {"required_fields", {"dram_bytes"}}};
  CHECK(run_job(ncu_parse_job(), inputs)->status == Status::pass);
  inputs["bound_us"] = 0.57;
  inputs["attained_of_bound_pct_min"] = 80.0;
  CHECK(reason(*run_job(ncu_parse_job(), inputs)) == "missing_metrics");
  const std::string failed =
      captured("attention_long") + "==ERROR== Failed to profile \"forward\" in process 7\n";
  CHECK(reason(*run_job(ncu_parse_job(), {{"text", failed}})) == "tool_failed");
}

TEST_CASE("a report cut anywhere is read, refused or cut to whole records", "[ncu]") {
  for (const char* name : {"attention_long", "attention_wide", "scaled_units"}) {
    const std::string whole = captured(name);
    const NcuReport all = read_ncu_report(whole);
    CHECK_FALSE(all.truncated);
    int seen = 0;
    for (std::size_t cut = 0; cut < whole.size(); cut += 37) {
      const NcuReport part = read_ncu_report(std::string_view(whole).substr(0, cut));
      CHECK(part.kernels.size() <= all.kernels.size());
      if (part.truncated) ++seen;
      // No figure may be read out of half a number.
      for (std::size_t i = 0; i < part.kernels.size(); ++i)
        for (std::size_t f = 0; f < tools::ncu_fields; ++f) {
          const auto field = static_cast<NcuField>(f);
          if (field == NcuField::spill_insts || field == NcuField::smem_bytes) continue;
          const auto value = part.kernels[i].value(field);
          if (value) CHECK(value == all.kernels[i].value(field));
        }
    }
    INFO(name);
    CHECK(seen > 0);
  }
  std::mt19937 random(3);
  std::string noise = captured("attention_long");
  for (int i = 0; i < 200; ++i) {
    for (int k = 0; k < 20; ++k) noise[random() % noise.size()] = static_cast<char>(random());
    CHECK(read_ncu_report(noise).kernels.size() < 500);
  }
}

TEST_CASE("numbers are read only where they are written as numbers", "[ncu]") {
  const auto number = [](std::string_view text) {
    double value = 0;
    return tools::read_number(text, value) ? value : -1.0;
  };
  CHECK(number("1,234.5") == 1234.5);
  CHECK(number("12,345,678") == 12345678);
  CHECK(number("0.00") == 0);
  CHECK(number("5,696") == 5696);
  for (const char* text : {"", "n/a", "nan", "inf", "1,23", "1,2345", ",123", "1,234,", "1 000",
                           "0x10", "1.2.3", "12%"}) {
    INFO(text);
    CHECK(number(text) == -1.0);
  }
}

}  // namespace
}  // namespace checkride::kernels
