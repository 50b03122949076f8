// The small-problem kernel on fp16 and bf16; see split_block.cuh.
#include "kernels/attention/dispatch.h"
#include "kernels/attention/forward_kernels.h"
#include "kernels/attention/split_block.cuh"
#include "kernels/attention/tile_products.cuh"

namespace checkride::kernels::attention {
namespace {

struct SplitArguments {
  void* o;
  int seq;
  float scale_log2;
};

template <bool kBf16>
struct Tiles16 {
  static constexpr int element_bytes = 2;
  using Columns = PlainColumns;
  struct Scales {
    float log2;
    __device__ Scales(const SplitArguments& args, int) : log2(args.scale_log2) {}
  };
  static __device__ __forceinline__ void load_keys(std::uint32_t tile, const TensorMaps& maps,
                                                   const SplitArguments&, int key0, int head,
                                                   std::uint32_t barrier) {
    bulk_load(tile, &maps.k, key0, head, barrier);
  }
  static __device__ __forceinline__ void load_values(std::uint32_t tile, const TensorMaps& maps,
                                                     int key0, int head, std::uint32_t barrier) {
    bulk_load(tile, &maps.v, key0, head, barrier);
  }
  template <int kCount>
  static __device__ __forceinline__ void start_scores(float (&s)[kCount], std::uint32_t q_tile,
                                                      std::uint32_t k_tile) {
    attention::start_scores<kBf16>(s, q_tile, k_tile);
  }
  template <int kCount>
  static __device__ __forceinline__ void start_values(float (&o)[32], const float (&s)[kCount],
                                                      float scale_log2, const float (&top)[2],
                                                      float (&sum)[2], std::uint32_t v_tile) {
    attention::start_values<kBf16>(o, s, scale_log2, top, sum, v_tile, false);
  }
  static __device__ __forceinline__ float inverse(float l, const Scales&) { return reciprocal(l); }
  static __device__ __forceinline__ std::uint32_t pack(float low, float high) {
    return attention::pack<kBf16>(low, high);
  }
};

template <bool kBf16, int kKeys, int kSplits, bool kCausal>
__global__ void __launch_bounds__(SplitLayout<kKeys, kSplits>::threads, 1)
    forward_split(const __grid_constant__ TensorMaps maps, const SplitArguments args) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  split_block<Tiles16<kBf16>, kKeys, kSplits, kCausal>(maps, args);
#endif
}

template <bool kBf16, int kKeys, int kSplits, bool kCausal>
int launch(const ForwardProblem& problem, const ForwardPlan& plan, const ForwardTensors& tensors,
           CUstream_st* stream) {
  TensorMaps maps{};
  if (const int code = encode_maps(maps, problem, tensors, 64, kKeys)) return code;
  return launch_split_blocks<kSplits>(
      forward_split<kBf16, kKeys, kSplits, kCausal>, plan, maps,
      SplitArguments{tensors.o, problem.seq, problem.scale * log2_e}, stream);
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
