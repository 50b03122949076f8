// The small-problem kernel: one block holds 64 query rows and its share of the keys whole, so that
// its chain is one Q K^T, one softmax, one P V and one combination. Keys are split over the
// warpgroups of a block and the blocks of a cluster; each warpgroup leaves a partial (m, l, O) of
// its range, which goes in pieces to the warps that finish them: through shared memory within a
// block, through stores that complete on the receiver's mbarrier between blocks. Partials are added
// in the order of their ranges, so the result is the same bits every time.
#include <cuda_runtime.h>

#include "kernels/attention/forward_kernels.h"
#include "kernels/attention/hopper.cuh"
#include "kernels/attention/softmax.cuh"
#include "kernels/attention/split_layout.h"
#include "kernels/attention/tensor_map.h"
#include "kernels/attention/tile_copy.cuh"
#include "kernels/attention/wgmma.cuh"

namespace checkride::kernels::attention {
namespace {

struct SplitArguments {
  const void* q;
  const void* k;
  const void* v;
  void* o;
  int seq;
  float scale_log2;
};

struct TensorMaps {
  CUtensorMap q, k, v;
};

template <bool kBf16, int kKeys, int kGroups, int kCluster, bool kCausal, bool kBulk>
__global__ void __launch_bounds__(kGroups * 128, 1)
    forward_split(const __grid_constant__ TensorMaps maps, const SplitArguments args) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  using Layout = SplitLayout<kKeys, kGroups, kCluster>;
  constexpr int kParts = Layout::parts;
  extern __shared__ __align__(1024) unsigned char memory[];
  const std::uint32_t base = shared_address(memory);
  const int thread = static_cast<int>(threadIdx.x);
  const int group = thread >> 7, warp = (thread >> 5) & 3, lane = thread & 31;
  const int rank = kCluster == 1 ? 0 : static_cast<int>(blockIdx.x) % kCluster;
  const int row0 = static_cast<int>(blockIdx.x) / kCluster * Layout::rows;
  const int head = static_cast<int>(blockIdx.y);
  const int part = rank * kGroups + group;
  const int active = active_parts(kCausal, row0, Layout::rows, args.seq, kKeys, kParts);
  const bool works = part < active;

  const std::uint32_t q_tile = base + Layout::q_offset;
  const std::uint32_t k_tile =
      base + Layout::k_offset + static_cast<std::uint32_t>(group) * Layout::tile_bytes;
  const std::uint32_t v_tile =
      base + Layout::v_offset + static_cast<std::uint32_t>(group) * Layout::tile_bytes;
  const std::uint32_t barriers = base + Layout::barrier_offset;
  const std::uint32_t q_ready = barriers, exchanged = barriers + 8;
  const std::uint32_t k_ready = barriers + 16 + static_cast<std::uint32_t>(group) * 16,
                      v_ready = k_ready + 8;

  // Everything this block will read is asked for at once, in the order of use.
  const int active_here = active - rank * kGroups < kGroups ? active - rank * kGroups : kGroups;
  if (thread == 0) {
    barrier_init(q_ready, 1);
    for (int g = 0; g < kGroups; ++g) {
      barrier_init(barriers + 16 + static_cast<std::uint32_t>(g) * 16, 1);
      barrier_init(barriers + 24 + static_cast<std::uint32_t>(g) * 16, 1);
    }
    const int senders_here = active_here > 0 ? active_here : 0;
    barrier_init(exchanged, senders_here * Layout::row_groups_here + 1);
    barrier_init_fence();
    barrier_expect(exchanged,
                   static_cast<std::uint32_t>((active - senders_here) * Layout::row_groups_here) *
                       Layout::message_bytes);
    if (kBulk && active_here > 0) {
      barrier_expect(q_ready, Layout::rows * 128);
      bulk_load(q_tile, &maps.q, row0, head, q_ready);
      for (int g = 0; g < active_here; ++g) {
        const std::uint32_t ready = barriers + 16 + static_cast<std::uint32_t>(g) * 16;
        barrier_expect(ready, Layout::tile_bytes);
        bulk_load(base + Layout::k_offset + static_cast<std::uint32_t>(g) * Layout::tile_bytes,
                  &maps.k, (rank * kGroups + g) * kKeys, head, ready);
      }
      for (int g = 0; g < active_here; ++g) {
        const std::uint32_t ready = barriers + 24 + static_cast<std::uint32_t>(g) * 16;
        barrier_expect(ready, Layout::tile_bytes);
        bulk_load(base + Layout::v_offset + static_cast<std::uint32_t>(g) * Layout::tile_bytes,
                  &maps.v, (rank * kGroups + g) * kKeys, head, ready);
      }
    }
  }
  if constexpr (!kBulk) {
    const std::size_t head_bytes =
        static_cast<std::size_t>(head) * static_cast<std::size_t>(args.seq) * 128;
    if (active_here > 0) {
      copy_rows(q_tile, static_cast<const char*>(args.q) + head_bytes, row0, Layout::rows, args.seq,
                thread, kGroups * 128);
      if (works)
        copy_rows(k_tile, static_cast<const char*>(args.k) + head_bytes, part * kKeys, kKeys,
                  args.seq, thread & 127, 128);
    }
    copy_commit();
    if (works)
      copy_rows(v_tile, static_cast<const char*>(args.v) + head_bytes, part * kKeys, kKeys,
                args.seq, thread & 127, 128);
    copy_commit();
    copy_wait<1>();
    proxy_fence();
  }
  __syncthreads();
  if constexpr (kCluster > 1) cluster_arrive();

