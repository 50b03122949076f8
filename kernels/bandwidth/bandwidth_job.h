// bw.device: what the memory of a device delivers, its data checked, judged against its data sheet
// and its own past. Units stand in the field names; the procedure is measure.h.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job bandwidth_device_job();

}  // namespace checkride::kernels
