// sdpa.forward as something repeatable, for determinism and latency.measure.
#pragma once

#include <memory>

#include "kernels/job/subject.h"

namespace checkride::kernels::attention {

// Takes the job's own inputs; errors as sdpa_case.
Result<std::unique_ptr<Subject>> sdpa_subject(const JobRequest& request);

}  // namespace checkride::kernels::attention
