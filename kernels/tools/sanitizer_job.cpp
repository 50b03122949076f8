#include "kernels/tools/sanitizer_job.h"

#include <re2/re2.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <set>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "kernels/job/inputs.h"
#include "kernels/tools/child.h"
#include "kernels/tools/csv.h"
#include "kernels/tools/report_text.h"
#include "kernels/tools/sanitizer_report.h"

namespace checkride::kernels {

namespace {

using tools::no_answer;
using tools::SanitizerRecord;
using tools::SanitizerReport;

constexpr int error_exit_code = 86;  // what the tool ends with where it found something

constexpr std::string_view result_type =
    "{tool: string, summary_seen: bool, errors: int, hazards: int, hazard_errors: int, "
    "hazard_warnings: int, leaked_bytes: int, api_errors: int, not_printed: int, "
    "target_exit?: int, target_signal?: int, target_error_line: string, kernels_checked: int, "
    "expected_missing: list<string>, records_seen: int, records: list<{kind: string, "
    "message: string, kernel: string, thread: string, block: string, address: string, "
    "size_bytes?: int, file: string, line?: int}>, device_supported: bool}";

struct Rules {
  std::string tool;
  std::vector<std::string> expected;  // patterns the target's output must match
  std::string kernel_pattern;         // one line of it for each kernel that ran
};

Result<Rules> rules_of(const json::object& inputs) {
  Rules rules;
  CR_TRY(rules.tool,
         choice(inputs, "tool", "memcheck", {"memcheck", "racecheck", "initcheck", "synccheck"}));
  rules.expected = texts(inputs, "expect");
  rules.kernel_pattern = text(inputs, "kernel_line");
  std::vector<std::string> patterns = rules.expected;
  if (!rules.kernel_pattern.empty()) patterns.push_back(rules.kernel_pattern);
  for (const std::string& pattern : patterns) {
    const RE2 regex(pattern, RE2::Quiet);
    if (!regex.ok())
      return fail(ErrorCode::invalid_argument, regex.error() + " in the pattern '" + pattern + "'");
    if (RE2::PartialMatch("", regex))
      return fail(ErrorCode::invalid_argument,
                  "the pattern '" + pattern +
                      "' matches a line with nothing in it, which shows nothing; give another");
  }
  return rules;
}

// How the target ended, as far as the tool's exit code (nothing: unknown) and words tell.
struct TargetEnd {
  std::optional<std::int64_t> exit_code, signal;
  bool well = false;
};
TargetEnd target_end(const SanitizerReport& said, std::optional<std::int64_t> tool_exit) {
  constexpr std::int64_t signal_max = 64;
  TargetEnd end;
  const bool of_target = tool_exit && *tool_exit != 0 && *tool_exit != error_exit_code;
  if (said.target_killed) {
    if (of_target && *tool_exit <= signal_max) end.signal = *tool_exit;
  } else if (of_target && said.tool_error_line.empty()) {
    end.exit_code = *tool_exit;
  } else if (said.summary_seen && said.target_error_line.empty()) {
    end.exit_code = 0;
  }
  end.well = end.exit_code == 0;
  return end;
}

json::value optional_number(const std::optional<std::int64_t>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::array records_json(const SanitizerReport& said) {
  json::array all;
  std::size_t room = tools::list_bytes_max;
  for (const SanitizerRecord& record : said.records) {
    json::value one = {{"kind", record.kind},
                       {"message", record.message},
                       {"kernel", record.kernel},
                       {"thread", record.thread},
                       {"block", record.block},
                       {"address", record.address},
                       {"size_bytes", optional_number(record.bytes)},
                       {"file", record.file},
                       {"line", optional_number(record.line)}};
    if (!tools::takes_room(one, room)) break;
    all.push_back(std::move(one));
  }
  return all;
}

// Kernels that are known to have run: those in records, and those the target tells of.
std::int64_t kernels_checked(const SanitizerReport& said, const Rules& rules,
                             std::string_view printed) {
  std::set<std::string_view> named;
  for (const SanitizerRecord& record : said.records)
    if (!record.kernel.empty()) named.insert(record.kernel);
  std::int64_t told = 0;
  if (!rules.kernel_pattern.empty()) {
    const RE2 regex(rules.kernel_pattern, RE2::Quiet);
    tools::each_line(printed, [&](std::string_view line) {
      if (RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), regex)) ++told;
    });
  }
  return std::max(told, static_cast<std::int64_t>(named.size()));
}

JobReport judged(const std::string& printed, const Rules& rules,
                 std::optional<std::int64_t> tool_exit) {
  const SanitizerReport said = tools::read_sanitizer_report(printed);
  JobReport report;
  report.backend = Backend::parse;
  report.inputs_sha256 = to_hex(sha256(printed));
  const TargetEnd target = target_end(said, tool_exit);
  const std::int64_t kernels = kernels_checked(said, rules, printed);
  std::vector<std::string> missing;
  for (const std::string& pattern : rules.expected)
    if (!RE2::PartialMatch(printed, RE2("(?m)" + pattern, RE2::Quiet))) missing.push_back(pattern);
  report.fields = {{"tool", said.racecheck ? "racecheck" : rules.tool},
                   {"summary_seen", said.summary_seen},
                   {"errors", said.errors},
                   {"hazards", said.hazards},
                   {"hazard_errors", said.hazard_errors},
                   {"hazard_warnings", said.hazard_warnings},
                   {"leaked_bytes", said.leaked_bytes},
                   {"api_errors", said.api_errors},
                   {"not_printed", said.not_printed},
                   {"target_exit", optional_number(target.exit_code)},
                   {"target_signal", optional_number(target.signal)},
                   {"target_error_line", said.target_error_line},
                   {"kernels_checked", kernels},
                   {"expected_missing", tools::array_of(missing)},
                   {"records_seen", said.records_seen},
                   {"records", records_json(said)},
                   {"device_supported", said.device_supported}};
  if (!said.device_supported)
    return no_answer(std::move(report), Status::unavailable, "device_not_supported",
                     "compute-sanitizer does not support the device of this machine, or is kept "
                     "from it");
  report.status = Status::pass;
  const auto against = [&](const char* reason, const std::string& message) {
    if (report.reasons.empty()) report.message = message;
    report.fail_with(reason);
  };
  if (said.hazards > 0) against("hazards", std::to_string(said.hazards) + " races");
  if (said.errors > 0 || (said.records_seen > 0 && said.hazards == 0))
    against("errors", std::to_string(std::max(said.errors, said.records_seen)) + " errors" +
                          (said.records.empty() ? "" : ", first: " + said.records[0].message));
  if (said.leaked_bytes > 0)
    against("leaks", std::to_string(said.leaked_bytes) + " bytes are never freed");
  if (!said.target_error_line.empty() || (said.summary_seen && !target.well))
    against("target_failed", "the target did not end well: " + (said.target_error_line.empty()
                                                                    ? "its exit code is not 0"
                                                                    : said.target_error_line));
  if (report.status == Status::fail) return report;
  if (!said.summary_seen)
    return no_answer(std::move(report), Status::error, said.started ? "no_summary" : "no_report",
                     said.started ? "the report ends before its summary" +
                                        (said.tool_error_line.empty() ? std::string()
                                                                      : ": " + said.tool_error_line)
                                  : "this is no report of compute-sanitizer");
  if (!said.tool_error_line.empty())
    return no_answer(std::move(report), Status::error, "tool_failed",
                     "the tool itself failed: " + said.tool_error_line);
  if (!missing.empty())
    return no_answer(std::move(report), Status::error, "expected_missing",
                     "the target never printed what matches '" + missing.front() + "'");
  if (kernels == 0 && rules.expected.empty())
    return no_answer(std::move(report), Status::error, "no_kernels_checked",
                     "nothing shows that a kernel ran; give `expect` or `kernel_line`, patterns of "
                     "what the target prints");
  return report;
}

Result<JobReport> parse(const JobRequest& request) {
  CR_TRY(const Rules rules, rules_of(request.inputs));
  CR_TRY(const std::string printed, tools::report_text(request.inputs));
  CR_TRY(const std::int64_t exit, whole_within(request.inputs, "exit_code", 0, 0, 255));
  return judged(printed, rules,
                has(request.inputs, "exit_code") ? std::optional(exit) : std::nullopt);
}

Result<JobReport> run(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  CR_TRY(const Rules rules, rules_of(inputs));
  CR_TRY(const std::int64_t timeout_s, whole_within(inputs, "timeout_s", 540, 1, 86400));
  CR_TRY(const std::vector<std::string> target, tools::target_of(inputs));
  CR_TRY(const std::filesystem::path tool, tools::find_tool("compute-sanitizer"));
  tools::ChildCommand command;
  command.timeout = std::chrono::seconds(timeout_s);
  command.output_bytes_max = tools::report_bytes_max;
  command.words = {
      tool.string(),   "--tool", rules.tool, "--error-exitcode", std::to_string(error_exit_code),
      "--print-limit", "100000"};
  if (rules.tool == "memcheck" && flag(inputs, "leak_check", true))
    command.words.insert(command.words.end(), {"--leak-check", "full"});
  command.words.insert(command.words.end(), target.begin(), target.end());
  CR_TRY(const tools::ChildEnd end, tools::run_child(command));
  const std::string log = "compute-sanitizer-" + rules.tool + ".txt";
  CR_CHECK(write_file_atomic(request.folder / log, end.output));
  const std::int64_t exit = end.signal == 0 ? end.exit_code : 128 + end.signal;
  JobReport report = judged(end.output, rules, exit);
  report.artifacts.push_back(log);
  if (end.timed_out)
    return no_answer(std::move(report), Status::error, "timeout",
                     "it ran longer than " + std::to_string(timeout_s) + " s");
  if (end.truncated && report.status == Status::pass)
    return no_answer(std::move(report), Status::error, "truncated", "it printed more than is kept");
  return report;
}

#define CR_SANITIZER_RULES "tool?: string, expect?: list<string>, kernel_line?: string"

}  // namespace

Job sanitizer_parse_job() {
  return {.name = "sanitizer.parse",
          .version = 1,
          .title = "a report of compute-sanitizer: its findings, and how the target ended",
          .inputs = "{report?: path, text?: string, exit_code?: int, " CR_SANITIZER_RULES "}",
          .result = result_type,
          .timeout = std::chrono::seconds(60),
          .run = parse};
}

Job sanitizer_run_job() {
  return {.name = "sanitizer.run",
          .version = 1,
          .title = "a program under compute-sanitizer, and what the report finds",
          .inputs =
              "{command: list<string>, timeout_s?: int, leak_check?: bool, " CR_SANITIZER_RULES "}",
          .result = result_type,
          .timeout = std::chrono::seconds(600),
          .run = run};
}

}  // namespace checkride::kernels
