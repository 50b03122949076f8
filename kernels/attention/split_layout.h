// Shared memory of one block of the split kernel, and the shape of the exchange; plain numbers,
// used by the kernel, by the plan and by the tests.
#pragma once

#include <cstdint>

namespace checkride::kernels::attention {

// kKeys keys of each of two warpgroups in each of the kSplits blocks of a cluster; 64 query rows.
// Warp w of every warpgroup computes rows 16w to 16w+15. The results are joined in two steps:
// between the two warps of a block that hold the same rows, each for 32 columns (four 16 x 8
// pieces), then between the warps of the two blocks, each for 16 of them.
template <int kKeys, int kSplits, int kElementBytes = 2>
struct SplitLayout {
  static_assert(kSplits == 1 || kSplits == 2);
  static constexpr int rows = 64;
  static constexpr int groups = 2;
  static constexpr int warps = groups * 4;
  static constexpr int parts = groups * kSplits;
  static constexpr int threads = warps * 32;

  static constexpr std::uint32_t q_bytes = rows * 64 * kElementBytes;
  static constexpr std::uint32_t tile_bytes = kKeys * 64 * kElementBytes;
  // Pieces of O in the order of lanes, then (m, l) of 16 rows.
  static constexpr std::uint32_t scalar_bytes = 16 * 8;
  static constexpr std::uint32_t inner_bytes = 4 * 512 + scalar_bytes;
  static constexpr std::uint32_t outer_bytes = 2 * 512 + scalar_bytes;
  static constexpr std::uint32_t q_offset = 0;
  static constexpr std::uint32_t k_offset = q_bytes;
  static constexpr std::uint32_t v_offset = k_offset + groups * tile_bytes;
  static constexpr std::uint32_t inner_offset = v_offset + groups * tile_bytes;
  static constexpr std::uint32_t outer_offset = inner_offset + warps * inner_bytes;
  // Q; K and V of each warpgroup; the message to each warp.
  static constexpr std::uint32_t barrier_offset =
      outer_offset + (kSplits == 1 ? 0 : warps * outer_bytes);
  static constexpr std::uint32_t shared_bytes = barrier_offset + 8 * (1 + 2 * groups + warps);
};

}  // namespace checkride::kernels::attention
