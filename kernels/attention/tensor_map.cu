#include "kernels/attention/tensor_map.h"

#include <cuda_runtime.h>

#include <array>

namespace checkride::kernels::attention {
namespace {

int encode(CUtensorMap& map, CUtensorMapDataType type, const void* tensor,
           std::span<const std::uint64_t> size, std::span<const std::uint64_t> strides,
           std::span<const std::uint32_t> box, CUtensorMapSwizzle swizzle) {
  static const auto function = [] {
    void* entry = nullptr;
    cudaDriverEntryPointQueryResult found{};
    const cudaError_t code = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry,
                                                              12000, cudaEnableDefault, &found);
    const bool usable = code == cudaSuccess && found == cudaDriverEntryPointSuccess;
    return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(usable ? entry : nullptr);
  }();
  if (function == nullptr) return cudaErrorNotSupported;
  std::array<cuuint64_t, 5> sizes{}, steps_in_bytes{};
  std::array<cuuint32_t, 5> boxes{}, step{1, 1, 1, 1, 1};
  for (std::size_t i = 0; i < size.size(); ++i) sizes[i] = size[i];
  for (std::size_t i = 0; i < strides.size(); ++i) steps_in_bytes[i] = strides[i];
  for (std::size_t i = 0; i < box.size(); ++i) boxes[i] = box[i];
  const CUresult code = function(
      &map, type, static_cast<cuuint32_t>(size.size()), const_cast<void*>(tensor), sizes.data(),
      steps_in_bytes.data(), boxes.data(), step.data(), CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle,
      CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  return code == CUDA_SUCCESS ? cudaSuccess : cudaErrorInvalidValue;
}

}  // namespace

int encode_maps(TensorMaps& maps, const ForwardProblem& problem, const ForwardTensors& tensors,
                int q_rows, int kv_rows) {
  const auto type = problem.dtype == Dtype::f16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16
                                                : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
  const auto seq = static_cast<std::uint64_t>(problem.seq);
  const std::array<std::uint64_t, 3> size{
      64, seq,
      static_cast<std::uint64_t>(problem.batch) * static_cast<std::uint64_t>(problem.heads)};
  const std::array<std::uint64_t, 2> strides{128, seq * 128};
  const auto one = [&](CUtensorMap& map, const void* tensor, int rows) {
    const std::array<std::uint32_t, 3> box{64, static_cast<std::uint32_t>(rows), 1};
    return encode(map, type, tensor, size, strides, box, CU_TENSOR_MAP_SWIZZLE_128B);
  };
  if (const int code = one(maps.q, tensors.q, q_rows)) return code;
  if (const int code = one(maps.k, tensors.k, kv_rows)) return code;
  return one(maps.v, tensors.v, kv_rows);
}

int encode_bytes(CUtensorMap& map, const void* tensor, std::span<const std::uint64_t> size,
                 std::span<const std::uint64_t> strides, std::span<const std::uint32_t> box,
                 int swizzle_bytes) {
  return encode(map, CU_TENSOR_MAP_DATA_TYPE_UINT8, tensor, size, strides, box,
                swizzle_bytes == 64 ? CU_TENSOR_MAP_SWIZZLE_64B : CU_TENSOR_MAP_SWIZZLE_128B);
}

}  // namespace checkride::kernels::attention