  float o[32];
  float m[2] = {no_score(), no_score()}, l[2] = {0.0f, 0.0f};
  if (works) {
    float s[kKeys / 2];
    if constexpr (kBulk) {
      barrier_wait(q_ready, 0);
      barrier_wait(k_ready, 0);
    }
    wgmma_fence();
#pragma unroll
    for (int step = 0; step < 4; ++step)
      wgmma_ss<kBf16>(s, swizzled_tile(q_tile + 32u * step), swizzled_tile(k_tile + 32u * step),
                      step > 0);
    wgmma_commit();
    wgmma_wait<0>();
    settle(s);

    const int row = row0 + 16 * warp + lane / 4;
    const int key0 = part * kKeys;
    if (key0 + kKeys > visible_keys(kCausal, row0, args.seq))
      mask_scores(s, key0 + 2 * (lane & 3), visible_keys(kCausal, row, args.seq),
                  visible_keys(kCausal, row + 8, args.seq));
    raise_max(s, m);
    const float top[2] = {folded_max(m[0], args.scale_log2), folded_max(m[1], args.scale_log2)};
    if constexpr (kBulk) {
      barrier_wait(v_ready, 0);
    } else {
      copy_wait<0>();
      proxy_fence();
      named_barrier(1 + group, 128);
    }
    // Sixteen keys at a time: their probabilities become the A operand of the next product, which
    // runs while the following sixteen are computed.
#pragma unroll
    for (int step = 0; step < kKeys / 16; ++step) {
      float p[8];
#pragma unroll
      for (int i = 0; i < 8; ++i)
        p[i] = probability(s[8 * step + i], args.scale_log2, top[(i >> 1) & 1]);
      l[0] += (p[0] + p[1]) + (p[4] + p[5]);
      l[1] += (p[2] + p[3]) + (p[6] + p[7]);
      const std::uint32_t a[4] = {pack<kBf16>(p[0], p[1]), pack<kBf16>(p[2], p[3]),
                                  pack<kBf16>(p[4], p[5]), pack<kBf16>(p[6], p[7])};
      wgmma_fence();
      wgmma_rs<kBf16>(o, a, swizzled_tile(v_tile + 2048u * step), step > 0);
      wgmma_commit();
    }
    l[0] = quad_sum(l[0]);
    l[1] = quad_sum(l[1]);
    if (m[0] != no_score()) m[0] = top[0];
    if (m[1] != no_score()) m[1] = top[1];
    wgmma_wait<0>();
    settle(o);
  }
  if constexpr (kCluster > 1) cluster_wait();

  // Warp w of every active range holds rows 16w to 16w+15 and sends them to the block that finishes
  // them.
  if (works) {
    const int owner = warp / Layout::row_groups_here;
    const std::uint32_t message =
        base + Layout::exchange_offset +
        static_cast<std::uint32_t>((warp % Layout::row_groups_here) * kParts + part) *
            Layout::message_bytes;
    const bool here = kCluster == 1 || owner == rank;
    const std::uint32_t target =
        here ? message : remote_address(message, static_cast<std::uint32_t>(owner));
    const std::uint32_t signal =
        here ? exchanged : remote_address(exchanged, static_cast<std::uint32_t>(owner));
#pragma unroll
    for (int c = 0; c < 8; ++c) {
      const float piece[4] = {o[4 * c], o[4 * c + 1], o[4 * c + 2], o[4 * c + 3]};
      const std::uint32_t at = target + static_cast<std::uint32_t>(c * 512 + lane * 16);
      if (here)
        shared_store(at, piece);
      else
        remote_store(at, piece, signal);
    }
    if ((lane & 3) == 0) {
      const std::uint32_t at = target + 4096u + static_cast<std::uint32_t>(lane / 4 * 8);
      if (here) {
        shared_store(at, m[0], l[0]);
        shared_store(at + 64, m[1], l[1]);
      } else {
        remote_store(at, m[0], l[0], signal);
        remote_store(at + 64, m[1], l[1], signal);
      }
    }
    if (here) {
      __syncwarp();
      if (lane == 0) barrier_arrive(exchanged);
    }
  }
  barrier_wait_cluster(exchanged, 0);

