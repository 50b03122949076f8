// Runs the kernels of a Streams in turn, times each run and checks what they left against the
// closed form: pure procedure, the same on device and host.
#pragma once

#include <span>
#include <vector>

#include "kernels/bandwidth/stream.h"

namespace checkride::kernels::bandwidth {

struct Figure {
  Kernel kernel = Kernel::copy;
  std::vector<double> GBps;  // one a repetition, sorted upwards
  double verify_max_rel = 0.0;

  double least() const { return GBps.front(); }
  double median() const { return GBps[GBps.size() / 2]; }
  double most() const { return GBps.back(); }
};

// As BabelStream allows: 100 units of rounding of a double.
inline constexpr double verify_bound = 100.0 * 2.220446049250313e-16;

// `repetitions` timed runs of each kernel, all kernels within each repetition, after one that is
// not timed; then each kernel once more into an array of 0xff. verify_max_rel is the largest error
// of both, over every element. `scalar` is what the kernels are given; the closed form always takes
// stream_scalar.
Result<std::vector<Figure>> measure(Streams& streams, std::span<const Kernel> kernels,
                                    int repetitions, double scalar);

}  // namespace checkride::kernels::bandwidth
