// The text a parsing job judges: given as it is, or a file.
#pragma once

#include <string>

#include "kernels/job/job.h"

namespace checkride::kernels::tools {

inline constexpr std::size_t report_bytes_max = 64u << 20;

// Of the inputs `report` (a path) or `text`. Errors: invalid_argument where it is not one of the
// two, or is empty; not_found, io.
Result<std::string> report_text(const json::object& inputs);

json::array array_of(const std::vector<std::string>& texts);

// A report of a tool that is not here, could not start or took too long.
JobReport no_answer(JobReport report, Status status, std::string reason, std::string message);

}  // namespace checkride::kernels::tools
