#include "kernels/job/envelope.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <map>

#include "engine/base/digest.h"
#include "engine/base/utf8.h"
#include "kernels/job/device.h"
#include "kernels/job/inputs.h"

namespace checkride::kernels {

namespace {

json::value canonical(const json::value& value) {
  if (value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array()) items.push_back(canonical(item));
    return items;
  }
  if (!value.is_object()) return value;
  std::map<std::string, json::value> sorted;
  for (const auto& [key, item] : value.get_object()) sorted[std::string(key)] = canonical(item);
  json::object object;
  for (auto& [key, item] : sorted) object[key] = std::move(item);
  return object;
}

// What programs print may be no text, or cut within a character: other bytes become '?', for no
// reader takes JSON with them.
std::string as_text(std::string_view bytes) {
  return valid_utf8(bytes, U'?');
}

json::value as_text(const json::value& value) {
  if (value.is_string()) return json::value(as_text(std::string_view(value.get_string())));
  if (value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array()) items.push_back(as_text(item));
    return items;
  }
  if (!value.is_object()) return value;
  json::object fields;
  for (const auto& [name, item] : value.get_object())
    fields[as_text(std::string_view(name))] = as_text(item);
  return fields;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(as_text(text));
  return array;
}

}  // namespace

bool under_a_tool() {
  return std::getenv("CUDA_INJECTION64_PATH") != nullptr ||
         std::getenv("NVIDIA_PROCESS_INJECTION_CRASH_REPORTING") != nullptr;
}

std::string joined_record(std::string_view record, std::string_view fields) {
  const std::string_view inner = record.substr(1, record.size() - 2);
  return "{" + std::string(inner) + (inner.empty() ? "" : ", ") + std::string(fields) + "}";
}

json::object envelope(const Job& job, const JobRequest& request, const JobReport& report,
                      const RunTimes& times) {
  json::object all;
  all["job"] = std::string(job.name);
  all["job_version"] = job.version;
  all["status"] = std::string(to_string(report.status));
  all["reasons"] = array_of(report.reasons);
  all["message"] = as_text(report.message);
  all["backend"] = std::string(to_string(report.backend));
  all["perf_valid"] = report.perf_valid && report.backend != Backend::cpu && !under_a_tool();
  if (report.backend == Backend::cuda && device()) {
    all["device_uuid"] = device()->uuid;
    all["sm"] = device()->sm;
    all["driver"] = device()->driver;
    all["runtime"] = device()->runtime;
  }
  all["seed"] = static_cast<std::int64_t>(request.seed);
  if (!report.inputs_sha256.empty()) all["inputs_sha256"] = report.inputs_sha256;
  all["params_sha256"] = to_hex(sha256(json::serialize(canonical(request.inputs))));
  all["t_start_ns"] = times.start_ns;
  all["t_end_ns"] = times.end_ns;
  all["artifacts"] = array_of(report.artifacts);
  for (const auto& [name, value] : report.fields) all[name] = as_text(value);
  return all;
}

Result<JobRequest> request_of(json::object inputs, std::filesystem::path folder) {
  JobRequest request;
  CR_TRY(const std::string where, choice(inputs, "backend", "auto", {"auto", "cuda", "cpu"}));
  request.where = where == "cuda"  ? JobRequest::Where::cuda
                  : where == "cpu" ? JobRequest::Where::cpu
                                   : JobRequest::Where::anywhere;
  CR_TRY(const std::int64_t seed, whole_within(inputs, "seed", 1, 0, INT64_MAX));
  request.seed = static_cast<std::uint64_t>(seed);
  inputs.erase("backend");
  inputs.erase("seed");
  request.inputs = std::move(inputs);
  request.folder = std::move(folder);
  return request;
}

}  // namespace checkride::kernels
