// quant.e4m3 as something repeatable, for determinism and latency.measure. Its output is the codes.
#pragma once

#include <memory>

#include "kernels/job/subject.h"

namespace checkride::kernels::quant {

// Takes the job's own inputs. Errors: of quant_case.h and of the device.
Result<std::unique_ptr<Subject>> quant_subject(const JobRequest& request);

}  // namespace checkride::kernels::quant
