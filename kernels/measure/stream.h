// The one stream on which everything is timed in this process. On an H200 a process that has queued
// kernels on several streams pays 0.18 us more for each launch behind another, on any of them,
// until another process has used the device: two measurements on two streams would not compare.
#pragma once

#include "engine/base/result.h"

struct CUstream_st;

namespace checkride::kernels::measure {

// Made by the first call, on the device current then, and kept. Error: CUDA's.
Result<CUstream_st*> timing_stream();

}  // namespace checkride::kernels::measure
