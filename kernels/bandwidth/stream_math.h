// The arithmetic of the bandwidth kernels, one source for device, host and the closed form they are
// checked against. Every array holds k * base(i): base depends on the element's place, so a wrong
// address shows, and k follows from the kernels that ran.
#pragma once

#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels::bandwidth {

constexpr double stream_scalar = 0.4;
constexpr std::uint64_t base_period = 1021;  // a prime: no shift by a power of two goes unseen

// 1 to almost 2, exact in double.
CR_HOST_DEVICE double base_value(std::uint64_t index) {
  return 1.0 + static_cast<double>(static_cast<std::uint32_t>(index % base_period)) / 1024.0;
}

CR_HOST_DEVICE double scaled(double scalar, double c) {
  return scalar * c;
}
// Two roundings everywhere: no fused multiply-add on either side.
CR_HOST_DEVICE double triad(double b, double scalar, double c) {
  const double product = scalar * c;
  return b + product;
}

// Relative error of one element; infinite for a NaN and thus for what was not written.
CR_HOST_DEVICE double relative_error(double actual, double expected) {
  const double difference = actual > expected ? actual - expected : expected - actual;
  const double relative = difference / (expected > 0.0 ? expected : -expected);
  return relative <= 1e300 ? relative : 1e308;
}

}  // namespace checkride::kernels::bandwidth
