#include "kernels/inspect/inspect_job.h"

#include <re2/re2.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <set>

#include "engine/base/digest.h"
#include "kernels/inspect/device_code.h"
#include "kernels/inspect/device_images.h"
#include "kernels/inspect/occupancy.h"
#include "kernels/inspect/opcodes.h"
#include "kernels/inspect/ptxas_log.h"
#include "kernels/job/inputs.h"

namespace checkride::kernels {

namespace {

using inspect::KernelCode;

constexpr std::size_t file_bytes_max = 1u << 30;
constexpr std::size_t log_bytes_max = 64u << 20;
// A report has to fit into what is kept of a job's output.
constexpr std::size_t list_bytes_max = 36u << 10;
constexpr std::size_t failures_max = 20;
constexpr std::size_t texts_max = 16;
constexpr std::int64_t any_amount = -1;

struct Rules {
  std::vector<std::string> required, forbidden;
  std::int64_t spill_bytes_max = 0;
  std::int64_t stack_bytes_max = any_amount;
  bool opcodes_asked = false;  // by the caller, not by default
};

struct Findings {
  std::vector<KernelCode> kernels, functions;
  std::int64_t images = 0, ptx = 0;
  std::vector<std::string> unread;
  std::set<std::string> compilers;
  std::string spill_source;
  bool opcodes_known = true;
};

Result<Rules> rules_of(const json::object& inputs) {
  Rules rules;
  rules.opcodes_asked = has(inputs, "required_opcodes") || has(inputs, "forbidden_opcodes");
  rules.required = texts(inputs, "required_opcodes");
  rules.forbidden = has(inputs, "forbidden_opcodes") ? texts(inputs, "forbidden_opcodes")
                                                     : std::vector<std::string>{"LDL", "STL"};
  for (const auto* list : {&rules.required, &rules.forbidden})
    for (const std::string& name : *list)
      if (!inspect::is_mnemonic(name))
        return fail(ErrorCode::invalid_argument,
                    "'" + name + "' is no instruction known here; see kernels/inspect/README.md");
  if (has(inputs, "ptxas_log") && !has(inputs, "file") && rules.opcodes_asked)
    return fail(ErrorCode::invalid_argument,
                "a ptxas log holds no instructions to ask for; give `file` as well");
  CR_TRY(rules.spill_bytes_max, whole_within(inputs, "spill_bytes_max", 0, 0, INT64_MAX));
  CR_TRY(rules.stack_bytes_max,
         whole_within(inputs, "stack_bytes_max", any_amount, any_amount, INT64_MAX));
  return rules;
}

// Adds what the file's images hold; an image that cannot be read is listed as unread.
void add_images(inspect::DeviceImages images, int sm, Findings& findings) {
  findings.ptx = images.ptx;
  findings.unread = std::move(images.unread);
  bool marked = true;
  for (const std::string& elf : images.elves) {
    auto code = inspect::read_device_code(elf);
    if (!code) {
      findings.unread.push_back(code.error().text());
      continue;
    }
    if (sm != 0 && code->sm != sm) continue;
    ++findings.images;
    findings.compilers.insert(code->compiler);
    marked = marked && code->spills_marked;
    findings.opcodes_known = findings.opcodes_known && inspect::opcodes_known_for(code->sm);
    for (KernelCode& kernel : code->kernels)
      (kernel.entry ? findings.kernels : findings.functions).push_back(std::move(kernel));
  }
  findings.spill_source = marked ? "compiler_marks" : "stack_accesses";
}

// Takes the figures of the log for the kernels it has, or its kernels where there is no file.
void add_log(std::string_view log, bool alone, Findings& findings) {
  auto logged = inspect::read_ptxas_log(log);
  findings.spill_source = "ptxas_log";
  if (alone) {
    findings.opcodes_known = false;
    for (KernelCode& kernel : logged)
      (kernel.entry ? findings.kernels : findings.functions).push_back(std::move(kernel));
    return;
  }
  std::map<std::string_view, const KernelCode*> by_name;
  for (const KernelCode& kernel : logged) by_name[kernel.mangled] = &kernel;
  for (auto* list : {&findings.kernels, &findings.functions})
    for (KernelCode& kernel : *list) {
      const auto found = by_name.find(kernel.mangled);
      if (found != by_name.end())
        kernel.spills = found->second->spills;
      else
        findings.spill_source = "mixed";
    }
}

// Those that guards ask for are always there; of the others, those that are.
bool always_listed(std::string_view opcode) {
  constexpr std::string_view names[] = {"HMMA", "HGMMA", "QGMMA", "QMMA", "IMMA", "IGMMA",
                                        "DMMA", "FFMA",  "MUFU",  "LDL",  "STL",  "other"};
  return std::ranges::find(names, opcode) != std::end(names);
}

json::object counts_of(const std::map<std::string_view, std::int64_t>& opcodes, bool all) {
  json::object counts;
  for (const auto& [name, count] : opcodes)
    if (all || count > 0 || always_listed(name)) counts[name] = count;
  return counts;
}

json::object kernel_json(const KernelCode& kernel, const json::object& inputs) {
  json::object out;
  out["name"] = inspect::demangled(kernel.mangled);
  out["mangled_name"] = kernel.mangled;
  out["sm"] = kernel.sm;
  out["regs"] = kernel.registers;
  out["smem_bytes"] = kernel.smem_bytes;
  out["stack_bytes"] = kernel.stack_bytes;
  out["spill_bytes"] = kernel.spills.total();
  out["spill_store_bytes"] = kernel.spills.store_bytes;
  out["spill_load_bytes"] = kernel.spills.load_bytes;
  out["instructions"] = kernel.instructions;
  out["opcode_counts"] = counts_of(kernel.opcodes, false);
  const std::int64_t threads = whole(inputs, "block_threads", kernel.block_threads);
  out["block_threads"] = threads == 0 ? json::value(nullptr) : json::value(threads);
  const auto blocks = inspect::max_blocks_per_multiprocessor(
      kernel.sm, {.threads = threads,
                  .registers = kernel.registers,
                  .smem_bytes = kernel.smem_bytes + whole(inputs, "dynamic_smem_bytes", 0)});
  out["max_ctas_per_sm"] = blocks ? json::value(*blocks) : json::value(nullptr);
  return out;
}

class Verdict {
 public:
  Verdict(const Rules& rules, bool opcodes_known, JobReport& report)
      : rules_(rules), opcodes_known_(opcodes_known), report_(report) {}

