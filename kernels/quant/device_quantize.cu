#include <cuda_runtime.h>

#include "kernels/quant/device_quantize.h"

namespace checkride::kernels::quant {
namespace {

using cuda::check;
using Long = unsigned long long;

struct DeviceCounts {
  Long nan, infinite, saturated, underflow;
};

// Eight elements from `first` on as floats; `wide` says that they may be read in 16 bytes.
template <ElementType type>
__device__ void load_eight(const void* data, std::uint64_t first, int count, bool wide,
                           float (&values)[8]) {
  if constexpr (type == ElementType::f32) {
    const auto* at = static_cast<const float*>(data) + first;
    if (wide) {
      const float4 low = reinterpret_cast<const float4*>(at)[0];
      const float4 high = reinterpret_cast<const float4*>(at)[1];
      values[0] = low.x, values[1] = low.y, values[2] = low.z, values[3] = low.w;
      values[4] = high.x, values[5] = high.y, values[6] = high.z, values[7] = high.w;
      return;
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) values[i] = i < count ? at[i] : 0.0f;
  } else {
    const auto* at = static_cast<const std::uint16_t*>(data) + first;
    std::uint32_t words[4];
    if (wide) {
      const uint4 four = *reinterpret_cast<const uint4*>(at);
      words[0] = four.x, words[1] = four.y, words[2] = four.z, words[3] = four.w;
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i)
        words[i] = (2 * i < count ? at[2 * i] : 0u) |
                   (2 * i + 1 < count ? static_cast<std::uint32_t>(at[2 * i + 1]) << 16 : 0u);
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const std::uint32_t word = words[i / 2];
      if constexpr (type == ElementType::bf16) {
        values[i] = __uint_as_float(i % 2 == 0 ? word << 16 : word & 0xffff0000u);
      } else {
        const auto half = static_cast<std::uint16_t>(i % 2 == 0 ? word : word >> 16);
        asm("cvt.f32.f16 %0, %1;" : "=f"(values[i]) : "h"(half));
      }
    }
  }
}

template <ElementType type>
__device__ bool reads_wide(const Slice& slice) {
  return slice.first % 8 == 0;  // the tensor itself starts aligned
}

template <ElementType type>
__global__ void __launch_bounds__(slice_lanes)
    find_amax(const void* __restrict__ input, const Layout layout, unsigned* __restrict__ amax) {
  __shared__ unsigned of_warps[slice_lanes / 32];
  for (std::uint64_t index = blockIdx.x; index < layout.slices; index += gridDim.x) {
    const Slice slice = slice_of(layout, index);
    const bool aligned = reads_wide<type>(slice);
    unsigned most = 0;
#pragma unroll
    for (int i = 0; i < lane_eights; ++i) {
      const auto start =
          static_cast<std::uint64_t>(i * slice_lanes + static_cast<int>(threadIdx.x)) * 8;
      if (start < slice.count) {
        const int count = slice.count - start < 8 ? static_cast<int>(slice.count - start) : 8;
        float values[8];
        load_eight<type>(input, slice.first + start, count, aligned && count == 8, values);
#pragma unroll
        for (int j = 0; j < 8; ++j) {
          const unsigned size = __float_as_uint(values[j]) & 0x7fffffffu;
          most = size <= 0x7f800000u && size > most ? size : most;
        }
      }
    }
    most = __reduce_max_sync(~0u, most);
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = most;
    __syncthreads();
    if (threadIdx.x == 0) {
      for (const unsigned other : of_warps) most = other > most ? other : most;
      if (most != 0) atomicMax(amax + slice.group, most);
    }
    __syncthreads();
  }
}

__device__ unsigned sum_of_warp(unsigned value) {
  return __reduce_add_sync(~0u, value);
}

template <ElementType type, Code code>
__global__ void __launch_bounds__(slice_lanes)
    write_codes(const void* __restrict__ input, const Layout layout,
                const unsigned* __restrict__ amax, int margin, std::uint8_t* __restrict__ codes,
                SliceSums* __restrict__ sums, DeviceCounts* __restrict__ counts) {
  __shared__ SliceSums of_warps[slice_lanes / 32];
  Counts mine;
  for (std::uint64_t index = blockIdx.x; index < layout.slices; index += gridDim.x) {
    const Slice slice = slice_of(layout, index);
    const bool aligned = reads_wide<type>(slice);
    const float inverse = inverse_of(scale_of(__uint_as_float(amax[slice.group]), code, margin));
    SliceSums lane;
#pragma unroll 2
    for (int i = 0; i < lane_eights; ++i) {
      const auto start =
          static_cast<std::uint64_t>(i * slice_lanes + static_cast<int>(threadIdx.x)) * 8;
      if (start < slice.count) {
        const int count = slice.count - start < 8 ? static_cast<int>(slice.count - start) : 8;
        const bool wide = aligned && count == 8;
        float values[8];
        load_eight<type>(input, slice.first + start, count, wide, values);
        const Eight eight = encode_eight(values, count, inverse, code, mine);
        if (wide) {
          *reinterpret_cast<std::uint64_t*>(codes + slice.first + start) = eight.codes;
        } else {
          for (int j = 0; j < count; ++j)
            codes[slice.first + start + static_cast<unsigned>(j)] =
                static_cast<std::uint8_t>(eight.codes >> 8 * j);
        }
        lane.error2 += static_cast<double>(eight.error2);
        lane.value2 += static_cast<double>(eight.value2);
      }
    }
    for (int half = 16; half > 0; half /= 2) {
      lane.error2 += __shfl_down_sync(~0u, lane.error2, half);
      lane.value2 += __shfl_down_sync(~0u, lane.value2, half);
    }
    if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = lane;
    __syncthreads();
    if (threadIdx.x == 0) {
      SliceSums all;
      for (const SliceSums& warp : of_warps) {
        all.error2 += warp.error2;
        all.value2 += warp.value2;
      }
      sums[index] = all;
    }
    __syncthreads();
  }
  const unsigned nan = sum_of_warp(mine.nan), infinite = sum_of_warp(mine.infinite);
  const unsigned saturated = sum_of_warp(mine.saturated), underflow = sum_of_warp(mine.underflow);
  if (threadIdx.x % 32 == 0) {
    if (nan != 0) atomicAdd(&counts->nan, Long{nan});
    if (infinite != 0) atomicAdd(&counts->infinite, Long{infinite});
    if (saturated != 0) atomicAdd(&counts->saturated, Long{saturated});
    if (underflow != 0) atomicAdd(&counts->underflow, Long{underflow});
  }
}

// Each head's [seq, dim] codes to [dim, seq], 32 by 32 at a time.
__global__ void __launch_bounds__(256)
    turn(const std::uint8_t* __restrict__ from, std::uint8_t* __restrict__ to, std::uint64_t tiles,
         std::uint64_t rows, std::uint64_t columns) {
  __shared__ std::uint8_t tile[32][33];
  const std::uint64_t across = (columns + 31) / 32, down = (rows + 31) / 32;
  const unsigned x = threadIdx.x % 32, y = threadIdx.x / 32;
  for (std::uint64_t index = blockIdx.x; index < tiles; index += gridDim.x) {
    const std::uint64_t head = index / (across * down) * rows * columns;
    const std::uint64_t row = index / across % down * 32, column = index % across * 32;
    for (unsigned i = y; i < 32; i += 8)
      if (row + i < rows && column + x < columns)
        tile[i][x] = from[head + (row + i) * columns + column + x];
    __syncthreads();
    for (unsigned i = y; i < 32; i += 8)
      if (column + i < columns && row + x < rows)
        to[head + (column + i) * rows + row + x] = tile[x][i];
    __syncthreads();
  }
}

constexpr std::uint64_t blocks_max = 132 * 64;

}  // namespace

