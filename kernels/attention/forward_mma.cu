// The plain kernel, for any seq and any device of compute capability 8.0 or higher: mma.sync
// m16n8k16, 64 query rows a block in eight warps (four groups of 16 rows, twice: one takes the
// first, one the second half of every block of keys), two stages of 16-byte asynchronous copies,
// online softmax. The two halves are joined through shared memory in fixed order. Follows
// FlashAttention-2 (Dao 2023).
#include <cuda_runtime.h>

#include "kernels/attention/dispatch.h"
#include "kernels/attention/forward_kernels.h"
#include "kernels/attention/mma_layout.h"
#include "kernels/attention/softmax.cuh"
#include "kernels/attention/tile_copy.cuh"

namespace checkride::kernels::attention {
namespace {

using Layout = MmaLayout;

struct MmaArguments {
  const void* q;
  const void* k;
  const void* v;
  void* o;
  int seq;
  float scale_log2;
};

template <bool kTransposed>
__device__ __forceinline__ void load_matrices(std::uint32_t (&r)[4], std::uint32_t tile, int row,
                                              int chunk) {
  const std::uint32_t at = tile + swizzled(row, chunk);
  if constexpr (kTransposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(at)
                 : "memory");
}

template <bool kBf16>
__device__ __forceinline__ void mma(float* d, const std::uint32_t (&a)[4], std::uint32_t b0,
                                    std::uint32_t b1) {
  if constexpr (kBf16)
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

template <bool kBf16, bool kCausal>
__global__ void __launch_bounds__(Layout::threads, 1) forward_mma(const MmaArguments args) {
  extern __shared__ __align__(1024) unsigned char memory[];
  const std::uint32_t base = static_cast<std::uint32_t>(__cvta_generic_to_shared(memory));
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = (thread >> 5) & 3, half = thread >> 7, lane = thread & 31;
  const int matrix = lane >> 3, line = lane & 7;
  const int head = static_cast<int>(blockIdx.y);
  const int row0 = static_cast<int>(blockIdx.x) * Layout::rows;
  const int blocks =
      (visible_keys(kCausal, row0 + Layout::rows - 1, args.seq) + Layout::keys - 1) / Layout::keys;
  const std::size_t head_bytes =
      static_cast<std::size_t>(head) * static_cast<std::size_t>(args.seq) * 128;
  const char* head_k = static_cast<const char*>(args.k) + head_bytes;
  const char* head_v = static_cast<const char*>(args.v) + head_bytes;

  const auto fetch = [&](int block) {
    const std::uint32_t offset =
        static_cast<std::uint32_t>(block % Layout::stages) * Layout::tile_bytes;
    if (block < blocks) {
      copy_rows(base + Layout::k_offset + offset, head_k, block * Layout::keys, Layout::keys,
                args.seq, thread, Layout::threads);
      copy_rows(base + Layout::v_offset + offset, head_v, block * Layout::keys, Layout::keys,
                args.seq, thread, Layout::threads);
    }
    copy_commit();
  };
  copy_rows(base + Layout::q_offset, static_cast<const char*>(args.q) + head_bytes, row0,
            Layout::rows, args.seq, thread, Layout::threads);
  fetch(0);

  const int row = row0 + 16 * warp + lane / 4;
  const int limit0 = visible_keys(kCausal, row, args.seq);
  const int limit1 = visible_keys(kCausal, row + 8, args.seq);
  std::uint32_t q[4][4];
  float o[32] = {};
  float top[2] = {no_score(), no_score()}, sum[2] = {0.0f, 0.0f};

  for (int block = 0; block < blocks; ++block) {
    fetch(block + 1);
    copy_wait<1>();
    __syncthreads();
    if (block == 0) {
#pragma unroll
      for (int step = 0; step < 4; ++step)
        load_matrices<false>(q[step], base + Layout::q_offset, 16 * warp + (matrix & 1) * 8 + line,
                             2 * step + (matrix >> 1));
    }
    const std::uint32_t offset =
        static_cast<std::uint32_t>(block % Layout::stages) * Layout::tile_bytes;
    const std::uint32_t k_tile = base + Layout::k_offset + offset;
    const std::uint32_t v_tile = base + Layout::v_offset + offset;
    const int key0 = half * (Layout::keys / 2);

    float s[32] = {};
#pragma unroll
    for (int step = 0; step < 4; ++step)
#pragma unroll
      for (int pair = 0; pair < 4; ++pair) {
        std::uint32_t b[4];
        load_matrices<false>(b, k_tile, key0 + 16 * pair + (matrix >> 1) * 8 + line,
                             2 * step + (matrix & 1));
        mma<kBf16>(s + 8 * pair, q[step], b[0], b[1]);
        mma<kBf16>(s + 8 * pair + 4, q[step], b[2], b[3]);
      }

    const int key = block * Layout::keys + key0;
    if (key + Layout::keys / 2 > visible_keys(kCausal, row0, args.seq))
      mask_scores<PlainColumns>(s, key, lane & 3, limit0, limit1);
    const float raw[2] = {top[0], top[1]};
    raise_max(s, top);
    const float now[2] = {folded_max(top[0], args.scale_log2), folded_max(top[1], args.scale_log2)};
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
#pragma unroll
    for (int i = 0; i < 32; ++i) {
      s[i] = probability(s[i], args.scale_log2, now[(i >> 1) & 1]);
      sums[i & 3] += s[i];
    }
    float shrink[2];
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      shrink[r] = rescale(raw[r], folded_max(raw[r], args.scale_log2), now[r]);
      sum[r] = fmaf(sum[r], shrink[r], sums[2 * r] + sums[2 * r + 1]);
    }
#pragma unroll
    for (int i = 0; i < 32; ++i) o[i] *= shrink[(i >> 1) & 1];
#pragma unroll
    for (int step = 0; step < 4; ++step) {
      const std::uint32_t a[4] = {pack<kBf16>(s[8 * step], s[8 * step + 1]),
                                  pack<kBf16>(s[8 * step + 2], s[8 * step + 3]),
                                  pack<kBf16>(s[8 * step + 4], s[8 * step + 5]),
                                  pack<kBf16>(s[8 * step + 6], s[8 * step + 7])};
#pragma unroll
      for (int pair = 0; pair < 4; ++pair) {
        std::uint32_t b[4];
        load_matrices<true>(b, v_tile, key0 + 16 * step + (matrix & 1) * 8 + line,
                            2 * pair + (matrix >> 1));
        mma<kBf16>(o + 8 * pair, a, b[0], b[1]);
        mma<kBf16>(o + 8 * pair + 4, a, b[2], b[3]);
      }
    }
    __syncthreads();
  }

  // The second half hands over; the first joins and writes. The copies still under way are empty.
  copy_wait<0>();
  sum[0] = quad_sum(sum[0]);
  sum[1] = quad_sum(sum[1]);
  const float m[2] = {top[0] == no_score() ? top[0] : folded_max(top[0], args.scale_log2),
                      top[1] == no_score() ? top[1] : folded_max(top[1], args.scale_log2)};
  unsigned char* message = memory + static_cast<std::size_t>(warp) * Layout::message_bytes;
  float4* pieces = reinterpret_cast<float4*>(message);
  float2* scalars = reinterpret_cast<float2*>(message + 4096);
  if (half == 1) {
#pragma unroll
    for (int c = 0; c < 8; ++c)
      pieces[c * 32 + lane] = make_float4(o[4 * c], o[4 * c + 1], o[4 * c + 2], o[4 * c + 3]);
    if ((lane & 3) == 0) {
      scalars[lane / 4] = make_float2(m[0], sum[0]);
      scalars[lane / 4 + 8] = make_float2(m[1], sum[1]);
    }
  }
  __syncthreads();
  if (half == 1) return;
  float weight[2][2];
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    const float2 theirs = scalars[lane / 4 + 8 * r];
    const Joined joined = join(m[r], sum[r], theirs.x, theirs.y);
    weight[r][0] = joined.weight_a * reciprocal(joined.l);
    weight[r][1] = joined.weight_b * reciprocal(joined.l);
  }
  std::uint32_t* out = static_cast<std::uint32_t*>(args.o) + head_bytes / 4 +
                       static_cast<std::size_t>(row) * 32 + static_cast<std::size_t>(lane & 3);
#pragma unroll
  for (int c = 0; c < 8; ++c) {
    const float4 theirs = pieces[c * 32 + lane];
    if (row < args.seq)
      out[4 * c] = pack<kBf16>(fmaf(weight[0][1], theirs.x, weight[0][0] * o[4 * c]),
                               fmaf(weight[0][1], theirs.y, weight[0][0] * o[4 * c + 1]));
    if (row + 8 < args.seq)
      out[8 * 32 + 4 * c] = pack<kBf16>(fmaf(weight[1][1], theirs.z, weight[1][0] * o[4 * c + 2]),
                                        fmaf(weight[1][1], theirs.w, weight[1][0] * o[4 * c + 3]));
  }
}

template <bool kBf16, bool kCausal>
int launch(const ForwardProblem& problem, const ForwardPlan& plan, const ForwardTensors& tensors,
           CUstream_st* stream) {
  const auto kernel = forward_mma<kBf16, kCausal>;
  if (const cudaError_t code = cudaFuncSetAttribute(
          kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(plan.shared_bytes)))
    return code;
  kernel<<<dim3(static_cast<unsigned>(plan.grid_x), static_cast<unsigned>(plan.grid_y)),
           static_cast<unsigned>(plan.threads), plan.shared_bytes, stream>>>(MmaArguments{
      tensors.q, tensors.k, tensors.v, tensors.o, problem.seq, problem.scale * log2_e});
  return cudaGetLastError();
}

}  // namespace

int launch_mma(const ForwardProblem& problem, const ForwardPlan& plan,
               const ForwardTensors& tensors, CUstream_st* stream) {
  return dispatch(problem, [&](auto bf16, auto causal) {
    return launch<bf16(), causal()>(problem, plan, tensors, stream);
  });
}

}  // namespace checkride::kernels::attention
