// sdpa.forward: one attention forward pass, judged by fp64, by the error its type allows, by its
// invariants and by repetition, and timed. See README.md.
#pragma once

#include "kernels/attention/sdpa_compute.h"
#include "kernels/job/job.h"

namespace checkride::kernels {

Job sdpa_forward_job();

namespace attention {

// The job's work on a case, computed by `pass`: what tests feed with passes that are wrong.
struct SdpaOptions {
  int repeats = 2;  // passes compared bit for bit
  bool invariants = true;
  bool timed = false;
  std::uint64_t seed = 1;
};
Result<JobReport> judge_case(const SdpaCase& sdpa, ForwardPass& pass, const SdpaOptions& options);

// A launch quicker than its bound was not measured: an error. Where the output is wrong it may not
// have done the work, and the job stays failed.
void judge_time(JobReport& report);

}  // namespace attention
}  // namespace checkride::kernels
