// Guards over results of kernel.inspect, ncu.parse and sanitizer.parse: each is checked against the
// job's declared result, and recorded reports take the branch and do not.
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include "engine/cel/program.h"
#include "kernels/inspect/inspect_job.h"
#include "kernels/tools/ncu_job.h"
#include "kernels/tools/sanitizer_job.h"
#include "tests/unit/kernels/run_job.h"

namespace checkride::kernels {
namespace {

using testing::fixture;
using testing::run_job;

// What a guard sees: absent where the job says null.
json::value seen(const json::value& value) {
  if (value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array()) items.push_back(seen(item));
    return items;
  }
  if (!value.is_object()) return value;
  json::object fields;
  for (const auto& [name, item] : value.get_object())
    if (!item.is_null()) fields[name] = seen(item);
  return fields;
}

bool takes(const Job& job, const json::object& inputs, const std::string& guard) {
  auto report = run_job(job, inputs);
  REQUIRE(report);
  report->fields["status"] = std::string(to_string(report->status));
  const auto type = cel::parse_type(joined_record(job.result, "status: string"));
  REQUIRE(type);
  cel::Environment environment;
  environment.variable("r", *type);
  INFO(guard);
  const auto program = cel::Program::compile(guard, environment);
  if (!program) INFO(program.error().front().message);
  REQUIRE(program);
  const auto value = cel::from_json(json::serialize(seen(report->fields)));
  REQUIRE(value);
  const auto fits = cel::conforms(*value, *type);
  if (!fits) INFO(fits.error().text());
  CHECK(fits);
  cel::VariableActivation activation;
  activation.set("r", *value);
  const auto result = program->evaluate(activation);
  if (!result) INFO(result.error().message);
  REQUIRE(result);
  return result->as_bool();
}

json::object of(const std::string& file, json::object more = {}) {
  more[file.ends_with(".fatbin") ? "file" : "report"] = fixture(file).string();
  return more;
}

TEST_CASE("guards of kernel.inspect branch on spills and tensor instructions", "[guards]") {
  const auto kernels = [](const char* pattern) {
    return of("probe.fatbin", {{"kernels", pattern}});
  };
  const std::string clean = "r.kernels.all(k, k.spill_bytes == 0)";
  CHECK(takes(inspect_job(), kernels("hgmma"), clean));
  CHECK_FALSE(takes(inspect_job(), kernels("spills"), clean));
  const std::string no_tensor = "r.opcodes.HMMA + r.opcodes.HGMMA + r.opcodes.QGMMA == 0";
  CHECK(takes(inspect_job(), kernels("ffma"), no_tensor));
  CHECK_FALSE(takes(inspect_job(), kernels("one_hmma"), no_tensor));
  CHECK_FALSE(takes(inspect_job(), kernels("one_qgmma"), no_tensor));
  const std::string registers = "r.spill_bytes > 0 || r.opcodes.LDL > 0";
  CHECK(takes(inspect_job(), kernels("uses_local"), registers));
  CHECK_FALSE(takes(inspect_job(), kernels("mufu"), registers));
}

TEST_CASE("guards of ncu.parse branch on the bound and on what is busy", "[guards]") {
  const std::string known =
      "has(r.k) && has(r.k.tensor_active_pct_elapsed) && has(r.k.dram_pct) && ";
  const std::string quiet = known + "r.k.tensor_active_pct_elapsed <= 50.0 && r.k.dram_pct < 70.0";
  const std::string few = quiet + " && has(r.k.num_ctas) && r.k.num_ctas < 132";
  CHECK(takes(ncu_parse_job(), of("ncu/attention_long.txt"), few));
  // Without a figure the branch is not taken.
  CHECK_FALSE(takes(ncu_parse_job(), of("ncu/scaled_units.txt"), quiet));
  const std::string tensor =
      "has(r.k) && has(r.k.tensor_active_pct_elapsed) && r.k.tensor_active_pct_elapsed > 50.0";
  CHECK(takes(ncu_parse_job(), of("ncu/scaled_units.txt"), tensor));
  CHECK_FALSE(takes(ncu_parse_job(), of("ncu/attention_wide.txt"), tensor));
  const std::string at_bound =
      "has(r.k) && has(r.k.attained_of_bound_pct) && r.k.attained_of_bound_pct >= 80.0";
  CHECK(takes(ncu_parse_job(), of("ncu/attention_long.txt", {{"bound_us", 5.0}}), at_bound));
  CHECK_FALSE(takes(ncu_parse_job(), of("ncu/attention_long.txt", {{"bound_us", 0.57}}), at_bound));
  const std::string conflicts = "has(r.k) && has(r.k.bank_conflicts) && r.k.bank_conflicts > 0";
  CHECK(takes(ncu_parse_job(), of("ncu/attention_long.txt"), conflicts));
  CHECK_FALSE(takes(ncu_parse_job(), of("ncu/scaled_units.txt"), conflicts));
  CHECK(takes(ncu_parse_job(), of("ncu/permission_denied.txt"), "r.status == 'unavailable'"));
  CHECK_FALSE(takes(ncu_parse_job(), of("ncu/target_fault.txt"), "r.status == 'unavailable'"));
}

TEST_CASE("guards of sanitizer.parse ask for tool, target and kernels", "[guards]") {
  const std::string hard =
      "r.status == 'pass' && has(r.target_exit) && r.target_exit == 0 && r.kernels_checked > 0";
  const json::object told = {{"kernel_line", "cudaSuccess"}};
  for (const char* name : {"memcheck_no_leak", "racecheck_clean", "synccheck_clean"})
    CHECK(takes(sanitizer_parse_job(), of("sanitizer/" + std::string(name) + ".txt", told), hard));
  for (const char* name : {"memcheck_target_segfault", "racecheck_race", "memcheck_leak",
                           "memcheck_target_exit_3", "device_not_supported"})
    CHECK_FALSE(
        takes(sanitizer_parse_job(), of("sanitizer/" + std::string(name) + ".txt", told), hard));
  const std::string memory_bug = "r.errors > 0";
  CHECK(takes(sanitizer_parse_job(), of("sanitizer/memcheck_wild_write.txt"), memory_bug));
  CHECK_FALSE(takes(sanitizer_parse_job(), of("sanitizer/racecheck_race.txt"), memory_bug));
}

}  // namespace
}  // namespace checkride::kernels
