// The large-problem kernel: one block holds 128 query rows, 64 for each of two warpgroups, and
// streams the keys through a ring of stages that one thread of a third warpgroup fills by bulk
// tensor copies. Softmax runs online (rescale by 2^(old max - new max)); the scores of a block of
// keys are computed while the probabilities of the block before are multiplied with V. Follows
// FlashAttention-3 (Shah et al. 2024, section 3.2) without the exchange of turns between
// warpgroups. No keys are split, so nothing is combined between blocks.
#include <cuda_runtime.h>

#include "kernels/attention/dispatch.h"
#include "kernels/attention/forward_kernels.h"
#include "kernels/attention/hopper.cuh"
#include "kernels/attention/softmax.cuh"
#include "kernels/attention/stream_layout.h"
#include "kernels/attention/tensor_map.h"
#include "kernels/attention/tile_products.cuh"

namespace checkride::kernels::attention {
namespace {

using Layout = StreamLayout;

struct StreamArguments {
  void* o;
  int seq;
  float scale_log2;
};

// Barriers of the ring, by stage.
struct Ring {
  std::uint32_t base;
  __device__ std::uint32_t k_ready(int stage) const {
    return base + 24u * static_cast<std::uint32_t>(stage);
  }
  __device__ std::uint32_t v_ready(int stage) const { return k_ready(stage) + 8; }
  __device__ std::uint32_t free(int stage) const { return k_ready(stage) + 16; }
};

__device__ __forceinline__ void fill_ring(const TensorMaps& maps, std::uint32_t base,
                                          const Ring& ring, std::uint32_t q_ready, int row0,
                                          int head, int blocks) {
  for (int block = 0; block < blocks; ++block) {
    const int stage = block % Layout::stages;
    const std::uint32_t offset = static_cast<std::uint32_t>(stage) * Layout::tile_bytes;
    if (block >= Layout::stages)
      barrier_wait(ring.free(stage), static_cast<std::uint32_t>(block / Layout::stages - 1) & 1);
    if (block == 0) {
      barrier_expect(q_ready, Layout::rows * 128);
      bulk_load(base + Layout::q_offset, &maps.q, row0, head, q_ready);
    }
    barrier_expect(ring.k_ready(stage), Layout::tile_bytes);
    bulk_load(base + Layout::k_offset + offset, &maps.k, block * Layout::keys, head,
              ring.k_ready(stage));
    barrier_expect(ring.v_ready(stage), Layout::tile_bytes);
    bulk_load(base + Layout::v_offset + offset, &maps.v, block * Layout::keys, head,
              ring.v_ready(stage));
  }
}

// What one thread of the two computing warpgroups does.
template <bool kBf16, bool kCausal>
__device__ __forceinline__ void attend(const StreamArguments& args, std::uint32_t base,
                                       const Ring& ring, std::uint32_t q_ready, int row0, int head,
                                       int blocks) {
  const int thread = static_cast<int>(threadIdx.x);
  const int warp_in_block =
      __shfl_sync(0xffffffffu, thread >> 5, 0);  // uniform for the compiler, too
  const int group = warp_in_block >> 2, warp = warp_in_block & 3, lane = thread & 31;
  const std::uint32_t q_tile = base + Layout::q_offset + static_cast<std::uint32_t>(group) * 8192;
  const int row = row0 + 64 * group + 16 * warp + lane / 4;
  const int limit0 = visible_keys(kCausal, row, args.seq);
  const int limit1 = visible_keys(kCausal, row + 8, args.seq);
  // The first block of keys in which some score of this warpgroup is masked.
  const int first_masked = visible_keys(kCausal, row0 + 64 * group, args.seq) / Layout::keys;

  float even[64], odd[64], o[32];
  float top[2] = {no_score(), no_score()}, sum[2] = {0.0f, 0.0f};
#pragma unroll
  for (int i = 0; i < 32; ++i) o[i] = 0.0f;

  const auto start_block = [&](float(&s)[64], int block) {
    const int stage = block % Layout::stages;
    const std::uint32_t k_tile =
        base + Layout::k_offset + static_cast<std::uint32_t>(stage) * Layout::tile_bytes;
    barrier_wait(ring.k_ready(stage), static_cast<std::uint32_t>(block / Layout::stages) & 1);
    start_scores<kBf16>(s, q_tile, k_tile);
  };
  // Takes `block`'s scores to the output while the next block's scores are computed. After the last
  // block its own scores are computed once more, unused, to keep the chain of products free of
  // branches.
  const auto advance = [&](float(&s)[64], float(&s_next)[64], int block) {
    const int stage = block % Layout::stages;
    if (block >= first_masked)
      mask_scores<PlainColumns>(s, block * Layout::keys, lane & 3, limit0, limit1);
    const float raw[2] = {top[0], top[1]};
    raise_max(s, top);
    const float now[2] = {folded_max(top[0], args.scale_log2), folded_max(top[1], args.scale_log2)};
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float shrink = rescale(raw[r], folded_max(raw[r], args.scale_log2), now[r]);
      sum[r] *= shrink;
#pragma unroll
      for (int c = 0; c < 8; ++c) {
        o[4 * c + 2 * r] *= shrink;
        o[4 * c + 2 * r + 1] *= shrink;
      }
    }
    barrier_wait(ring.v_ready(stage), static_cast<std::uint32_t>(block / Layout::stages) & 1);
    start_block(s_next, min(block + 1, blocks - 1));
    const std::uint32_t v_tile =
        base + Layout::v_offset + static_cast<std::uint32_t>(stage) * Layout::tile_bytes;
    start_values<kBf16>(o, s, args.scale_log2, now, sum, v_tile, true);
    wgmma_wait<0>();
    settle(s_next);
    settle(o);
    if (lane == 0) barrier_arrive(ring.free(stage));
  };

