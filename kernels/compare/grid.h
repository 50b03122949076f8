// The fixed grid a comparison is laid on, and what is kept of each piece. Shared by host and
// device.
#pragma once

#include "kernels/compare/group.h"

namespace checkride::kernels::compare {

inline constexpr int chunk_lanes = 128;
inline constexpr int chunk_warps = chunk_lanes / 32;
inline constexpr int lane_groups = 64;  // groups of one lane in one chunk, chunk_lanes apart
inline constexpr std::uint64_t chunk_groups = std::uint64_t{chunk_lanes} * lane_groups;
inline constexpr int batch_groups = 4;  // of these, taken at once the quick way

// Rows are summed by so many lanes, each taking every row_lanes-th, which are then joined as lanes
// of a chunk are.
inline constexpr int row_blocks = 128;
inline constexpr int row_lanes = row_blocks * chunk_lanes;

// What one warp found in one chunk.
struct Row {
  Sums sums;
  std::uint64_t key = 0;
  std::uint64_t finite_key = 0;
};

template <class A, class B>
inline constexpr std::uint64_t chunk_elements = chunk_groups* group_elements<A, B>;

template <class A, class B>
CR_HOST_DEVICE std::uint64_t chunks_of(std::uint64_t n) {
  return (n + chunk_elements<A, B> - 1) / chunk_elements<A, B>;
}

}  // namespace checkride::kernels::compare
