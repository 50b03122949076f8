// sanitizer.parse and sanitizer.run: compute-sanitizer's findings and, apart from them, how the
// target ended. A pass needs a summary, zeros everywhere, a target that ended well, and a sign that
// kernels ran: a run that checked nothing finds nothing.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job sanitizer_parse_job();
Job sanitizer_run_job();

}  // namespace checkride::kernels
