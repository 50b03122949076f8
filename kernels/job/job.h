// A GPU job: what it is called, what it takes and gives, and one function from a request to a
// report. Everything around it (own process, timeout, the common envelope, exit codes, typing of
// inputs and results for guards) is done once, by cli/kernels; a job only computes. A job never
// throws, never prints on standard output, never allocates managed memory and never changes a
// device's settings.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace checkride::kernels {

namespace json = boost::json;

// pass and fail are answers: every field of the result is there. The others are not: `error` means
// that no answer could be found, `unavailable` that something needed is not here, `skipped` that
// the job was asked not to answer. None of the three ever satisfies a guard.
enum class Status : std::uint8_t { pass, fail, error, unavailable, skipped };
std::string_view to_string(Status status);

enum class Backend : std::uint8_t { cuda, cpu, parse };
std::string_view to_string(Backend backend);

struct JobRequest {
  json::object inputs;  // conforms to Job::inputs; what was left out is absent
  // Where to compute: what is here (a device if there is one), or one of the two and nothing else.
  enum class Where : std::uint8_t { anywhere, cuda, cpu } where = Where::anywhere;
  std::uint64_t seed = 1;        // of every random input
  std::filesystem::path folder;  // for artifacts; exists
};

struct JobReport {
  Status status = Status::error;
  std::vector<std::string> reasons;  // codes such as above_physical_limit; none for pass
  std::string message;               // one sentence for a person; empty for pass
  Backend backend = Backend::cpu;
  bool perf_valid = false;             // whether figures of speed mean anything
  json::object fields;                 // of Job::result; numbers finite, null for what has no value
  std::string inputs_sha256;           // of the data judged, where there is data
  std::vector<std::string> artifacts;  // files written, relative to the folder

  // A verdict against the job adds its code; the status becomes fail.
  void fail_with(std::string reason) {
    status = Status::fail;
    reasons.push_back(std::move(reason));
  }
};

// An Error as a report: unavailable, or error with the code of its kind as reason (out_of_memory,
// timeout, io, not_found, invalid_input, unsupported, device_fault). Its text is the message.
JobReport report_of(const Error& error);

class Subject;

struct Job {
  std::string_view name;   // "tensor.compare"
  int version = 1;         // raised when inputs, fields or their meaning change
  std::string_view title;  // one line
  // Types in the words of definitions (docs/reference/language.md), records without the fields all
  // jobs share: "{actual: path, rtol?: double}". A result field that may be null is marked `?`.
  std::string_view inputs;
  std::string_view result;
  std::chrono::seconds timeout{300};
  Result<JobReport> (*run)(const JobRequest&) = nullptr;
  // The job's work as something repeatable, for determinism and latency.measure; null: it has none.
  Result<std::unique_ptr<Subject>> (*subject)(const JobRequest&) = nullptr;
};

}  // namespace checkride::kernels
