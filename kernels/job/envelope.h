// The one JSON object a job ends in: the fields every job shares, then its own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kernels/job/job.h"

namespace checkride::kernels {

// Shared inputs and results, in the words of definitions, without braces: what the frame adds to
// Job::inputs and Job::result.
inline constexpr std::string_view shared_inputs =
    "backend?: string, seed?: int";  // backend: auto (default), cuda, cpu
inline constexpr std::string_view shared_result =
    "job: string, job_version: int, status: string, reasons: list<string>, message: string, "
    "backend: string, perf_valid: bool, device_uuid?: string, sm?: int, driver?: int, "
    "runtime?: int, seed: int, inputs_sha256?: string, params_sha256: string, t_start_ns: int, "
    "t_end_ns: int, artifacts: list<string>";

// "{actual: path}" and "backend?: string" make "{actual: path, backend?: string}".
std::string joined_record(std::string_view record, std::string_view fields);

// Whether a profiler or a sanitizer is in this process, by the variables with which they get in;
// both make kernels slower. The envelope's perf_valid is false then; what a job writes to files
// asks here.
bool under_a_tool();

struct RunTimes {
  std::int64_t start_ns = 0;  // since 1970, UTC
  std::int64_t end_ns = 0;
};
// Text that is no UTF-8 has '?' for the bytes that are not. device_* and versions are of the device
// in use and left out where the report's backend is not cuda. params_sha256 is over the inputs'
// canonical JSON (keys sorted, no spaces).
json::object envelope(const Job& job, const JobRequest& request, const JobReport& report,
                      const RunTimes& times);

// Reads `backend` and `seed` out of the inputs and removes them. Error: invalid_argument.
Result<JobRequest> request_of(json::object inputs, std::filesystem::path folder);

}  // namespace checkride::kernels
