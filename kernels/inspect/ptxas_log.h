// What `nvcc -Xptxas -v` printed of each kernel: resources, without instructions.
#pragma once

#include <string_view>
#include <vector>

#include "kernels/inspect/device_code.h"

namespace checkride::kernels::inspect {

// Every kernel and function the log has figures of, in its order; other lines are passed over.
// Figures that are too long to be numbers leave the kernel out.
std::vector<KernelCode> read_ptxas_log(std::string_view log);

}  // namespace checkride::kernels::inspect
