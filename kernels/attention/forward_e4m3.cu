// The small-problem kernel on 8-bit floating point (e4m3) with one scale a head and tensor; see
// split_block.cuh for its shape and forward_e4m3.h for the tensors. Matrix products multiply codes;
// the scales of Q and K go into the softmax's factor, that of V into the last multiplication of a
// row. Probabilities become e4m3 times 2^8, so that small ones keep their precision; the factor is
// in the sums too and falls out of the quotient.
//
// The A operand of an 8-bit product wants four neighbouring keys of a row in one register where the
// accumulator holds two and two. Keys of each group of sixteen are therefore loaded in another
// order (the copy's dimensions are crossed): column 8a + 2q + e of the scores is key 4q + 2a + e.
#include "kernels/attention/forward_e4m3.h"

#include <array>
#include <span>

#include "kernels/attention/split_block.cuh"
#include "kernels/attention/tile_copy.cuh"
#include "kernels/attention/wgmma_e4m3.cuh"
#include "kernels/cuda/check.h"

namespace checkride::kernels::attention {
namespace {

constexpr int keys = 128, splits = 2;
using Layout = SplitLayout<keys, splits, 1>;

struct E4m3Arguments {
  void* o;
  const float* q_scale;
  const float* k_scale;
  const float* v_scale;
  int seq;
  int stride;  // rows a head, stored
  float scale_log2;
};

// The coordinates of one box of keys: all of four dimensions, then a group of sixteen keys.
__device__ __forceinline__ void bulk_load_groups(std::uint32_t shared, const CUtensorMap* map,
                                                 int group, std::uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %2, %2, %2, %3}], [%4];" ::"r"(shared),
      "l"(map), "r"(0), "r"(group), "r"(barrier)
      : "memory");
}
__device__ __forceinline__ void bulk_load_columns(std::uint32_t shared, const CUtensorMap* map,
                                                  int column, int head, std::uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
      " [%0], [%1, {%2, %3, %4}], [%5];" ::"r"(shared),
      "l"(map), "r"(column), "r"(0), "r"(head), "r"(barrier)
      : "memory");
}

struct TilesE4m3 {
  static constexpr int element_bytes = 1;
  struct Columns {
    static __device__ __forceinline__ int first(int q) { return 4 * q; }
    static __device__ __forceinline__ int offset(int j) { return 16 * (j / 2) + 2 * (j % 2); }
  };
  struct Scales {
    float log2, v;
    __device__ Scales(const E4m3Arguments& args, int head)
        : log2(args.scale_log2 * (__ldg(args.q_scale + head) * __ldg(args.k_scale + head))),
          v(__ldg(args.v_scale + head)) {}
  };
  static __device__ __forceinline__ void load_keys(std::uint32_t tile, const TensorMaps& maps,
                                                   const E4m3Arguments& args, int key0, int head,
                                                   std::uint32_t barrier) {
    bulk_load_groups(tile, &maps.k, (head * args.stride + key0) / 16, barrier);
  }
  static __device__ __forceinline__ void load_values(std::uint32_t tile, const TensorMaps& maps,
                                                     int key0, int head, std::uint32_t barrier) {
    bulk_load_columns(tile, &maps.v, key0, head, barrier);
  }
  static __device__ __forceinline__ void start_scores(float (&s)[64], std::uint32_t q_tile,
                                                      std::uint32_t k_tile) {
    wgmma_fence();
#pragma unroll
    for (int step = 0; step < 2; ++step)
      wgmma_e4m3_ss(s, swizzled_tile_64(q_tile + 32u * step), swizzled_tile_64(k_tile + 32u * step),
                    step > 0);
    wgmma_commit();
  }
  static __device__ __forceinline__ void start_values(float (&o)[32], const float (&s)[64],
                                                      float scale_log2, const float (&top)[2],
                                                      float (&sum)[2], std::uint32_t v_tile) {
    const float raised[2] = {top[0] - p_bias_log2, top[1] - p_bias_log2};
#pragma unroll
    for (int step = 0; step < 4; ++step) {
      float p[16];
#pragma unroll
      for (int i = 0; i < 16; ++i)
        p[i] = probability(s[16 * step + i], scale_log2, raised[(i >> 1) & 1]);
      std::uint32_t a[4];
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        const float* low = p + 8 * (r / 2) + 2 * (r % 2);
        sum[r % 2] += (low[0] + low[1]) + (low[4] + low[5]);
        a[r] = pack_e4m3(low[0], low[1], low[4], low[5]);
      }
      wgmma_fence();
      wgmma_e4m3_rs(o, a, swizzled_tile(v_tile + 32u * step), step > 0);
      wgmma_commit();
    }
  }
  static __device__ __forceinline__ float inverse(float l, const Scales& scales) {
    return reciprocal(l) * scales.v;
  }
  static __device__ __forceinline__ std::uint32_t pack(float low, float high) {
    return attention::pack<false>(low, high);
  }
};

template <bool kCausal>
__global__ void __launch_bounds__(Layout::threads, 1)
    forward_e4m3(const __grid_constant__ TensorMaps maps, const E4m3Arguments args) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  split_block<TilesE4m3, keys, splits, kCausal>(maps, args);
#endif
}

int encode(TensorMaps& maps, std::uint64_t heads, std::uint64_t stride,
           const E4m3Tensors& tensors) {
  using Sizes = std::array<std::uint64_t, 5>;
  using Boxes = std::array<std::uint32_t, 5>;
  const Sizes q_size{64, stride, heads}, q_strides{64, stride * 64};
  const Boxes q_box{64, Layout::rows, 1};
  const auto first = [](const auto& values, std::size_t count) {
    return std::span(values).first(count);
  };
  if (const int code = encode_bytes(maps.q, tensors.q, first(q_size, 3), first(q_strides, 2),
                                    first(q_box, 3), 64))
    return code;
  const Sizes k_size{64, 2, 4, 2, heads * stride / 16}, k_strides{64, 256, 128, 1024};
  const Boxes k_box{64, 2, 4, 2, keys / 16};
  if (const int code = encode_bytes(maps.k, tensors.k, k_size, first(k_strides, 4), k_box, 64))
    return code;
  const Sizes v_size{stride, 64, heads}, v_strides{stride, stride * 64};
  const Boxes v_box{keys, 64, 1};
  return encode_bytes(maps.v, tensors.v_transposed, first(v_size, 3), first(v_strides, 2),
                      first(v_box, 3), 128);
}

template <bool kCausal>
int launch(const ForwardProblem& problem, const ForwardPlan& plan, const E4m3Tensors& tensors,
           CUstream_st* stream) {
  const int stride = e4m3_rows(problem.seq);
  TensorMaps maps{};
  if (const int code = encode(
          maps,
          static_cast<std::uint64_t>(problem.batch) * static_cast<std::uint64_t>(problem.heads),
          static_cast<std::uint64_t>(stride), tensors))
    return code;
  return launch_split_blocks<splits>(
      forward_e4m3<kCausal>, plan, maps,
      E4m3Arguments{tensors.o, tensors.q_scale, tensors.k_scale, tensors.v_scale, problem.seq,
                    stride, problem.scale * log2_e},
      stream);
}

}  // namespace

Result<void> launch_e4m3(const ForwardProblem& problem, const ForwardPlan& plan,
                         const E4m3Tensors& tensors, CUstream_st* stream) {
  return cuda::check(problem.causal ? launch<true>(problem, plan, tensors, stream)
                                    : launch<false>(problem, plan, tensors, stream),
                     "attention: the e4m3 kernel could not be queued");
}

}  // namespace checkride::kernels::attention
