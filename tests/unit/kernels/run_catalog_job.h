// Runs a job of the catalog as the frame does, and holds its fields against its result type.
#pragma once

#include <unistd.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "kernels/catalog/catalog.h"
#include "kernels/job/envelope.h"
#include "kernels/subjects/named.h"

namespace checkride::kernels::test {

inline std::filesystem::path scratch_folder() {
  static const std::filesystem::path folder = [] {
    std::string name = (std::filesystem::temp_directory_path() / "kernels.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    return std::filesystem::path(name);
  }();
  return folder;
}

inline JobReport run_job(std::string_view name, const std::string& inputs) {
  const Job* job = find_job(name);
  REQUIRE(job != nullptr);
  auto request = request_of(boost::json::parse(inputs).as_object(), scratch_folder());
  REQUIRE(request);
  const Result<void> taken = check_inputs(name, job->inputs, request->inputs);
  INFO((taken ? "" : taken.error().text()));
  REQUIRE(taken);
  Result<JobReport> report = job->run(*request);
  if (!report) return report_of(report.error());
  INFO(boost::json::serialize(report->fields));
  const Result<void> typed = check_inputs(name, job->result, report->fields);
  INFO((typed ? "" : typed.error().text()));
  REQUIRE(typed);
  return *std::move(report);
}

}  // namespace checkride::kernels::test
