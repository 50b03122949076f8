// The kernels behind the one that reads: they join what its blocks found and look up the worst
// pairs. A part of device_compare.cu.
#pragma once

#include "kernels/compare/compare.h"
#include "kernels/compare/grid.h"
#include "kernels/compare/warp.cuh"

namespace checkride::kernels::compare {
namespace {

// What the joining kernels leave for the host. Each of the worst chunks is looked through in parts.
constexpr int parts = 16;
struct Joined {
  Sums sums[row_blocks];
  Worst chunks[row_blocks][worst_count];  // the worst chunks of each block's share; key 0: none
  Worst finite_chunk[row_blocks];
  Worst pairs[worst_count][parts][worst_count];  // the worst of each part of the worst chunks
  Worst finite_pair[parts];
};

// The worst 16 of what the lanes of a block see by each(visit), in order, into out; lanes must see
// disjoint items. The 16 worst of the lanes' own worst bound what can be among them; what is not
// worse than that bound is gathered and ranked by counting: at most all items of 16 lanes, which
// are elements of a part of a chunk or chunks of a tensor.
constexpr int gathered_max = 16 * 128;
struct Ranking {
  Worst of_lane[chunk_lanes];
  Worst gathered[gathered_max];
  int count;
  Worst bound;
};
template <class Each>
__device__ void rank_worst(Ranking& shared, const Each& each, Worst* out) {
  const int lane = static_cast<int>(threadIdx.x);
  Worst mine{0, ~std::uint64_t{0}};
  each([&](std::uint64_t key, std::uint64_t index) {
    if (key != 0 && worse(key, index, mine.key, mine.index)) mine = {key, index};
  });
  shared.of_lane[lane] = mine;
  if (lane == 0) {
    shared.count = 0;
    shared.bound = {0, ~std::uint64_t{0}};
  }
  if (lane < static_cast<int>(worst_count)) out[lane] = {0, 0};
  __syncthreads();
  int rank = 0;
  for (int i = 0; i < chunk_lanes; ++i) {
    const Worst other = shared.of_lane[i];
    rank += worse(other.key, other.index, mine.key, mine.index) ? 1 : 0;
  }
  if (rank == static_cast<int>(worst_count) - 1 && mine.key != 0) shared.bound = mine;
  __syncthreads();
  const Worst bound = shared.bound;
  if (mine.key != 0 && rank < static_cast<int>(worst_count)) {
    each([&](std::uint64_t key, std::uint64_t index) {
      if (key == 0 || worse(bound.key, bound.index, key, index)) return;
      const int at = atomicAdd(&shared.count, 1);
      if (at < gathered_max) shared.gathered[at] = {key, index};
    });
  }
  __syncthreads();
  const int count = shared.count < gathered_max ? shared.count : gathered_max;
  for (int i = lane; i < count; i += chunk_lanes) {
    const Worst one = shared.gathered[i];
    int before = 0;
    for (int j = 0; j < count && before < static_cast<int>(worst_count); ++j)
      before += worse(shared.gathered[j].key, shared.gathered[j].index, one.key, one.index) ? 1 : 0;
    if (before < static_cast<int>(worst_count)) out[before] = one;
  }
  __syncthreads();
}

// Sums of all rows in fixed order, and the worst chunks of each block's share of them.
__global__ void __launch_bounds__(chunk_lanes)
    join_rows(const Row* __restrict__ rows, std::uint64_t chunks, Joined* __restrict__ joined) {
  extern __shared__ uint4 slots[];
  Ranking& ranking = *reinterpret_cast<Ranking*>(slots);
  __shared__ Sums of_warps[chunk_warps];
  const int lane = static_cast<int>(threadIdx.x);
  const std::uint64_t count = chunks * chunk_warps;
  Sums sums;
#pragma unroll 4
  for (std::uint64_t i = blockIdx.x * chunk_lanes + threadIdx.x; i < count; i += row_lanes)
    sums = sums + rows[i].sums;
  sums = sum_of_warp(sums);
  if (lane % 32 == 0) of_warps[lane / 32] = sums;
  __syncthreads();
  if (lane == 0) {
    Sums all;
    for (const Sums& one : of_warps) all = all + one;
    joined->sums[blockIdx.x] = all;
  }
  const auto key_of = [&](std::uint64_t chunk, bool finite) {
    std::uint64_t key = 0;
#pragma unroll
    for (int warp = 0; warp < chunk_warps; ++warp) {
      const Row& row = rows[chunk * chunk_warps + static_cast<unsigned>(warp)];
      const std::uint64_t here = finite ? row.finite_key : row.key;
      key = here > key ? here : key;
    }
    return key;
  };
  const std::uint64_t first_chunk = blockIdx.x * chunk_lanes + threadIdx.x;
  rank_worst(
      ranking,
      [&](const auto& visit) {
        for (std::uint64_t chunk = first_chunk; chunk < chunks; chunk += row_lanes)
          visit(key_of(chunk, false), chunk);
      },
      joined->chunks[blockIdx.x]);
  // One is enough of the finite ones: the largest key, of those the lowest chunk.
  std::uint64_t key = 0, at = ~std::uint64_t{0};
  for (std::uint64_t chunk = first_chunk; chunk < chunks; chunk += row_lanes) {
    const std::uint64_t here = key_of(chunk, true);
    if (here > key) {
      key = here;
      at = chunk;
    }
  }
  for (int half = 16; half > 0; half /= 2) {
    const std::uint64_t other = __shfl_xor_sync(~0u, static_cast<Long>(key), half);
    const std::uint64_t other_at = __shfl_xor_sync(~0u, static_cast<Long>(at), half);
    if (worse(other, other_at, key, at)) {
      key = other;
      at = other_at;
    }
  }
  if (lane % 32 == 0) ranking.of_lane[lane / 32] = {key, at};
  __syncthreads();
  if (lane == 0) {
    for (int warp = 1; warp < chunk_warps; ++warp) {
      const Worst& one = ranking.of_lane[warp];
      if (worse(one.key, one.index, key, at)) {
        key = one.key;
        at = one.index;
      }
    }
    joined->finite_chunk[blockIdx.x] = {key, at};
  }
}

// Blocks (x, i) look up the worst pairs of part x of the i-th worst chunk; the last i is the chunk
// of the worst finite pair.
template <class A, class B>
__global__ void __launch_bounds__(chunk_lanes)
    find_worst(const typename A::Bits* __restrict__ a, const typename B::Bits* __restrict__ b,
               std::uint64_t n, const Limits limits, Joined* __restrict__ joined) {
  extern __shared__ uint4 slots[];
  Ranking& ranking = *reinterpret_cast<Ranking*>(slots);
  __shared__ Worst chunks[worst_count];
  const int lane = static_cast<int>(threadIdx.x);
  const bool finite = blockIdx.y == worst_count;
  rank_worst(
      ranking,
      [&](const auto& visit) {
        constexpr int kept = row_blocks * static_cast<int>(worst_count) / chunk_lanes;
        static_assert(row_blocks == chunk_lanes);
#pragma unroll
        for (int i = 0; i < kept; ++i) {
          const int at = i * chunk_lanes + lane;
          Worst one;
          if (!finite)
            one = (&joined->chunks[0][0])[at];
          else if (i == 0)
            one = joined->finite_chunk[at];
          visit(one.key, one.index);
        }
      },
      chunks);
  const Worst chunk = chunks[finite ? 0 : blockIdx.y];
  constexpr std::uint64_t part_elements = chunk_elements<A, B> / parts;
  static_assert(part_elements / chunk_lanes * 16 <= gathered_max);
  const std::uint64_t first = chunk.index * chunk_elements<A, B> + blockIdx.x * part_elements;
  const std::uint64_t end = chunk.key == 0 || first >= n ? first
                            : n - first < part_elements  ? n
                                                         : first + part_elements;
  __syncthreads();
  rank_worst(
      ranking,
      [&](const auto& visit) {
#pragma unroll 8
        for (std::uint64_t i = first + threadIdx.x; i < end; i += chunk_lanes) {
          const Verdict verdict = judge(A::real(a[i]), B::real(b[i]), limits);
          visit(finite && !verdict.finite ? 0 : verdict.key, i);
        }
      },
      chunks);
  if (finite) {
    if (lane == 0) joined->finite_pair[blockIdx.x] = chunks[0];
  } else if (lane < static_cast<int>(worst_count)) {
    joined->pairs[blockIdx.y][blockIdx.x][lane] = chunks[lane];
  }
}

}  // namespace
}  // namespace checkride::kernels::compare
