// The one stream on which graphs are timed in this process; nothing but graphs is queued on it. On
// an H200 a stream that takes kernels outside graphs too, in a process where another has done so
// before, costs 0.18 us more for each launch behind another, in graphs as well: a second
// measurement would not compare with the first. README.md has the figures.
#pragma once

#include "engine/base/result.h"

struct CUstream_st;

namespace checkride::kernels::measure {

// Made by the first call, on the device current then, and kept. Error: CUDA's.
Result<CUstream_st*> timing_stream();

}  // namespace checkride::kernels::measure
