// What a request asks of the quantiser, read from the inputs of quant.e4m3.
#pragma once

#include "kernels/job/job.h"
#include "kernels/quant/quantize.h"

namespace checkride::kernels::quant {

// A tensor from a file or made up. Errors: invalid_argument, and those of reading.
Result<Tensor> input_of(const JobRequest& request);

// The last two dimensions are rows and columns, the one before counts heads, the rest batches.
// Errors: invalid_argument.
Result<Plan> plan_of(const json::object& inputs, const Tensor& input);

}  // namespace checkride::kernels::quant