  void judge(const KernelCode& kernel) {
    const std::int64_t spills = kernel.spills.total();
    if (spills > rules_.spill_bytes_max)
      against("spills", kernel, "spills " + std::to_string(spills) + " bytes");
    if (rules_.stack_bytes_max != any_amount && kernel.stack_bytes > rules_.stack_bytes_max)
      against("stack", kernel, "uses " + std::to_string(kernel.stack_bytes) + " bytes of stack");
    if (!opcodes_known_) return;
    for (const std::string& name : rules_.forbidden)
      if (const std::int64_t count = kernel.opcodes.at(name); count > 0)
        against("forbidden_opcode", kernel, "has " + std::to_string(count) + " " + name);
    if (!kernel.entry) return;
    for (const std::string& name : rules_.required)
      if (kernel.opcodes.at(name) == 0) against("missing_opcode", kernel, "has no " + name);
  }

  json::array failures;

 private:
  void against(const char* reason, const KernelCode& kernel, const std::string& what) {
    const std::string sentence = inspect::demangled(kernel.mangled) + " " + what;
    if (report_.reasons.empty()) report_.message = sentence;
    if (std::ranges::find(report_.reasons, reason) == report_.reasons.end())
      report_.fail_with(reason);
    if (failures.size() < failures_max) failures.emplace_back(sentence.substr(0, 300));
  }

