// Kernels that do something known: one takes a chosen number of clock cycles, an effect of known
// size to be found; one faults.
#pragma once

#include <vector>

#include "kernels/cuda/check.h"

struct CUstream_st;

namespace checkride::kernels {

// Writes where there is no memory and waits: a fault, after which this process has no device.
Result<void> write_nowhere();

Result<void> launch_spin(long long cycles, CUstream_st* stream);
// The same of 1000 cycles, which need not wait for the launch ahead of it to end.
Result<void> launch_overlapping(CUstream_st* stream);
// One block: a fresh stream, graph of `nodes` launches and events; microseconds per launch. What an
// error leaves behind goes with the process.
Result<std::vector<double>> spin_block(long long cycles, int nodes, int samples);

}  // namespace checkride::kernels
