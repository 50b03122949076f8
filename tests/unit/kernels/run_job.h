// Runs a job in the test's own process, its inputs written as JSON.
#pragma once

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "kernels/job/envelope.h"
#include "kernels/job/job.h"

namespace checkride::kernels::testing {

inline Result<JobReport> run_job(const Job& job, const json::object& inputs) {
  CR_TRY(const JobRequest request, request_of(inputs, std::filesystem::temp_directory_path()));
  return job.run(request);
}

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(std::getenv("CHECKRIDE_SOURCE")) / "tests/fixtures/kernels" / name;
}

}  // namespace checkride::kernels::testing
