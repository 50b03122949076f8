// Attention, forward: O = softmax(scale * Q K^T) V for head size 64 in fp16 or bf16, causal or not,
// on an H200. This is the host's side: plan_forward chooses a kernel and its grid for a problem
// without touching a GPU, launch_forward queues it: one kernel, no workspace, no allocation, fit
// for graph capture, the same bits from every launch. Tensors are contiguous [batch, heads, seq,
// 64], 16-byte aligned.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/result.h"
#include "kernels/math/half.h"

struct CUstream_st;

namespace checkride::kernels::attention {

struct ForwardProblem {
  int batch = 1;
  int heads = 8;
  int seq = 512;
  Dtype dtype = Dtype::f16;
  bool causal = false;
  float scale = 0.125f;  // 1/sqrt(64); must be positive
  // The host computes any of these, the kernels only the defaults.
  int kv_heads = 0;  // heads of K and V, a divisor of heads; 0: as many as heads
  int kv_seq = 0;    // keys; 0: as many as seq
  int dim = 64;      // elements of a row

  int key_heads() const { return kv_heads > 0 ? kv_heads : heads; }
  int keys() const { return kv_seq > 0 ? kv_seq : seq; }
};

struct ForwardTensors {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* o = nullptr;
};

// The kernels. `automatic` stands for the choice plan_forward makes.
enum class Variant {
  automatic,
  mma,     // mma.sync, any seq, compute capability 8.0 and up; first version and fallback
  split,   // wgmma, 64 rows a block, keys split over warpgroups and a cluster, all loads at entry
  stream,  // wgmma, 128 rows a block, keys streamed through a ring of shared-memory stages
};
std::string_view to_string(Variant variant);
Result<Variant> parse_variant(std::string_view name);

struct ForwardPlan {
  Variant variant = Variant::automatic;
  int keys = 0;  // keys of one warpgroup's range (split), of one stage (stream), of one block (mma)
  int groups = 0;   // warpgroups that compute in one block
  int cluster = 1;  // blocks that share one tile of rows
  int grid_x = 0;   // blocks along rows, cluster included
  int grid_y = 0;   // batch * heads
  int threads = 0;
  std::uint32_t shared_bytes = 0;

  int num_ctas() const { return grid_x * grid_y; }
  // Key ranges joined at the end of one row tile.
  int splits() const { return variant == Variant::stream ? 1 : groups * cluster; }
};

// The plan for a problem on a device of compute capability `sm` (90 for an H200). Errors:
// invalid_argument for an empty or too large problem or a scale that is not positive, unsupported
// where the variant does not cover the problem or the device.
Result<ForwardPlan> plan_forward(const ForwardProblem& problem, int sm,
                                 Variant variant = Variant::automatic);

// Queues the planned kernel on a stream of the current device. Errors: unavailable with CUDA's
// words.
Result<void> launch_forward(const ForwardProblem& problem, const ForwardPlan& plan,
                            const ForwardTensors& tensors, CUstream_st* stream);

}  // namespace checkride::kernels::attention
