// The small-problem kernel: one block holds 64 query rows and its share of the keys whole, so that
// its chain is one Q K^T, one softmax, one P V and one combination. Keys are split over the
// warpgroups of a block and the blocks of a cluster; each warpgroup leaves a partial (m, l, O) of
// its range, which goes in pieces to the warps that finish them: through shared memory within a
// block, through stores that complete on the receiver's mbarrier between blocks. Partials are added
// in the order of their ranges, so the result is the same bits every time.
#include <cuda_runtime.h>

#include "kernels/attention/dispatch.h"
#include "kernels/attention/forward_kernels.h"
#include "kernels/attention/hopper.cuh"
#include "kernels/attention/softmax.cuh"
#include "kernels/attention/split_layout.h"
#include "kernels/attention/tensor_map.h"
#include "kernels/attention/tile_products.cuh"

namespace checkride::kernels::attention {
namespace {

struct SplitArguments {
  void* o;
  int seq;
  float scale_log2;
};

struct TensorMaps {
  CUtensorMap q, k, v;
};

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

template <bool kBf16, int kKeys, int kSplits, bool kCausal>
__global__ void __launch_bounds__(SplitLayout<kKeys, kSplits>::threads, 1)
    forward_split(const __grid_constant__ TensorMaps maps, const SplitArguments args) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  using Layout = SplitLayout<kKeys, kSplits>;
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
    const auto load_tile = [&](std::uint32_t offset, const CUtensorMap& map, int g,
                               std::uint32_t barrier) {
      bulk_load(base + offset + static_cast<std::uint32_t>(g) * Layout::tile_bytes, &map,
                (split * kGroups + g) * kKeys, head, barrier);
    };
    barrier_init(ready, 1);
    barrier_init_fence();
    barrier_expect(ready, Layout::rows * 128 + Layout::tile_bytes);
    load_tile(Layout::k_offset, maps.k, 0, ready);
    bulk_load(base + Layout::q_offset, &maps.q, row0, head, ready);
    for (std::uint32_t i = 1; i < 4; ++i) barrier_init(ready + 8 * i, 1);
    barrier_init_fence();
    if (active_here > 1) {
      barrier_expect(ready + 16, Layout::tile_bytes);
      load_tile(Layout::k_offset, maps.k, 1, ready + 16);
    }
    for (int g = 0; g < active_here; ++g) {
      const std::uint32_t v_barrier = ready + 8 + 16 * static_cast<std::uint32_t>(g);
      barrier_expect(v_barrier, Layout::tile_bytes);
      load_tile(Layout::v_offset, maps.v, g, v_barrier);
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
    start_scores<kBf16>(s, q_tile, k_tile);
    wgmma_wait<0>();
    settle(s);

    const int row = row0 + 16 * warp + lane / 4;
    const int key0 = part * kKeys;
    if (key0 + kKeys > visible_keys(kCausal, row0, args.seq))
      mask_scores(s, key0 + 2 * (lane & 3), visible_keys(kCausal, row, args.seq),
                  visible_keys(kCausal, row + 8, args.seq));
    raise_max(s, m);
    const float top[2] = {folded_max(m[0], args.scale_log2), folded_max(m[1], args.scale_log2)};
    barrier_wait(v_ready, 0);
    start_values<kBf16>(o, s, args.scale_log2, top, l, v_tile, false);
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
  const float inverse[2] = {reciprocal(l[0]), reciprocal(l[1])};
  std::uint32_t* out = static_cast<std::uint32_t*>(args.o) +
                       (static_cast<std::size_t>(head) * static_cast<std::size_t>(args.seq) +
                        static_cast<std::size_t>(row)) *
                           32 +
                       (group * 4 + split * kPieces) * 4 + (lane & 3);
#pragma unroll
  for (int c = 0; c < kPieces; ++c) {
    if (row < args.seq)
      out[4 * c] = pack<kBf16>(mine[4 * c] * inverse[0], mine[4 * c + 1] * inverse[0]);
    if (row + 8 < args.seq)
      out[8 * 32 + 4 * c] = pack<kBf16>(mine[4 * c + 2] * inverse[1], mine[4 * c + 3] * inverse[1]);
  }
#endif
}

template <bool kBf16, int kKeys, int kSplits, bool kCausal>
int launch(const ForwardProblem& problem, const ForwardPlan& plan, const ForwardTensors& tensors,
           CUstream_st* stream) {
  const auto kernel = forward_split<kBf16, kKeys, kSplits, kCausal>;
  const int heads = problem.batch * problem.heads;
  TensorMaps maps{};
  if (const int code = encode_map(maps.q, tensors.q, problem.dtype, heads, problem.seq, 64))
    return code;
  if (const int code = encode_map(maps.k, tensors.k, problem.dtype, heads, problem.seq, kKeys))
    return code;
  if (const int code = encode_map(maps.v, tensors.v, problem.dtype, heads, problem.seq, kKeys))
    return code;
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
  return cudaLaunchKernelEx(&config, kernel, maps,
                            SplitArguments{tensors.o, problem.seq, problem.scale * log2_e});
}

}  // namespace

int launch_split(const ForwardProblem& problem, const ForwardPlan& plan,
                 const ForwardTensors& tensors, CUstream_st* stream) {
  return dispatch(problem, [&](auto bf16, auto causal) {
    return plan.cluster == 1 ? launch<bf16(), 64, 1, causal()>(problem, plan, tensors, stream)
                             : launch<bf16(), 128, 2, causal()>(problem, plan, tensors, stream);
  });
}

}  // namespace checkride::kernels::attention