Result<DeviceQuantizer> DeviceQuantizer::plan(const Plan& plan, ElementType type,
                                              const void* input) {
  CR_CHECK(check_plan(plan, type));
  DeviceQuantizer quantizer;
  quantizer.plan_ = plan;
  quantizer.layout_ = layout_of(plan);
  quantizer.type_ = type;
  quantizer.input_ = input;
  const Layout& layout = quantizer.layout_;
  CR_TRY(quantizer.codes_, cuda::DeviceBuffer::allocate(layout.elements));
  CR_TRY(quantizer.amax_, cuda::DeviceBuffer::allocate(plan.groups() * sizeof(unsigned)));
  CR_TRY(quantizer.sums_, cuda::DeviceBuffer::allocate(layout.slices * sizeof(SliceSums)));
  CR_TRY(quantizer.counts_, cuda::DeviceBuffer::allocate(sizeof(DeviceCounts)));
  if (plan.transpose) {
    CR_TRY(quantizer.turned_, cuda::DeviceBuffer::allocate(layout.elements));
  }
  CR_CHECK(quantizer.poison());
  return quantizer;
}

Result<void> DeviceQuantizer::poison() {
  CR_CHECK(codes_.fill(0xff));
  return turned_.data() == nullptr ? Result<void>{} : turned_.fill(0xff);
}

