#include "cli/kernels/kernel.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "cli/given_file.h"
#include "cli/kernels/child.h"
#include "cli/kernels/kinds.h"
#include "cli/parameters.h"
#include "cli/render/text.h"
#include "engine/cel/text.h"
#include "kernels/catalog/catalog.h"
#include "kernels/job/envelope.h"
#include "kernels/job/inputs.h"

namespace checkride::cli {

namespace {

namespace json = kernels::json;
constexpr std::size_t inputs_bytes_max = 1 << 20;

Result<const kernels::Job*> job_called(const std::string& name) {
  if (const kernels::Job* job = kernels::find_job(name)) return job;
  std::vector<std::string> names;
  for (const kernels::Job& job : kernels::jobs()) names.emplace_back(job.name);
  std::string near = cel::did_you_mean(name, names);
  return fail(ErrorCode::not_found,
              "there is no GPU job '" + name + "'; " +
                  (near.empty() ? "`checkride kernel list` names them" : near));
}

json::object described(const kernels::Job& job) {
  const JobSignature signature = signature_of(job);
  json::object one;
  one["name"] = signature.name;
  one["version"] = signature.version;
  one["title"] = signature.title;
  one["inputs"] = cel::to_string(signature.inputs);
  one["result"] = cel::to_string(signature.result);
  one["timeout_s"] = job.timeout.count();
  one["repeatable"] = job.subject != nullptr;
  return one;
}

void print_fields(std::ostream& out, const std::string& title, const cel::Type& record) {
  out << "\n" << title << "\n";
  Table table({"", ""});
  for (const cel::Field& field : record.fields())
    table.row({"  " + field.name + (field.optional ? "?" : ""), cel::to_string(field.type)});
  out << table.text(Style{});
}

Result<cel::Map> given_inputs(const KernelRunOptions& options, const cel::Type& type) {
  std::string text;
  if (options.inputs == "-") {
    text.resize(inputs_bytes_max + 1);  // no more is read, however much there is
    std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(std::cin.gcount()));
    if (text.size() > inputs_bytes_max)
      return fail(ErrorCode::invalid_argument, "the inputs are larger than 1 MiB");
  } else if (!options.inputs.empty()) {
    CR_TRY(text, read_given(options.inputs, inputs_bytes_max));
  }
  cel::Map inputs;
  if (!text.empty()) {
    auto value = cel::from_json(text);
    if (!value) return fail(value.error(), "the inputs");
    if (value->kind() != cel::Kind::map)
      return fail(ErrorCode::invalid_argument, "the inputs are no JSON object");
    inputs = value->as_map();
  }
  for (const std::string& param : options.params) {
    const std::size_t equals = param.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::invalid_argument, "'" + param + "' is no input; write -p name=value");
    const std::string name = param.substr(0, equals);
    const cel::Field* field = type.field(name);
    if (field == nullptr) {
      std::vector<std::string> names;
      for (const cel::Field& one : type.fields()) names.push_back(one.name);
      const std::string near = cel::did_you_mean(name, names);
      return fail(
          ErrorCode::invalid_argument,
          options.name + " takes no '" + name + "'; " +
              (near.empty() ? "`checkride kernel list " + options.name + "` names its inputs"
                            : near));
    }
    auto value = parse_value(param.substr(equals + 1), field->type);
    if (!value) return fail(value.error(), name);
    inputs.set(std::string_view(name), *std::move(value));
  }
  CR_TRY(cel::Value fitted, fit(cel::Value(std::move(inputs)), type));
  if (const auto fits = cel::conforms(fitted, type); !fits)
    return fail(ErrorCode::invalid_argument, options.name + ": " + fits.error().text());
  return fitted.as_map();
}

std::string shown(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_double()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value.get_double());
    return text;
  }
  return json::serialize(value);
}