  const Rules& rules_;
  bool opcodes_known_;
  JobReport& report_;
};

JobReport no_answer(JobReport report, const char* reason, std::string message) {
  report.status = Status::error;
  report.reasons = {reason};
  report.message = std::move(message);
  return report;
}

// Keeps the kernels whose name, as written or as compiled, matches.
Result<void> select(const std::string& pattern, std::vector<KernelCode>& kernels) {
  if (pattern.empty()) return {};
  const RE2 regex(pattern, RE2::Quiet);
  if (!regex.ok())
    return fail(ErrorCode::invalid_argument, "kernels: " + regex.error() + " in '" + pattern + "'");
  std::erase_if(kernels, [&](const KernelCode& kernel) {
    return !RE2::PartialMatch(kernel.mangled, regex) &&
           !RE2::PartialMatch(inspect::demangled(kernel.mangled), regex);
  });
  return {};
}

// As many as there is room for, those with spills and local memory first: what a guard asks of all
// kernels then holds for those left out, too.
json::array listed(const std::vector<KernelCode>& kernels, const json::object& inputs,
                   std::size_t& room, std::int64_t& left_out) {
  std::vector<const KernelCode*> order;
  for (const KernelCode& kernel : kernels) order.push_back(&kernel);
  std::ranges::stable_sort(order, std::ranges::greater{}, [](const KernelCode* kernel) {
    return std::pair(kernel->spills.total(), kernel->stack_bytes);
  });
  json::array list;
  for (const KernelCode* kernel : order) {
    json::object one = kernel_json(*kernel, inputs);
    const std::size_t bytes = json::serialize(one).size();
    if (bytes > room) {
      ++left_out;
      continue;
    }
    room -= bytes;
    list.push_back(std::move(one));
  }
  return list;
}

JobReport judged(const Findings& findings, const Rules& rules, const json::object& inputs,
                 JobReport report) {
  report.status = Status::pass;
  Verdict verdict(rules, findings.opcodes_known, report);
  json::array unread, compilers;
  std::map<std::string_view, std::int64_t> opcodes;
  std::int64_t spill_bytes = 0;
  for (const auto* list : {&findings.kernels, &findings.functions})
    for (const KernelCode& kernel : *list) {
      verdict.judge(kernel);
      spill_bytes += kernel.spills.total();
      if (findings.opcodes_known)
        for (const auto& [name, count] : kernel.opcodes) opcodes[name] += count;
    }
  std::size_t room = list_bytes_max;
  std::int64_t left_out = 0;
  json::array kernels = listed(findings.kernels, inputs, room, left_out);
  json::array functions = listed(findings.functions, inputs, room, left_out);
  for (const std::string& what : findings.unread)
    if (unread.size() < texts_max) unread.emplace_back(what);
  for (const std::string& compiler : findings.compilers)
    if (compilers.size() < texts_max) compilers.emplace_back(compiler);
  json::object& fields = report.fields;
  fields["kernels"] = std::move(kernels);
  fields["functions"] = std::move(functions);
  fields["kernels_seen"] = static_cast<std::int64_t>(findings.kernels.size());
  fields["left_out"] = left_out;
  fields["opcodes"] = counts_of(opcodes, true);
  fields["spill_bytes"] = spill_bytes;
  fields["spill_source"] = findings.spill_source;
  fields["images"] = findings.images;
  fields["ptx_images"] = findings.ptx;
  fields["compilers"] = std::move(compilers);
  fields["unread"] = std::move(unread);
  fields["failures"] = std::move(verdict.failures);
  if (!findings.unread.empty())
    return no_answer(std::move(report), "unread_code",
                     "some device code could not be read: " + findings.unread.front());
  if (findings.kernels.empty() && findings.images == 0 && findings.ptx > 0)
    return no_answer(std::move(report), "ptx_only",
                     "there is PTX but no machine code; compile for a device (-arch=sm_90a)");
  if (findings.kernels.empty())
    return no_answer(std::move(report), "no_kernel",
                     "no kernel was found that matches; look at `file`, `kernels` and `sm`");
  if (!findings.opcodes_known && rules.opcodes_asked)
    return no_answer(std::move(report), "unknown_architecture",
                     "instructions of this architecture are not known here, only sm_70 to sm_90");
  return report;
}

Result<JobReport> run(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  CR_TRY(const Rules rules, rules_of(inputs));
  CR_TRY(const std::int64_t sm, whole_within(inputs, "sm", 0, 0, 999));
  CR_CHECK(whole_within(inputs, "block_threads", 1, 1, 1024));
  CR_CHECK(whole_within(inputs, "dynamic_smem_bytes", 0, 0, 1 << 20));
  if (!has(inputs, "file") && !has(inputs, "ptxas_log"))
    return fail(ErrorCode::invalid_argument, "give `file`, `ptxas_log` or both");
  JobReport report;
  report.backend = Backend::parse;
  Findings findings;
  std::string judged_bytes;
  if (has(inputs, "file")) {
    CR_TRY(const std::string file, file_text(text(inputs, "file"), file_bytes_max));
    judged_bytes = to_hex(sha256(file));
    add_images(inspect::device_images(file), static_cast<int>(sm), findings);
  }
  if (has(inputs, "ptxas_log")) {
    CR_TRY(const std::string log, file_text(text(inputs, "ptxas_log"), log_bytes_max));
    judged_bytes += to_hex(sha256(log));
    add_log(log, !has(inputs, "file"), findings);
  }
  report.inputs_sha256 = judged_bytes.size() == 64 ? judged_bytes : to_hex(sha256(judged_bytes));
  CR_CHECK(select(text(inputs, "kernels"), findings.kernels));
  return judged(findings, rules, inputs, std::move(report));
}

}  // namespace

Job inspect_job() {
  return {.name = "kernel.inspect",
          .version = 1,
          .title = "registers, shared memory, spills and instructions of compiled kernels",
          .inputs =
              "{file?: path, ptxas_log?: path, kernels?: string, sm?: int, "
              "block_threads?: int, dynamic_smem_bytes?: int, "
              "required_opcodes?: list<string>, forbidden_opcodes?: list<string>, "
              "spill_bytes_max?: int, stack_bytes_max?: int}",
          .result =
              "{kernels: list<{name: string, mangled_name: string, sm: int, regs: int, "
              "smem_bytes: int, stack_bytes: int, spill_bytes: int, spill_store_bytes: int, "
              "spill_load_bytes: int, instructions: int, opcode_counts: map<string, int>, "
              "block_threads?: int, max_ctas_per_sm?: int}>, "
              "functions: list<{name: string, mangled_name: string, sm: int, regs: int, "
              "smem_bytes: int, stack_bytes: int, spill_bytes: int, spill_store_bytes: int, "
              "spill_load_bytes: int, instructions: int, opcode_counts: map<string, int>, "
              "block_threads?: int, max_ctas_per_sm?: int}>, "
              "kernels_seen: int, left_out: int, opcodes: map<string, int>, spill_bytes: int, "
              "spill_source: string, images: int, "
              "ptx_images: int, compilers: list<string>, unread: list<string>, "
              "failures: list<string>}",
          .timeout = std::chrono::seconds(60),
          .run = run};
}

}  // namespace checkride::kernels