Result<void> DeviceQuantizer::launch(CUstream_st* stream) const {
  const auto blocks =
      static_cast<unsigned>(layout_.slices < blocks_max ? layout_.slices : blocks_max);
  auto* amax = static_cast<unsigned*>(amax_.data());
  auto* codes = static_cast<std::uint8_t*>(codes_.data());
  auto* sums = static_cast<SliceSums*>(sums_.data());
  auto* counts = static_cast<DeviceCounts*>(counts_.data());
  CR_CHECK(check(cudaMemsetAsync(amax, 0, amax_.bytes(), stream), "empty the maxima"));
  CR_CHECK(check(cudaMemsetAsync(counts, 0, counts_.bytes(), stream), "empty the counts"));
  const auto both = [&]<ElementType type>() {
    find_amax<type><<<blocks, slice_lanes, 0, stream>>>(input_, layout_, amax);
    if (plan_.code == Code::e4m3)
      write_codes<type, Code::e4m3><<<blocks, slice_lanes, 0, stream>>>(
          input_, layout_, amax, plan_.margin, codes, sums, counts);
    else
      write_codes<type, Code::linear_u8><<<blocks, slice_lanes, 0, stream>>>(
          input_, layout_, amax, plan_.margin, codes, sums, counts);
  };
  if (type_ == ElementType::f32)
    both.operator()<ElementType::f32>();
  else if (type_ == ElementType::f16)
    both.operator()<ElementType::f16>();
  else
    both.operator()<ElementType::bf16>();
  if (plan_.transpose) {
    const auto rows = static_cast<std::uint64_t>(plan_.shape[2]);
    const auto columns = static_cast<std::uint64_t>(plan_.shape[3]);
    const std::uint64_t tiles =
        layout_.elements / (rows * columns) * ((rows + 31) / 32) * ((columns + 31) / 32);
    turn<<<static_cast<unsigned>(tiles < blocks_max ? tiles : blocks_max), 256, 0, stream>>>(
        codes, static_cast<std::uint8_t*>(turned_.data()), tiles, rows, columns);
  }
  return check(cudaGetLastError(), "queue the quantiser");
}

Result<Quantized> DeviceQuantizer::result() const {
  CR_CHECK(cuda::synchronize());
  Quantized result;
  DeviceCounts counts{};
  std::vector<unsigned> amax(plan_.groups());
  std::vector<SliceSums> sums(layout_.slices);
  result.codes.resize(layout_.elements);
  CR_CHECK(counts_.download(&counts));
  CR_CHECK(amax_.download(amax.data()));
  CR_CHECK(sums_.download(sums.data()));
  CR_CHECK(codes().download(result.codes.data()));
  for (const unsigned bits : amax) {
    result.amax.push_back(__builtin_bit_cast(float, bits));
    result.scale.push_back(scale_of(result.amax.back(), plan_.code, plan_.margin));
  }
  result.nan_in = counts.nan;
  result.inf_in = counts.infinite;
  result.saturated = counts.saturated;
  result.underflow_to_zero = counts.underflow;
  result.rel_fro = rel_fro_of(layout_, sums, result.scale);
  return result;
}

}  // namespace checkride::kernels::quant
