// The job quant.e4m3: a tensor quantised to 8-bit codes, on the device bit for bit as on the host,
// and the codes and scales of another quantiser judged by it.
#pragma once

#include "kernels/job/job.h"

namespace checkride::kernels {

Job quant_e4m3_job();

}  // namespace checkride::kernels
