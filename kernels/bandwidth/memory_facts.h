// Width and clock of the memory of the device in use.
#pragma once

#include "kernels/bandwidth/datasheet.h"

namespace checkride::kernels::bandwidth {

// Errors: unavailable. A value the driver does not tell is 0.
Result<MemoryFacts> memory_facts();

}  // namespace checkride::kernels::bandwidth