  barrier_wait(q_ready, 0);
  start_block(even, 0);
  wgmma_wait<0>();
  settle(even);
  for (int block = 0; block < blocks; block += 2) {
    advance(even, odd, block);
    if (block + 1 < blocks) advance(odd, even, block + 1);
  }
  const float inverse[2] = {reciprocal(quad_sum(sum[0])), reciprocal(quad_sum(sum[1]))};

  std::uint32_t* out = static_cast<std::uint32_t*>(args.o) +
                       (static_cast<std::size_t>(head) * static_cast<std::size_t>(args.seq) +
                        static_cast<std::size_t>(row)) *
                           32 +
                       (lane & 3);
#pragma unroll
  for (int c = 0; c < 8; ++c) {
    if (row < args.seq) out[4 * c] = pack<kBf16>(o[4 * c] * inverse[0], o[4 * c + 1] * inverse[0]);
    if (row + 8 < args.seq)
      out[8 * 32 + 4 * c] = pack<kBf16>(o[4 * c + 2] * inverse[1], o[4 * c + 3] * inverse[1]);
  }
}

template <bool kBf16, bool kCausal>
__global__ void __launch_bounds__(Layout::threads, 1)
    forward_stream(const __grid_constant__ TensorMaps maps, const StreamArguments args) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ __align__(1024) unsigned char memory[];
  const std::uint32_t base = shared_address(memory);
  const std::uint32_t q_ready = base + Layout::barrier_offset;
  const Ring ring{q_ready + 8};
  const int thread = static_cast<int>(threadIdx.x);
  const int head = static_cast<int>(blockIdx.y);
  // Causal tiles differ in work; the longest start first.
  const int tile = static_cast<int>(kCausal ? gridDim.x - 1 - blockIdx.x : blockIdx.x);
  const int row0 = tile * Layout::rows;
  const int blocks =
      (visible_keys(kCausal, row0 + Layout::rows - 1, args.seq) + Layout::keys - 1) / Layout::keys;

  if (thread == Layout::groups * 128) {
    barrier_init(q_ready, 1);
    for (int stage = 0; stage < Layout::stages; ++stage) {
      barrier_init(ring.k_ready(stage), 1);
      barrier_init(ring.v_ready(stage), 1);
      barrier_init(ring.free(stage), Layout::groups * 4);
    }
    barrier_init_fence();
  }
  __syncthreads();
  // Registers move from the third warpgroup, which only fills the ring, to the two that compute.
  if (thread >= Layout::groups * 128) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 24;");
    if (thread == Layout::groups * 128) fill_ring(maps, base, ring, q_ready, row0, head, blocks);
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 240;");
    attend<kBf16, kCausal>(args, base, ring, q_ready, row0, head, blocks);
  }
#endif
}

template <bool kBf16, bool kCausal>
int launch(const ForwardProblem& problem, const ForwardPlan& plan, const ForwardTensors& tensors,
           CUstream_st* stream) {
  const auto kernel = forward_stream<kBf16, kCausal>;
  TensorMaps maps{};
  if (const int code = encode_maps(maps, problem, tensors, Layout::rows, Layout::keys)) return code;
  if (const cudaError_t code = cudaFuncSetAttribute(
          kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(plan.shared_bytes)))
    return code;
  kernel<<<dim3(static_cast<unsigned>(plan.grid_x), static_cast<unsigned>(plan.grid_y)),
           static_cast<unsigned>(plan.threads), plan.shared_bytes, stream>>>(
      maps, StreamArguments{tensors.o, problem.seq, problem.scale * log2_e});
  return cudaGetLastError();
}

}  // namespace

int launch_stream(const ForwardProblem& problem, const ForwardPlan& plan,
                  const ForwardTensors& tensors, CUstream_st* stream) {
  return dispatch(problem, [&](auto bf16, auto causal) {
    return launch<bf16(), causal()>(problem, plan, tensors, stream);
  });
}

}  // namespace checkride::kernels::attention