void print_report(std::ostream& out, const json::object& report) {
  const double seconds = static_cast<double>(report.at("t_end_ns").to_number<std::int64_t>() -
                                             report.at("t_start_ns").to_number<std::int64_t>()) *
                         1e-9;
  char time[32];
  std::snprintf(time, sizeof time, "%.2f s", seconds);
  out << shown(report.at("job")) << ": " << shown(report.at("status")) << " ("
      << shown(report.at("backend")) << ", " << time << ")\n";
  Table table({"", ""});
  for (const auto& [name, value] : report) {
    const bool empty = value.is_null() || (value.is_string() && value.get_string().empty()) ||
                       (value.is_array() && value.get_array().empty());
    const std::string_view key(name.data(), name.size());
    if (empty || key == "job" || key == "status" || key == "backend" || key == "t_start_ns" ||
        key == "t_end_ns" || key == "job_version" || key.ends_with("sha256"))
      continue;
    table.row({"  " + std::string(key), shorten(shown(value), 160)});
  }
  out << table.text(Style{});
}

// What was asked makes no sense, or names a file that is not there: nothing was judged.
bool of_usage(const json::object& report) {
  const json::value* reasons = report.if_contains("reasons");
  if (reasons == nullptr || !reasons->is_array() || reasons->get_array().empty()) return false;
  const std::string reason = shown(reasons->get_array().front());
  return shown(report.at("status")) == "error" &&
         (reason == "invalid_input" || reason == "not_found");
}

// The job's own; more where it was told how long what it starts may take.
std::chrono::seconds time_limit(const kernels::Job& job, const kernels::JobRequest& request) {
  constexpr double most_s = 604'800.0;
  const double asked_s = std::min(kernels::number(request.inputs, "timeout_s", 0.0), most_s) + 60.0;
  return std::max(job.timeout, std::chrono::seconds(static_cast<std::int64_t>(asked_s)));
}

}  // namespace

int cmd_kernel_list(const Context& context, const KernelListOptions& options) {
  if (!options.name.empty()) {
    const auto job = job_called(options.name);
    if (!job) return report_error(context, job.error());
    if (context.json) {
      context.out << json::serialize(described(**job)) << "\n";
      return exit_ok;
    }
    const JobSignature signature = signature_of(**job);
    context.out << signature.name << ": " << signature.title << "\n";
    print_fields(context.out, "inputs", signature.inputs);
    print_fields(context.out, "result", signature.result);
    return exit_ok;
  }
  if (context.json) {
    json::array all;
    for (const kernels::Job& job : kernels::jobs()) all.push_back(described(job));
    context.out << json::serialize(json::object{{"jobs", std::move(all)}}) << "\n";
    return exit_ok;
  }
  Table table({"", ""});
  for (const kernels::Job& job : kernels::jobs())
    table.row({std::string(job.name), std::string(job.title)});
  context.out << table.text(Style{});
  return exit_ok;
}

int cmd_kernel_run(const Context& context, const KernelRunOptions& options) {
  const auto job = job_called(options.name);
  if (!job) return report_error(context, job.error());
  const JobSignature signature = signature_of(**job);
  auto inputs = given_inputs(options, signature.inputs);
  if (!inputs) return report_error(context, inputs.error());
  const json::value value = json::parse(cel::to_json(cel::Value(*std::move(inputs))));
  auto request = kernels::request_of(value.get_object(), options.folder);
  if (!request) return report_error(context, request.error());
  if (const auto made = make_folders(options.folder); !made)
    return report_error(context, made.error());
  std::optional<std::chrono::seconds> timeout = time_limit(**job, *request);
  if (options.timeout_s) timeout = std::chrono::seconds(*options.timeout_s);
  if (timeout->count() == 0) timeout.reset();
  auto report = options.in_process ? Result<json::object>(run_here(**job, *request))
                                   : run_in_child(**job, *request, timeout);
  if (!report) return report_error(context, report.error());
  report = held_to_type(*std::move(report), signature.result);
  if (context.json)
    context.out << json::serialize(*report) << "\n";
  else
    print_report(context.out, *report);
  if (options.report_is_all || shown(report->at("status")) == "pass") return exit_ok;
  return of_usage(*report) ? exit_usage : exit_failed;
}

}  // namespace checkride::cli
