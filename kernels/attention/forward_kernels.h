// What the kernels of this family take and how each is launched; internal to the folder.
// attention.cpp chooses, the forward_*.cu files launch. Kept free of CUDA headers so that the
// choice compiles anywhere.
#pragma once

#include <cstdint>

#include "kernels/attention/attention.h"

struct CUstream_st;

namespace checkride::kernels::attention {

// Each launches exactly one kernel on `stream` and returns its cudaError_t (0 is success).
int launch_split(const ForwardProblem& problem, const ForwardPlan& plan,
                 const ForwardTensors& tensors, CUstream_st* stream);
int launch_stream(const ForwardProblem& problem, const ForwardPlan& plan,
                  const ForwardTensors& tensors, CUstream_st* stream);
int launch_mma(const ForwardProblem& problem, const ForwardPlan& plan,
               const ForwardTensors& tensors, CUstream_st* stream);

}  // namespace checkride::kernels::attention
