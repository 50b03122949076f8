#include "kernels/job/job.h"

namespace checkride::kernels {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::pass: return "pass";
    case Status::fail: return "fail";
    case Status::error: return "error";
    case Status::unavailable: return "unavailable";
    case Status::skipped: return "skipped";
  }
  return "error";
}

std::string_view to_string(Backend backend) {
  switch (backend) {
    case Backend::cuda: return "cuda";
    case Backend::cpu: return "cpu";
    case Backend::parse: return "parse";
  }
  return "cpu";
}

namespace {

std::string_view reason_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::no_space: return "out_of_memory";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::io:
    case ErrorCode::locked: return "io";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::internal: return "device_fault";
    default: return "invalid_input";
  }
}

}  // namespace

JobReport report_of(const Error& error) {
  JobReport report;
  report.status = error.code == ErrorCode::unavailable ? Status::unavailable : Status::error;
  report.reasons.emplace_back(reason_of(error.code));
  report.message = error.text();
  return report;
}

}  // namespace checkride::kernels
