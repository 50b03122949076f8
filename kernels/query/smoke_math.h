// The smoke kernel's arithmetic, one source for device and host: whole numbers, single and double
// precision without fused multiply-add, so that every bit is the same on both.
#pragma once

#include <cstdint>

#include "kernels/math/host_device.h"

namespace checkride::kernels::query {

constexpr int smoke_rounds = 64;

CR_HOST_DEVICE std::uint64_t smoke_value(std::uint32_t thread) {
  std::uint64_t whole = thread + 1;
  float single = 1.0f + static_cast<float>(thread % 4096) / 4096.0f;
  double twice = 1.0 + static_cast<double>(thread) / 1048576.0;
  for (int i = 0; i < smoke_rounds; ++i) {
    whole = (whole ^ (whole >> 31)) * 0x9e3779b97f4a7c15ULL + static_cast<std::uint64_t>(i);
    single = single * 1.0009765625f - 0.0009f;
    twice = twice * 1.000030517578125 - 0.00003;
  }
  return whole ^ static_cast<std::uint64_t>(static_cast<std::int64_t>(single * 1048576.0f)) ^
         static_cast<std::uint64_t>(static_cast<std::int64_t>(twice * 4503599627370496.0)) << 8;
}

}  // namespace checkride::kernels::query