  // Each warp finishes some 16 x 8 pieces of one group of 16 rows.
  const int local = group * 4 + warp;
  const int slot = local / kParts;
  const int piece0 = local % kParts * Layout::pieces;
  const std::uint32_t messages = base + Layout::exchange_offset +
                                 static_cast<std::uint32_t>(slot * kParts) * Layout::message_bytes;
  float pm[2][kParts], pl[2][kParts], weight[2][kParts];
#pragma unroll
  for (int g = 0; g < kParts; ++g)
    if (g < active) {
      const std::uint32_t at = messages + static_cast<std::uint32_t>(g) * Layout::message_bytes +
                               4096u + static_cast<std::uint32_t>(lane / 4 * 8);
      shared_load(at, pm[0][g], pl[0][g]);
      shared_load(at + 64, pm[1][g], pl[1][g]);
    } else {
      pm[0][g] = pm[1][g] = no_score();
      pl[0][g] = pl[1][g] = 0.0f;
    }
  combine_weights<kParts>(pm[0], pl[0], active, weight[0]);
  combine_weights<kParts>(pm[1], pl[1], active, weight[1]);

  const int row = row0 + (rank * Layout::row_groups_here + slot) * 16 + lane / 4;
  std::uint32_t* out = static_cast<std::uint32_t*>(args.o) +
                       (static_cast<std::size_t>(head) * static_cast<std::size_t>(args.seq) +
                        static_cast<std::size_t>(row)) *
                           32;
#pragma unroll
  for (int c = 0; c < Layout::pieces; ++c) {
    float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
    for (int g = 0; g < kParts; ++g)
      if (g < active) {
        float piece[4];
        shared_load(messages + static_cast<std::uint32_t>(g) * Layout::message_bytes +
                        static_cast<std::uint32_t>((piece0 + c) * 512 + lane * 16),
                    piece);
#pragma unroll
        for (int i = 0; i < 4; ++i) sum[i] = fmaf(weight[i >> 1][g], piece[i], sum[i]);
      }
    const int column = (piece0 + c) * 4 + (lane & 3);
    if (row < args.seq) out[column] = pack<kBf16>(sum[0], sum[1]);
    if (row + 8 < args.seq) out[8 * 32 + column] = pack<kBf16>(sum[2], sum[3]);
  }
#endif
}

template <bool kBf16, int kKeys, int kGroups, int kCluster, bool kCausal, bool kBulk>
int launch(const ForwardProblem& problem, const ForwardPlan& plan, const ForwardTensors& tensors,
           CUstream_st* stream) {
  const auto kernel = forward_split<kBf16, kKeys, kGroups, kCluster, kCausal, kBulk>;
  TensorMaps maps{};
  if (kBulk) {
    const int heads = problem.batch * problem.heads;
    if (const int code = encode_map(maps.q, tensors.q, problem.dtype, heads, problem.seq, 64))
      return code;
    if (const int code = encode_map(maps.k, tensors.k, problem.dtype, heads, problem.seq, kKeys))
      return code;
    if (const int code = encode_map(maps.v, tensors.v, problem.dtype, heads, problem.seq, kKeys))
      return code;
  }
  if (const cudaError_t code = cudaFuncSetAttribute(
          kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(plan.shared_bytes)))
    return code;
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {static_cast<unsigned>(kCluster), 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(plan.grid_x), static_cast<unsigned>(plan.grid_y));
  config.blockDim = dim3(static_cast<unsigned>(plan.threads));
  config.dynamicSmemBytes = plan.shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = kCluster > 1 ? 1 : 0;
  return cudaLaunchKernelEx(&config, kernel, maps,
                            SplitArguments{tensors.q, tensors.k, tensors.v, tensors.o, problem.seq,
                                           problem.scale * log2_e});
}

template <int kKeys, int kGroups, int kCluster, bool kBulk>
int launch_typed(const ForwardProblem& problem, const ForwardPlan& plan,
                 const ForwardTensors& tensors, CUstream_st* stream) {
  const bool bf16 = problem.dtype == Dtype::bf16;
  if (bf16 && problem.causal)
    return launch<true, kKeys, kGroups, kCluster, true, kBulk>(problem, plan, tensors, stream);
  if (bf16)
    return launch<true, kKeys, kGroups, kCluster, false, kBulk>(problem, plan, tensors, stream);
  if (problem.causal)
    return launch<false, kKeys, kGroups, kCluster, true, kBulk>(problem, plan, tensors, stream);
  return launch<false, kKeys, kGroups, kCluster, false, kBulk>(problem, plan, tensors, stream);
}

}  // namespace

int launch_split(const ForwardProblem& problem, const ForwardPlan& plan,
                 const ForwardTensors& tensors, CUstream_st* stream) {
  const bool bulk = plan.variant == Variant::split;
  if (plan.keys == 128 && plan.groups == 2 && plan.cluster == 2)
    return bulk ? launch_typed<128, 2, 2, true>(problem, plan, tensors, stream)
                : launch_typed<128, 2, 2, false>(problem, plan, tensors, stream);
  if (plan.keys == 64 && plan.groups == 2 && plan.cluster == 1)
    return bulk ? launch_typed<64, 2, 1, true>(problem, plan, tensors, stream)
                : launch_typed<64, 2, 1, false>(problem, plan, tensors, stream);
  return cudaErrorInvalidConfiguration;
}

}  // namespace checkride::kernels::attention
