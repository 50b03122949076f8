// The text a parsing job judges: given as it is, or a file.
#pragma once

#include <string>

#include "kernels/job/job.h"

namespace checkride::kernels::tools {

inline constexpr std::size_t report_bytes_max = 64u << 20;

// Of the inputs `report` (a path) or `text`. Errors: invalid_argument where it is not one of the
// two, or is empty; not_found, io.
Result<std::string> report_text(const json::object& inputs);

// A report has to fit into what is kept of a job's output: takes the value's bytes out of `room`
// and says whether they were there.
bool takes_room(const json::value& value, std::size_t& room);
inline constexpr std::size_t list_bytes_max = 32u << 10;

// At most 16, 300 bytes each.
json::array array_of(const std::vector<std::string>& texts);

// A report of a tool that is not here, could not start or took too long.
JobReport no_answer(JobReport report, Status status, std::string reason, std::string message);

}  // namespace checkride::kernels::tools
