#include "kernels/job/inputs.h"

#include <boost/json/value.hpp>
#include <cmath>

#include "engine/base/files.h"

namespace checkride::kernels {

namespace {

const json::value* value_of(const json::object& inputs, std::string_view name) {
  const json::value* found = inputs.if_contains({name.data(), name.size()});
  return found == nullptr || found->is_null() ? nullptr : found;
}

}  // namespace

std::string text(const json::object& inputs, std::string_view name, std::string_view otherwise) {
  const json::value* found = value_of(inputs, name);
  if (found == nullptr || !found->is_string()) return std::string(otherwise);
  return {found->get_string().data(), found->get_string().size()};
}

std::int64_t whole(const json::object& inputs, std::string_view name, std::int64_t otherwise) {
  const json::value* found = value_of(inputs, name);
  return found != nullptr && found->is_int64() ? found->get_int64() : otherwise;
}

double number(const json::object& inputs, std::string_view name, double otherwise) {
  const json::value* found = value_of(inputs, name);
  if (found == nullptr) return otherwise;
  if (found->is_double()) return found->get_double();
  return found->is_int64() ? static_cast<double>(found->get_int64()) : otherwise;
}

bool flag(const json::object& inputs, std::string_view name, bool otherwise) {
  const json::value* found = value_of(inputs, name);
  return found != nullptr && found->is_bool() ? found->get_bool() : otherwise;
}

bool has(const json::object& inputs, std::string_view name) {
  return value_of(inputs, name) != nullptr;
}

std::vector<std::string> texts(const json::object& inputs, std::string_view name) {
  std::vector<std::string> all;
  const json::value* found = value_of(inputs, name);
  if (found == nullptr || !found->is_array()) return all;
  for (const json::value& item : found->get_array())
    if (item.is_string()) all.emplace_back(item.get_string().data(), item.get_string().size());
  return all;
}

Result<std::int64_t> whole_within(const json::object& inputs, std::string_view name,
                                  std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const std::int64_t value = whole(inputs, name, otherwise);
  if (value < least || value > most)
    return fail(ErrorCode::invalid_argument, std::string(name) + " is " + std::to_string(value) +
                                                 "; give " + std::to_string(least) + " to " +
                                                 std::to_string(most));
  return value;
}

Result<std::string> choice(const json::object& inputs, std::string_view name,
                           std::string_view otherwise,
                           std::initializer_list<std::string_view> words) {
  std::string given = text(inputs, name, otherwise);
  std::string all;
  for (const std::string_view word : words) {
    if (given == word) return given;
    all += (all.empty() ? "" : ", ") + std::string(word);
  }
  return fail(ErrorCode::invalid_argument,
              std::string(name) + " is '" + given + "'; give one of " + all);
}

Result<std::string> file_text(const std::filesystem::path& path, std::size_t bytes_max) {
  std::error_code problem;
  const auto kind = std::filesystem::status(path, problem).type();
  using std::filesystem::file_type;
  if (kind != file_type::regular && kind != file_type::not_found && kind != file_type::none)
    return fail(ErrorCode::invalid_argument, "'" + path.string() + "' is not a regular file");
  return read_file(path, bytes_max);
}

json::value finite(double value) {
  return std::isfinite(value) ? json::value(value) : json::value(nullptr);
}

}  // namespace checkride::kernels
