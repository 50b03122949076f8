// mem.pattern: writes patterns to a device's free memory, reads them back, and says where, which
// bit and what kind of fault. Units stand in the field names; the procedure is march.h.
#pragma once

#include "kernels/job/job.h"
#include "kernels/memtest/march.h"

namespace checkride::kernels {

Job memory_pattern_job();

namespace memtest {

// The report of an outcome: errors, the errors found first, what kind they are. What the job adds
// is about how much was tested and what ECC saw.
JobReport report_of(const Outcome& outcome);

}  // namespace memtest
}  // namespace checkride::kernels
