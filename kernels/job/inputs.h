// Reading the inputs of a request, whose types have been checked: what is absent takes the default.
// Ranges and choices are the job's to check; choice() words the refusal.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/job/job.h"

namespace checkride::kernels {

std::string text(const json::object& inputs, std::string_view name,
                 std::string_view otherwise = "");
std::int64_t whole(const json::object& inputs, std::string_view name, std::int64_t otherwise);
double number(const json::object& inputs, std::string_view name, double otherwise);
bool flag(const json::object& inputs, std::string_view name, bool otherwise);
bool has(const json::object& inputs, std::string_view name);
std::vector<std::string> texts(const json::object& inputs, std::string_view name);

// A whole number within bounds. invalid_argument: "m is 0; give 1 to 65536".
Result<std::int64_t> whole_within(const json::object& inputs, std::string_view name,
                                  std::int64_t otherwise, std::int64_t least, std::int64_t most);
// One of a few words. invalid_argument: "dtype is 'f8'; give one of f16, bf16".
Result<std::string> choice(const json::object& inputs, std::string_view name,
                           std::string_view otherwise,
                           std::initializer_list<std::string_view> words);

// The whole of a regular file; a pipe or a device would hold the job up or never end.
// invalid_argument: it is something else, or has more than bytes_max bytes; not_found, io.
Result<std::string> file_text(const std::filesystem::path& path, std::size_t bytes_max);

// A number of JSON: null where it is not finite.
json::value finite(double value);

}  // namespace checkride::kernels
