#include "kernels/quant/quantize.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

namespace checkride::kernels::quant {

namespace {

constexpr std::size_t lanes_of_warp = 32;

float value_of(ElementType type, const std::byte* data, std::uint64_t index) {
  if (type == ElementType::f32) {
    float value = 0.0f;
    std::memcpy(&value, data + index * sizeof value, sizeof value);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, data + index * sizeof bits, sizeof bits);
  return type == ElementType::f16 ? float_from_f16(bits) : float_from_bf16(bits);
}

void for_slices(std::uint64_t slices, int threads, const auto& body) {
  std::atomic<std::uint64_t> next{0};
  const auto work = [&](std::size_t worker) {
    for (std::uint64_t slice = next++; slice < slices; slice = next++) body(slice, worker);
  };
  std::vector<std::thread> pool;
  for (std::size_t worker = 1; worker < static_cast<std::size_t>(threads); ++worker)
    pool.emplace_back(work, worker);
  work(0);
  for (std::thread& thread : pool) thread.join();
}

struct Totals {
  std::uint64_t nan = 0, infinite = 0, saturated = 0, underflow = 0;
};

SliceSums quantize_slice(const Plan& plan, const Slice& slice, ElementType type,
                         const std::byte* data, float scale, std::uint8_t* codes, Totals& totals) {
  std::array<SliceSums, slice_lanes> lanes{};
  const float inverse = inverse_of(scale);
  Counts counts;
  for (std::uint64_t start = 0; start < slice.count; start += 8) {
    const int count = static_cast<int>(std::min<std::uint64_t>(8, slice.count - start));
    float values[8] = {};
    for (int i = 0; i < count; ++i)
      values[i] = value_of(type, data, slice.first + start + static_cast<std::uint64_t>(i));
    const Eight eight = encode_eight(values, count, inverse, plan.code, counts);
    for (int i = 0; i < count; ++i)
      codes[slice.first + start + static_cast<std::uint64_t>(i)] =
          static_cast<std::uint8_t>(eight.codes >> 8 * i & 0xffu);
    SliceSums& lane = lanes[start / 8 % slice_lanes];
    lane.error2 += static_cast<double>(eight.error2);
    lane.value2 += static_cast<double>(eight.value2);
  }
  totals.nan += counts.nan;
  totals.infinite += counts.infinite;
  totals.saturated += counts.saturated;
  totals.underflow += counts.underflow;
  // As the shuffles of a warp join lanes, and then a block its warps.
  SliceSums all;
  for (std::size_t warp = 0; warp < slice_lanes / lanes_of_warp; ++warp) {
    SliceSums* const lane = lanes.data() + warp * lanes_of_warp;
    for (std::size_t half = lanes_of_warp / 2; half > 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i) {
        lane[i].error2 += lane[i + half].error2;
        lane[i].value2 += lane[i + half].value2;
      }
    all.error2 += lane[0].error2;
    all.value2 += lane[0].value2;
  }
  return all;
}

void transpose(const Plan& plan, std::vector<std::uint8_t>& codes) {
  const auto rows = static_cast<std::size_t>(plan.shape[2]);
  const auto columns = static_cast<std::size_t>(plan.shape[3]);
  std::vector<std::uint8_t> moved(codes.size());
  for (std::size_t head = 0; head < codes.size(); head += rows * columns)
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t column = 0; column < columns; ++column)
        moved[head + column * rows + row] = codes[head + row * columns + column];
  codes = std::move(moved);
}

}  // namespace

std::uint64_t Plan::elements() const {
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::uint64_t>(size);
  return count;
}
std::uint64_t Plan::run_elements() const {
  return granularity == Granularity::tensor
             ? elements()
             : static_cast<std::uint64_t>(shape[2]) * static_cast<std::uint64_t>(shape[3]);
}
std::uint64_t Plan::group_elements() const {
  return granularity == Granularity::block
             ? static_cast<std::uint64_t>(std::min(block_rows, shape[2])) *
                   static_cast<std::uint64_t>(shape[3])
             : run_elements();
}
std::uint64_t Plan::groups_of_run() const {
  return (run_elements() + group_elements() - 1) / group_elements();
}
std::uint64_t Plan::groups() const {
  return elements() / run_elements() * groups_of_run();
}

