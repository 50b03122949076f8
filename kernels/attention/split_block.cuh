// The small-problem kernel's block, for any type of element: it holds 64 query rows and its share
// of the keys whole, so that its chain is one Q K^T, one softmax, one P V and one combination. Keys
// are split over the warpgroups of a block and the blocks of a cluster; each warpgroup leaves a
// partial (m, l, O) of its range, which goes in pieces to the warps that finish them: through
// shared memory within a block, through stores that complete on the receiver's mbarrier between
// blocks. Partials are added in the order of their ranges, so the result is the same bits every
// time.
//
// What depends on the elements is in `Tiles`: element_bytes; load_keys and load_values (the copies
// of one tile); start_scores and start_values (the products); Columns (which key a column of scores
// is); Scales (made of the arguments and the head: `log2`, what scores are multiplied with);
// inverse (what a row of O is multiplied with in the end); pack (two results in 32 bits).
#pragma once

#include <cuda_runtime.h>

#include "kernels/attention/hopper.cuh"
#include "kernels/attention/softmax.cuh"
#include "kernels/attention/split_layout.h"
#include "kernels/attention/tensor_map.h"
#include "kernels/attention/wgmma.cuh"

namespace checkride::kernels::attention {

// d[0 .. kHalf) and d[kHalf .. 2 kHalf) change places.
template <int kHalf>
__device__ __forceinline__ void swap_halves(float* d) {
#pragma unroll
  for (int i = 0; i < kHalf; ++i) {
    const float keep = d[i];
    d[i] = d[kHalf + i];
    d[kHalf + i] = keep;
  }
}

// Joins another partial's pieces of one of the two rows a thread holds (0 or 1) into its own.
template <int kPieces>
__device__ __forceinline__ void add_partial(float* own, float& m, float& l, float m_other,
                                            float l_other, const float (&other)[kPieces][4],
                                            int row) {
  const Joined joined = join(m, l, m_other, l_other);
  m = joined.m;
  l = joined.l;
#pragma unroll
  for (int c = 0; c < kPieces; ++c)
#pragma unroll
    for (int i = 2 * row; i < 2 * row + 2; ++i)
      own[4 * c + i] = fmaf(joined.weight_a, own[4 * c + i], joined.weight_b * other[c][i]);
}

template <class Tiles, int kKeys, int kSplits, bool kCausal, class Arguments>
__device__ __forceinline__ void split_block(const TensorMaps& maps, const Arguments& args) {
  using Layout = SplitLayout<kKeys, kSplits, Tiles::element_bytes>;
  constexpr int kGroups = Layout::groups;
  extern __shared__ __align__(1024) unsigned char memory[];
  const std::uint32_t base = shared_address(memory);
  const int thread = static_cast<int>(threadIdx.x);
  const int warp_in_block =
      __shfl_sync(0xffffffffu, thread >> 5, 0);  // uniform for the compiler, too
  const int group = warp_in_block >> 2, warp = warp_in_block & 3, lane = thread & 31;
  const int split = kSplits == 1 ? 0 : static_cast<int>(blockIdx.x) % kSplits;
  const int row0 = static_cast<int>(blockIdx.x) / kSplits * Layout::rows;
  const int head = static_cast<int>(blockIdx.y);
  const int part = split * kGroups + group;
  const typename Tiles::Scales scales(args, head);
  const int active = active_parts(kCausal, row0, Layout::rows, args.seq, kKeys, Layout::parts);
  const bool works = part < active;

  const std::uint32_t q_tile = base + Layout::q_offset;
  const std::uint32_t k_tile =
      base + Layout::k_offset + static_cast<std::uint32_t>(group) * Layout::tile_bytes;
  const std::uint32_t v_tile =
      base + Layout::v_offset + static_cast<std::uint32_t>(group) * Layout::tile_bytes;
  // Barriers: K (the first with Q) and V of each warpgroup in turn, then the message to each warp.
  const std::uint32_t ready = base + Layout::barrier_offset;
  const std::uint32_t k_ready = ready + static_cast<std::uint32_t>(group) * 16,
                      v_ready = k_ready + 8;
  const std::uint32_t first_inbox = ready + 16 * kGroups;
  const std::uint32_t inbox = first_inbox + 8 * static_cast<std::uint32_t>(warp_in_block);

  const int active_here = min(max(active - split * kGroups, 0), kGroups);
  if (thread == 0 && active_here > 0) {
    // Everything this block will read is asked for at once, in the order of use.
    const auto tile_of = [&](std::uint32_t offset, int g) {
      return base + offset + static_cast<std::uint32_t>(g) * Layout::tile_bytes;
    };
    const int key0 = split * kGroups * kKeys;
    barrier_init(ready, 1);
    barrier_init_fence();
    barrier_expect(ready, Layout::q_bytes + Layout::tile_bytes);
    Tiles::load_keys(tile_of(Layout::k_offset, 0), maps, args, key0, head, ready);
    bulk_load(base + Layout::q_offset, &maps.q, row0, head, ready);
    for (std::uint32_t i = 1; i < 4; ++i) barrier_init(ready + 8 * i, 1);
    barrier_init_fence();
    if (active_here > 1) {
      barrier_expect(ready + 16, Layout::tile_bytes);
      Tiles::load_keys(tile_of(Layout::k_offset, 1), maps, args, key0 + kKeys, head, ready + 16);
    }
    for (int g = 0; g < active_here; ++g) {
      const std::uint32_t v_barrier = ready + 8 + 16 * static_cast<std::uint32_t>(g);
      barrier_expect(v_barrier, Layout::tile_bytes);
      Tiles::load_values(tile_of(Layout::v_offset, g), maps, key0 + g * kKeys, head, v_barrier);
    }
  }
  if (kSplits == 2 && thread == 32) {
    for (std::uint32_t w = 0; w < Layout::warps; ++w) barrier_init(first_inbox + 8 * w, 1);
    barrier_init_fence();
    for (std::uint32_t w = 0; w < Layout::warps; ++w)
      barrier_expect(first_inbox + 8 * w, Layout::outer_bytes);
  }
  __syncthreads();
  if constexpr (kSplits == 2) {
    cluster_arrive();
    cluster_wait();
  }

  float o[32];
  float m[2] = {no_score(), no_score()}, l[2] = {0.0f, 0.0f};
  if (works) {
    float s[kKeys / 2];
    barrier_wait(ready, 0);
    barrier_wait(k_ready, 0);
    Tiles::start_scores(s, q_tile, k_tile);
    wgmma_wait<0>();
    settle(s);

    const int row = row0 + 16 * warp + lane / 4;
    const int key0 = part * kKeys;
    if (key0 + kKeys > visible_keys(kCausal, row0, args.seq))
      mask_scores<typename Tiles::Columns>(s, key0, lane & 3, visible_keys(kCausal, row, args.seq),
                                           visible_keys(kCausal, row + 8, args.seq));
    raise_max(s, m);
    const float top[2] = {folded_max(m[0], scales.log2), folded_max(m[1], scales.log2)};
    barrier_wait(v_ready, 0);
    Tiles::start_values(o, s, scales.log2, top, l, v_tile);
    l[0] = quad_sum(l[0]);
    l[1] = quad_sum(l[1]);
    if (m[0] != no_score()) m[0] = top[0];
    if (m[1] != no_score()) m[1] = top[1];
    wgmma_wait<0>();
    settle(o);
  } else {
#pragma unroll
    for (int i = 0; i < 32; ++i) o[i] = 0.0f;
  }

  // Between the two warps of this block: each hands over the 32 columns that the other goes on
  // with.
  const std::uint32_t scalar_at = static_cast<std::uint32_t>(lane / 4 * 16);
  const std::uint32_t lane_at = static_cast<std::uint32_t>(lane * 16);
  if (active_here > 0) {
    const std::uint32_t inner = base + Layout::inner_offset;
    const std::uint32_t theirs =
        inner + static_cast<std::uint32_t>(warp_in_block ^ 4) * Layout::inner_bytes;
    const std::uint32_t mine =
        inner + static_cast<std::uint32_t>(warp_in_block) * Layout::inner_bytes;
    if (group == 0) swap_halves<16>(o);
#pragma unroll
    for (int c = 0; c < 4; ++c)
      shared_store(theirs + 512u * c + lane_at, o[4 * c], o[4 * c + 1], o[4 * c + 2], o[4 * c + 3]);
    if ((lane & 3) == 0) shared_store(theirs + 2048u + scalar_at, m[0], l[0], m[1], l[1]);
    named_barrier(1 + warp, 64);
    float other[4], piece[4][4];
    shared_load(mine + 2048u + scalar_at, other);
#pragma unroll
    for (int c = 0; c < 4; ++c) shared_load(mine + 512u * c + lane_at, piece[c]);
#pragma unroll
    for (int r = 0; r < 2; ++r)
      add_partial<4>(o + 16, m[r], l[r], other[2 * r], other[2 * r + 1], piece, r);
  }

  // Between the two blocks: each hands over the 16 columns that the other finishes.
  float* mine = o + 16;
  if constexpr (kSplits == 2) {
    const std::uint32_t message = base + Layout::outer_offset +
                                  static_cast<std::uint32_t>(warp_in_block) * Layout::outer_bytes;
    if (split == 0) swap_halves<8>(mine);
    if (active_here > 0) {
      const auto rank = static_cast<std::uint32_t>(split ^ 1);
      const std::uint32_t there = remote_address(message, rank),
                          signal = remote_address(inbox, rank);
#pragma unroll
      for (int c = 0; c < 2; ++c)
        remote_store(there + 512u * c + lane_at, mine[4 * c], mine[4 * c + 1], mine[4 * c + 2],
                     mine[4 * c + 3], signal);
      if ((lane & 3) == 0) remote_store(there + 1024u + scalar_at, m[0], l[0], m[1], l[1], signal);
    }
    mine += 8;
    // The first block always has keys to see; the second may have none.
    if (split == 1 || active > kGroups) {
      barrier_wait_cluster(inbox, 0);
      float other[4], piece[2][4];
      shared_load(message + 1024u + scalar_at, other);
#pragma unroll
      for (int c = 0; c < 2; ++c) shared_load(message + 512u * c + lane_at, piece[c]);
#pragma unroll
      for (int r = 0; r < 2; ++r)
        add_partial<2>(mine, m[r], l[r], other[2 * r], other[2 * r + 1], piece, r);
    }
  }

  constexpr int kPieces = 4 / kSplits;
  const int row = row0 + 16 * warp + lane / 4;
  const float inverse[2] = {Tiles::inverse(l[0], scales), Tiles::inverse(l[1], scales)};
  std::uint32_t* out = static_cast<std::uint32_t*>(args.o) +
                       (static_cast<std::size_t>(head) * static_cast<std::size_t>(args.seq) +
                        static_cast<std::size_t>(row)) *
                           32 +
                       (group * 4 + split * kPieces) * 4 + (lane & 3);
#pragma unroll
  for (int c = 0; c < kPieces; ++c) {
    if (row < args.seq)
      out[4 * c] = Tiles::pack(mine[4 * c] * inverse[0], mine[4 * c + 1] * inverse[0]);
    if (row + 8 < args.seq)
      out[8 * 32 + 4 * c] = Tiles::pack(mine[4 * c + 2] * inverse[1], mine[4 * c + 3] * inverse[1]);
  }
}

// Queues a kernel of such blocks.
template <int kSplits, class Kernel, class Arguments>
int launch_split_blocks(Kernel kernel, const ForwardPlan& plan, const TensorMaps& maps,
                        const Arguments& args, CUstream_st* stream) {
  if (const cudaError_t code = cudaFuncSetAttribute(
          kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(plan.shared_bytes)))
    return code;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {static_cast<unsigned>(kSplits), 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(plan.grid_x), static_cast<unsigned>(plan.grid_y));
  config.blockDim = dim3(static_cast<unsigned>(plan.threads));
  config.dynamicSmemBytes = plan.shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = kSplits > 1 ? 1 : 0;
  return cudaLaunchKernelEx(&config, kernel, maps, args);
}

}  // namespace checkride::kernels::attention
