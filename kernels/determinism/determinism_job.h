// determinism: whether a subject gives the same bits every time.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job determinism_job();

}  // namespace checkride::kernels
