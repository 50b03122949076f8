// Shared memory of one block of the split kernel, and the shape of the exchange; plain numbers,
// used by the kernel, by the plan and by the tests.
#pragma once

#include <cstdint>

namespace checkride::kernels::attention {

// kKeys keys of each of kGroups warpgroups in each of kCluster blocks; 64 query rows.
template <int kKeys, int kGroups, int kCluster>
struct SplitLayout {
  static constexpr int rows = 64;
  static constexpr int parts = kGroups * kCluster;
  // Groups of 16 rows that one block finishes, and 16 x 8 pieces of one that a warp finishes.
  static constexpr int row_groups_here = 4 / kCluster;
  static constexpr int pieces = 8 / parts;
  static_assert(4 % kCluster == 0 && 8 % parts == 0);

  static constexpr std::uint32_t tile_bytes = kKeys * 128;
  static constexpr std::uint32_t message_bytes = 16 * 64 * 4 + 16 * 8;  // O of 16 rows, then (m, l)
  static constexpr std::uint32_t q_offset = 0;
  static constexpr std::uint32_t k_offset = rows * 128;
  static constexpr std::uint32_t v_offset = k_offset + kGroups * tile_bytes;
  static constexpr std::uint32_t exchange_offset = v_offset + kGroups * tile_bytes;
  static constexpr std::uint32_t barrier_offset =
      exchange_offset + row_groups_here * parts * message_bytes;
  static constexpr std::uint32_t shared_bytes = barrier_offset + 16 + 16 * kGroups;
};

}  // namespace checkride::kernels::attention
