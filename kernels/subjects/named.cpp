#include "kernels/subjects/named.h"

#include <algorithm>
#include <atomic>
#include <boost/json/array.hpp>

#include "kernels/job/inputs.h"
#include "kernels/subjects/builtin.h"

namespace checkride::kernels {

namespace {

std::atomic<FindJob> finder = nullptr;

struct Field {
  std::string name;
  std::string type;
  bool optional = false;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "{a: path, b?: list<int>}" as its fields.
std::vector<Field> fields_of(std::string_view record) {
  std::vector<Field> fields;
  std::string_view rest = trimmed(record);
  if (rest.size() < 2) return fields;
  rest = rest.substr(1, rest.size() - 2);
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= rest.size(); ++i) {
    const char c = i < rest.size() ? rest[i] : ',';
    if (c == '<' || c == '{') ++depth;
    if (c == '>' || c == '}') --depth;
    if (c != ',' || depth != 0) continue;
    const std::string_view field = trimmed(rest.substr(begin, i - begin));
    begin = i + 1;
    const std::size_t colon = field.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view name = trimmed(field.substr(0, colon));
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    fields.push_back({std::string(name), std::string(trimmed(field.substr(colon + 1))), optional});
  }
  return fields;
}

bool conforms(std::string_view type, const json::value& value) {
  if (type == "bool") return value.is_bool();
  if (type == "int") return value.is_int64();
  if (type == "double") return value.is_double() || value.is_int64();
  if (type == "string" || type == "path") return value.is_string();
  constexpr std::string_view list = "list<";
  if (!type.starts_with(list)) return true;
  const std::string_view item = type.substr(list.size(), type.size() - list.size() - 1);
  return value.is_array() && std::ranges::all_of(value.get_array(), [&](const json::value& one) {
           return conforms(item, one);
         });
}

template <class Names>
std::string listed(const Names& names) {
  std::string all;
  for (const auto& each : names) all += (all.empty() ? "" : ", ") + std::string(each.name);
  return all.empty() ? "none" : all;
}

const Job* subject_job(std::string_view name) {
  for (const Job& job : builtin_subjects())
    if (job.name == name) return &job;
  const FindJob find = finder;
  return find == nullptr ? nullptr : find(name);
}

}  // namespace

void set_job_finder(FindJob find) {
  finder = find;
}

Result<void> check_inputs(std::string_view job, std::string_view record,
                          const json::object& inputs) {
  const std::vector<Field> fields = fields_of(record);
  for (const auto& [key, value] : inputs) {
    const auto field = std::ranges::find(fields, std::string(key), &Field::name);
    if (field == fields.end())
      return fail(ErrorCode::invalid_argument, std::string(job) + " has no input '" +
                                                   std::string(key) + "'; it takes " +
                                                   listed(fields));
    if (!(value.is_null() && field->optional) && !conforms(field->type, value))
      return fail(ErrorCode::invalid_argument,
                  "input " + field->name + " of " + std::string(job) + " is not " + field->type);
  }
  for (const Field& field : fields)
    if (!field.optional && !inputs.contains(field.name))
      return fail(ErrorCode::invalid_argument,
                  std::string(job) + " needs the input '" + field.name + "'");
  return {};
}

Result<std::unique_ptr<Subject>> named_subject(const JobRequest& request) {
  const std::string name = text(request.inputs, "subject");
  const Job* job = subject_job(name);
  if (job == nullptr || job->subject == nullptr)
    return fail(ErrorCode::invalid_argument,
                "'" + name + "' " + (job == nullptr ? "is no job" : "has nothing to repeat") +
                    "; give a job that has a subject, or one of " + listed(builtin_subjects()));
  JobRequest inner = request;
  inner.inputs = {};
  const auto* given = request.inputs.if_contains("subject_inputs");
  if (given != nullptr && !given->is_null()) {
    if (!given->is_object())
      return fail(ErrorCode::invalid_argument,
                  "subject_inputs is not a map of the inputs of " + name);
    inner.inputs = given->get_object();
  }
  CR_CHECK(check_inputs(name, job->inputs, inner.inputs));
  return job->subject(inner);
}

}  // namespace checkride::kernels
