// Runs a job of the catalog as the frame does, and holds its fields against its result type.
#pragma once

#include <unistd.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "engine/base/files.h"
#include "kernels/catalog/catalog.h"
#include "kernels/job/envelope.h"
#include "kernels/subjects/named.h"
#include "tests/unit/kernels/folder.h"

namespace checkride::kernels::test {

inline std::filesystem::path scratch_folder() {
  static const Folder folder;
  return folder.path;
}

// With CHECKRIDE_RECORD set to a folder, reports and samples are kept there: what fixtures of a
// device's results are made from.
inline void record(std::string_view name, const std::string& inputs, const JobReport& report) {
  const char* folder = std::getenv("CHECKRIDE_RECORD");
  if (folder == nullptr) return;
  json::array reasons;
  for (const std::string& reason : report.reasons) reasons.emplace_back(reason);
  std::ofstream(std::filesystem::path(folder) / "reports.jsonl", std::ios::app)
      << boost::json::serialize(json::object{{"job", name},
                                             {"inputs", boost::json::parse(inputs)},
                                             {"status", to_string(report.status)},
                                             {"reasons", reasons},
                                             {"backend", to_string(report.backend)},
                                             {"perf_valid", report.perf_valid},
                                             {"fields", report.fields}})
      << "\n";
}
inline void record_samples(const std::string& name) {
  const char* folder = std::getenv("CHECKRIDE_RECORD");
  if (folder == nullptr) return;
  std::filesystem::copy_file(scratch_folder() / "samples.json",
                             std::filesystem::path(folder) / ("samples." + name + ".json"));
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
  // As a reader of the printed report has it: there a number's type is its text's.
  const std::string told = boost::json::serialize(report->fields);
  const Result<void> typed =
      check_inputs(name, job->result, boost::json::parse(told).as_object());
  INFO(told << (typed ? "" : typed.error().text()));
  REQUIRE(typed);
  record(name, inputs, *report);
  return *std::move(report);
}

inline std::filesystem::path h200_fixture(const std::string& name) {
  const char* source = std::getenv("CHECKRIDE_SOURCE");
  return std::filesystem::path(source == nullptr ? "." : source) / "tests/fixtures/h200" / name;
}

// Reports of a job as an H200 gave them (record() above): each is held against the job's types.
inline std::vector<json::object> recorded_reports(std::string_view name) {
  const auto text =
      read_file(h200_fixture(std::string(name) + ".reports.json"), std::size_t{1} << 20);
  REQUIRE(text);
  std::vector<json::object> reports;
  const json::value parsed = boost::json::parse(*text);
  for (const json::value& value : parsed.as_array()) {
    const json::object& report = value.as_object();
    const Result<void> typed =
        check_inputs(name, find_job(name)->result, report.at("fields").as_object());
    INFO((typed ? "" : typed.error().text()));
    CHECK(typed);
    CHECK(report.at("backend") == "cuda");
    reports.push_back(report);
  }
  REQUIRE(reports.size() >= 3);
  return reports;
}

}  // namespace checkride::kernels::test
