// GPU jobs as kinds of job that definitions invoke, under their own names (`job: tensor.compare`).
// An attempt is the command `checkride kernel run NAME --json`, so that a device fault or a hang
// ends with that process, and the same line works on another host.
#pragma once

#include <string>

#include "engine/ports/job_kind.h"
#include "kernels/job/job.h"

namespace checkride::cli {

// builtin_jobs() and one kind for each GPU job; `program` is what runs them. Inputs and result have
// the shared fields of the envelope too. pass and fail are results; error, unavailable and skipped
// end an attempt without one. Relative paths start at the run's folder, artifacts go to
// `kernels/TOKEN` in it.
JobCatalog all_jobs(const std::string& program = "/proc/self/exe");

// The signature of one job, shared fields included.
JobSignature signature_of(const kernels::Job& job);

// A job's envelope as it is; where it answers (pass, fail) and a field is missing, of another type
// or not declared, status error with the reason `wrong_type`: a procedure could not take the
// answer.
kernels::json::object held_to_type(kernels::json::object report, const cel::Type& result);

}  // namespace checkride::cli
