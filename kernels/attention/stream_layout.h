// Shared memory of one block of the stream kernel; used by the kernel and by the plan.
#pragma once

#include <cstdint>

namespace checkride::kernels::attention {

// Two warpgroups of 64 query rows each read the same ring of stages, filled by a third.
struct StreamLayout {
  static constexpr int groups = 2;
  static constexpr int rows = 64 * groups;
  static constexpr int keys = 128;
  static constexpr int stages = 4;
  static constexpr int threads = (groups + 1) * 128;

  static constexpr std::uint32_t tile_bytes = keys * 128;
  static constexpr std::uint32_t q_offset = 0;
  static constexpr std::uint32_t k_offset = rows * 128;
  static constexpr std::uint32_t v_offset = k_offset + stages * tile_bytes;
  static constexpr std::uint32_t barrier_offset = v_offset + stages * tile_bytes;
  static constexpr std::uint32_t shared_bytes = barrier_offset + 8 + stages * 24;
};

}  // namespace checkride::kernels::attention