Layout layout_of(const Plan& plan) {
  Layout layout{};
  layout.elements = plan.elements();
  layout.run = plan.run_elements();
  layout.group = plan.group_elements();
  layout.groups_of_run = plan.groups_of_run();
  layout.slices_of_group = (layout.group + slice_elements - 1) / slice_elements;
  layout.slices = plan.groups() * layout.slices_of_group;
  return layout;
}

Result<void> check_plan(const Plan& plan, ElementType type) {
  if (type != ElementType::f32 && type != ElementType::f16 && type != ElementType::bf16)
    return fail(ErrorCode::invalid_argument, "a tensor of type " + std::string(to_string(type)) +
                                                 " is not quantised; give f32, f16 or bf16");
  for (const std::int64_t size : plan.shape)
    if (size < 1)
      return fail(ErrorCode::invalid_argument, "a tensor without elements is not quantised");
  if (plan.groups() > groups_max)
    return fail(ErrorCode::invalid_argument,
                std::to_string(plan.groups()) + " groups are more than the " +
                    std::to_string(groups_max) + " that are reported; give larger blocks");
  return {};
}

std::optional<double> rel_fro_of(const Layout& layout, const std::vector<SliceSums>& sums,
                                 const std::vector<float>& scale) {
  double error2 = 0.0, value2 = 0.0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto s = static_cast<double>(scale[i / layout.slices_of_group]);
    error2 += sums[i].error2 * s * s;
    value2 += sums[i].value2 * s * s;
  }
  const double ratio = std::sqrt(error2) / std::sqrt(value2);
  if (!std::isfinite(value2) || !std::isfinite(ratio)) return std::nullopt;
  return ratio;
}

Result<Quantized> quantize_on_host(const Plan& plan, const Tensor& input, int threads) {
  CR_CHECK(check_plan(plan, input.type));
  const Layout layout = layout_of(plan);
  const int workers = static_cast<int>(std::clamp<std::uint64_t>(
      layout.slices, 1, static_cast<std::uint64_t>(std::clamp(threads, 1, 256))));
  Quantized result;
  result.codes.resize(layout.elements);
  std::vector<std::atomic<std::uint32_t>> amax(plan.groups());
  for_slices(layout.slices, workers, [&](std::uint64_t index, std::size_t) {
    const Slice slice = slice_of(layout, index);
    std::uint32_t most = 0;  // bits of magnitudes order as they do
    for (std::uint64_t i = slice.first; i < slice.first + slice.count; ++i) {
      const std::uint32_t size =
          __builtin_bit_cast(std::uint32_t, value_of(input.type, input.data.data(), i)) &
          0x7fffffffu;
      if (size <= 0x7f800000u) most = std::max(most, size);
    }
    std::uint32_t seen = amax[slice.group].load();
    while (most > seen && !amax[slice.group].compare_exchange_weak(seen, most)) {
    }
  });
  for (const auto& bits : amax) {
    result.amax.push_back(__builtin_bit_cast(float, bits.load()));
    result.scale.push_back(scale_of(result.amax.back(), plan.code, plan.margin));
  }
  std::vector<SliceSums> sums(layout.slices);
  std::vector<Totals> totals(static_cast<std::size_t>(workers));
  for_slices(layout.slices, workers, [&](std::uint64_t index, std::size_t worker) {
    const Slice slice = slice_of(layout, index);
    sums[index] = quantize_slice(plan, slice, input.type, input.data.data(),
                                 result.scale[slice.group], result.codes.data(), totals[worker]);
  });
  for (const Totals& mine : totals) {
    result.nan_in += mine.nan;
    result.inf_in += mine.infinite;
    result.saturated += mine.saturated;
    result.underflow_to_zero += mine.underflow;
  }
  result.rel_fro = rel_fro_of(layout, sums, result.scale);
  if (plan.transpose) transpose(plan, result.codes);
  return result;
}

std::uint64_t wrong_scales(const Plan& plan, const std::vector<float>& amax,
                           const std::vector<double>& scale) {
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < amax.size(); ++i) {
    const auto right = static_cast<double>(scale_of(amax[i], plan.code, plan.margin));
    const double given = i < scale.size() ? scale[i] : 0.0;
    const bool zero = amax[i] == 0.0f;
    if (zero ? given != 1.0 : !(std::fabs(given - right) <= 1e-6 * right)) ++wrong;
  }
  return wrong;
}

}  // namespace checkride::kernels::quant
