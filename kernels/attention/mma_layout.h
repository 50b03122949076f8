// Shared memory of one block of the mma kernel; used by the kernel and by the plan.
#pragma once

#include <cstdint>

namespace checkride::kernels::attention {

// Eight warps: four groups of 16 query rows, each twice, for the two halves of every block of keys.
struct MmaLayout {
  static constexpr int rows = 64;
  static constexpr int keys = 128;
  static constexpr int halves = 2;
  static constexpr int stages = 2;
  static constexpr int threads = 256;

  static constexpr std::uint32_t tile_bytes = keys * 128;
  static constexpr std::uint32_t q_offset = 0;
  static constexpr std::uint32_t k_offset = rows * 128;
  static constexpr std::uint32_t v_offset = k_offset + stages * tile_bytes;
  static constexpr std::uint32_t shared_bytes = v_offset + stages * tile_bytes;
  // The halves are joined in memory the tiles no longer need.
  static constexpr std::uint32_t message_bytes = 16 * 64 * 4 + 16 * 8;
  static_assert(4 * message_bytes <= shared_bytes);
};

}  // namespace checkride::kernels::attention
