#include "kernels/tools/ncu_job.h"

#include <re2/re2.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "kernels/job/inputs.h"
#include "kernels/tools/child.h"
#include "kernels/tools/ncu_report.h"
#include "kernels/tools/report_text.h"

namespace checkride::kernels {

namespace {

using tools::NcuField;
using tools::NcuKernel;
using tools::NcuReport;
using tools::no_answer;
using enum tools::NcuField;

struct Named {
  const char* name;
  NcuField field;
  bool whole;  // a count
};
constexpr Named fields[] = {{"duration_us", duration_us, false},
                            {"tensor_active_pct_active", tensor_active_pct_active, false},
                            {"tensor_active_pct_elapsed", tensor_active_pct_elapsed, false},
                            {"tensor_inst_gmma", tensor_inst_gmma, true},
                            {"tensor_inst_hmma", tensor_inst_hmma, true},
                            {"dram_pct", dram_pct, false},
                            {"l2_pct", l2_pct, false},
                            {"sm_pct", sm_pct, false},
                            {"warps_active_pct", warps_active_pct, false},
                            {"regs", regs, true},
                            {"smem_bytes", smem_bytes, true},
                            {"spill_insts", spill_insts, true},
                            {"bank_conflicts", bank_conflicts, true},
                            {"dram_bytes", dram_bytes, true}};

#define CR_NCU_KERNEL                                                                        \
  "{name: string, grid: list<int>, block: list<int>, num_ctas?: int, duration_us?: double, " \
  "tensor_active_pct_active?: double, tensor_active_pct_elapsed?: double, "                  \
  "tensor_inst_gmma?: int, tensor_inst_hmma?: int, dram_pct?: double, l2_pct?: double, "     \
  "sm_pct?: double, warps_active_pct?: double, regs?: int, smem_bytes?: int, "               \
  "spill_insts?: int, bank_conflicts?: int, dram_bytes?: int, "                              \
  "attained_of_bound_pct?: double}"

constexpr std::string_view result_type = "{kernels: list<" CR_NCU_KERNEL ">, k?: " CR_NCU_KERNEL
                                         ", kernels_seen: int, missing_metrics: list<string>, "
                                         "warnings: list<string>, counters_denied: bool, "
                                         "truncated: bool, target_exit?: int}";

json::array list_of(const std::vector<std::int64_t>& values) {
  json::array list;
  for (const std::int64_t value : values) list.emplace_back(value);
  return list;
}

json::value figure(const std::optional<double>& value, bool whole_number) {
  constexpr double exact_max = 9007199254740992.0;  // 2^53
  if (!value) return nullptr;
  if (whole_number && std::abs(*value) <= exact_max) return std::llround(*value);
  return whole_number ? json::value(nullptr) : finite(*value);
}

json::object kernel_json(const NcuKernel& kernel, double bound_us) {
  json::object out;
  out["name"] = kernel.name.substr(0, 2000);
  out["grid"] = list_of(kernel.grid);
  out["block"] = list_of(kernel.block);
  out["num_ctas"] = nullptr;
  if (!kernel.grid.empty()) {
    double blocks = 1;
    for (const std::int64_t extent : kernel.grid) blocks *= static_cast<double>(extent);
    out["num_ctas"] = figure(blocks, true);
  }
  for (const Named& field : fields)
    out[field.name] = figure(kernel.value(field.field), field.whole);
  const auto duration = kernel.value(duration_us);
  out["attained_of_bound_pct"] = bound_us > 0 && duration && *duration > 0
                                     ? finite(100.0 * bound_us / *duration)
                                     : json::value(nullptr);
  return out;
}

struct Rules {
  std::string kernels;
  double bound_us = 0;
  double attained_min_pct = 0;
  std::vector<std::string> required;
};

Result<Rules> rules_of(const json::object& inputs) {
  Rules rules;
  rules.kernels = text(inputs, "kernels");
  rules.bound_us = number(inputs, "bound_us", 0);
  rules.attained_min_pct = number(inputs, "attained_of_bound_pct_min", 0);
  if (rules.bound_us < 0 || !std::isfinite(rules.bound_us))
    return fail(ErrorCode::invalid_argument, "bound_us is no time; give microseconds above 0");
  if (rules.attained_min_pct > 0 && rules.bound_us == 0)
    return fail(ErrorCode::invalid_argument, "attained_of_bound_pct_min needs bound_us");
  rules.required = has(inputs, "required_fields") ? texts(inputs, "required_fields")
                                                  : std::vector<std::string>{"duration_us"};
  // Without a duration a kernel would not be below anything.
  if (rules.attained_min_pct > 0) rules.required.emplace_back("duration_us");
  for (const std::string& name : rules.required)
    if (std::ranges::none_of(fields, [&](const Named& field) { return name == field.name; }))
      return fail(ErrorCode::invalid_argument,
                  "required_fields: '" + name + "' is no field of a kernel");
  const RE2 regex(rules.kernels, RE2::Quiet);
  if (!regex.ok())
    return fail(ErrorCode::invalid_argument,
                "kernels: " + regex.error() + " in '" + rules.kernels + "'");
  return rules;
}

// Why there is no answer in this report; nothing where there is one.
std::optional<JobReport> without_answer(const NcuReport& ncu, const JobReport& report) {
  if (ncu.counters_denied)
    return no_answer(report, Status::unavailable, "counters_denied",
                     "this user may not read the device's counters (ERR_NVGPUCTRPERM); an "
                     "administrator can allow it");
  if (ncu.profiler_failed)
    return no_answer(report, Status::unavailable, "profiler_unavailable",
                     "the profiler cannot start on this machine: " + ncu.error_line);
  if (ncu.target_exit && *ncu.target_exit != 0)
    return no_answer(report, Status::error, "target_failed",
                     "the target ended with exit code " + std::to_string(*ncu.target_exit));
  if (ncu.truncated)
    return no_answer(report, Status::error, "truncated", "the report ends in the middle");
  if (ncu.kernels.empty())
    return no_answer(report, Status::error, "no_kernels",
                     ncu.csv_seen || ncu.nothing_profiled
                         ? "no kernel was profiled"
                         : "this is no CSV of ncu; run it with --csv and keep what it prints, not "
                           "the file of --export");
  if (!ncu.error_line.empty())
    return no_answer(report, Status::error, "tool_failed", "ncu failed: " + ncu.error_line);
  return std::nullopt;
}

JobReport judged(const std::string& printed, const Rules& rules) {
  const NcuReport ncu = tools::read_ncu_report(printed);
  JobReport report;
  report.backend = Backend::parse;
  report.inputs_sha256 = to_hex(sha256(printed));
  const RE2 regex(rules.kernels, RE2::Quiet);
  json::array kernels;
  json::value longest = nullptr;
  double longest_us = -1;
  std::size_t room = tools::list_bytes_max;
  std::int64_t chosen = 0, without_figures = 0, below = 0;
  for (const NcuKernel& kernel : ncu.kernels) {
    if (!RE2::PartialMatch(kernel.name, regex)) continue;
    ++chosen;
    json::object out = kernel_json(kernel, rules.bound_us);
    for (const std::string& name : rules.required)
      if (out.at(name).is_null()) ++without_figures;
    const json::value& attained = out.at("attained_of_bound_pct");
    if (attained.is_double() && attained.get_double() < rules.attained_min_pct) ++below;
    if (kernel.value(duration_us).value_or(0) > longest_us) {
      longest_us = kernel.value(duration_us).value_or(0);
      longest = out;
    }
    json::value listed = std::move(out);
    if (tools::takes_room(listed, room)) kernels.push_back(std::move(listed));
  }
  report.fields = {
      {"kernels", std::move(kernels)},
      {"k", std::move(longest)},
      {"kernels_seen", chosen},
      {"missing_metrics", tools::array_of(ncu.missing_metrics)},
      {"warnings", tools::array_of(ncu.warnings)},
      {"counters_denied", ncu.counters_denied},
      {"truncated", ncu.truncated},
      {"target_exit", ncu.target_exit ? json::value(*ncu.target_exit) : json::value(nullptr)}};
  if (auto none = without_answer(ncu, report)) return *std::move(none);
  if (chosen == 0)
    return no_answer(std::move(report), Status::error, "no_kernels",
                     "no profiled kernel matches '" + rules.kernels + "'");
  if (without_figures > 0)
    return no_answer(std::move(report), Status::error, "missing_metrics",
                     "a required figure is missing; see missing_metrics");
  report.status = Status::pass;
  if (below > 0) {
    report.fail_with("below_bound");
    report.message = std::to_string(below) + " kernels stay below " +
                     std::to_string(rules.attained_min_pct) + " % of the bound";
  }
  return report;
}

Result<JobReport> parse(const JobRequest& request) {
  CR_TRY(const Rules rules, rules_of(request.inputs));
  CR_TRY(const std::string printed, tools::report_text(request.inputs));
  return judged(printed, rules);
}

Result<JobReport> run(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  CR_TRY(const Rules rules, rules_of(inputs));
  CR_TRY(const std::int64_t timeout_s, whole_within(inputs, "timeout_s", 240, 1, 86400));
  CR_TRY(const std::int64_t launches, whole_within(inputs, "launch_count", 20, 1, 10000));
  CR_TRY(const std::int64_t skipped, whole_within(inputs, "launch_skip", 0, 0, 1000000));
  CR_TRY(const std::string cache, choice(inputs, "cache_control", "all", {"all", "none"}));
  CR_TRY(const std::vector<std::string> target, tools::target_of(inputs));
  CR_TRY(const std::filesystem::path tool, tools::find_tool("ncu"));
  const std::string log = "ncu.csv";
  tools::ChildCommand command;
  command.timeout = std::chrono::seconds(timeout_s);
  command.words = {tool.string(),     "--csv",
                   "--print-units",   "base",
                   "--clock-control", "none",
                   "--cache-control", cache,
                   "--launch-count",  std::to_string(launches),
                   "--launch-skip",   std::to_string(skipped),
                   "--metrics",       std::string(tools::ncu_metrics_asked()),
                   "--log-file",      (request.folder / log).string()};
  if (!rules.kernels.empty()) {
    command.words.emplace_back("--kernel-name");
    command.words.push_back("regex:" + rules.kernels);
  }
  command.words.insert(command.words.end(), target.begin(), target.end());
  std::error_code ignored;
  std::filesystem::remove(request.folder / log, ignored);
  CR_TRY(const tools::ChildEnd end, tools::run_child(command));
  const auto printed = read_file(request.folder / log, tools::report_bytes_max);
  // Where it could not begin, it says so on its output.
  JobReport report = judged((printed ? *printed : std::string()) + "\n" + end.output, rules);
  if (printed) report.artifacts.push_back(log);
  if (end.timed_out)
    return no_answer(std::move(report), Status::error, "timeout",
                     "ncu ran longer than " + std::to_string(timeout_s) + " s");
  if (end.signal != 0 && report.status != Status::unavailable)
    return no_answer(std::move(report), Status::error, "tool_crashed",
                     "signal " + std::to_string(end.signal) + " ended ncu");
  return report;
}

#define CR_NCU_RULES                                                          \
  "kernels?: string, bound_us?: double, attained_of_bound_pct_min?: double, " \
  "required_fields?: list<string>"

}  // namespace

Job ncu_parse_job() {
  return {.name = "ncu.parse",
          .version = 1,
          .title = "figures of an Nsight Compute report, relative to a bound",
          .inputs = "{report?: path, text?: string, " CR_NCU_RULES "}",
          .result = result_type,
          .timeout = std::chrono::seconds(60),
          .run = parse};
}

Job ncu_run_job() {
  return {.name = "ncu.run",
          .version = 1,
          .title = "a program under Nsight Compute, and the figures of its report",
          .inputs =
              "{command: list<string>, launch_count?: int, launch_skip?: int, "
              "cache_control?: string, timeout_s?: int, " CR_NCU_RULES "}",
          .result = result_type,
          .timeout = std::chrono::seconds(300),
          .run = run};
}

}  // namespace checkride::kernels
