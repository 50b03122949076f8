// tensor.compare as something repeatable, for determinism and latency.measure. Its output is what
// the comparison found, as words of 8 bytes.
#pragma once

#include <memory>

#include "kernels/job/subject.h"

namespace checkride::kernels::compare {

// Takes the job's own inputs, of which only the tensors and the limits of elements matter. Errors:
// of question.h and of the device.
Result<std::unique_ptr<Subject>> compare_subject(const JobRequest& request);

}  // namespace checkride::kernels::compare
