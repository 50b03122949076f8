// latency.measure: the time of one launch of a subject, the floor under it, and how sure that is.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job latency_measure_job();

}  // namespace checkride::kernels
