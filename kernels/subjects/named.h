// A subject by name, as definitions give it: `subject: gemm.tensor` and `subject_inputs: {...}`.
#pragma once

#include <memory>
#include <string_view>

#include "kernels/job/job.h"
#include "kernels/job/subject.h"

namespace checkride::kernels {

using FindJob = const Job* (*)(std::string_view name);
// Where jobs are looked up beside the built-in subjects; the catalog sets it once, before jobs run.
void set_job_finder(FindJob find);

// Inputs `subject` and `subject_inputs` of the request, its backend, seed and folder. Errors:
// invalid_argument for an unknown name (the known ones are named), a job without a subject, or
// inputs that do not conform; else what the subject's own making ends in.
Result<std::unique_ptr<Subject>> named_subject(const JobRequest& request);

// Holds inputs against a record in the words of definitions: no unknown field, none missing, and
// bool, int, double, string, path and lists of them of the right type; other types are the job's to
// check.
// invalid_argument: "gemm.tensor has no input 'nn'; it takes dtype, m, n, k".
Result<void> check_inputs(std::string_view job, std::string_view record,
                          const json::object& inputs);

}  // namespace checkride::kernels
