// Quantising a tensor [batch, heads, seq, dim] to 8-bit codes with one scale for each group: the
// whole tensor, each head, or each block of rows of a head. A group is a run of elements in memory.
// Two passes, the largest magnitude of each group, then its codes. The result is the same bit for
// bit on the host, for any number of threads, and on a device (device_quantize.h): sums are taken
// over slices of fixed length, by 256 lanes of eight values at a time, and joined in a fixed tree.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/result.h"
#include "kernels/quant/code.h"
#include "kernels/tensor/tensor.h"

namespace checkride::kernels::quant {

enum class Granularity : std::uint8_t { tensor, head, block };

struct Plan {
  Code code = Code::e4m3;
  int margin = 0;
  std::array<std::int64_t, 4> shape{1, 1, 1, 1};  // batch, heads, seq, dim
  Granularity granularity = Granularity::tensor;
  std::int64_t block_rows = 64;  // rows of a head in one group of Granularity::block
  bool transpose = false;        // codes as [batch, heads, dim, seq]

  std::uint64_t elements() const;
  std::uint64_t run_elements() const;    // after which groups start anew: all, or a head
  std::uint64_t group_elements() const;  // of a group; the last of a run may have fewer
  std::uint64_t groups_of_run() const;
  std::uint64_t groups() const;
};

// A slice is what one block of lanes works on: at most slice_elements of one group.
inline constexpr int slice_lanes = 256;
inline constexpr int lane_eights = 8;
inline constexpr std::uint64_t slice_elements = std::uint64_t{slice_lanes} * lane_eights * 8;

struct Slice {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  std::uint64_t group = 0;
};
// Geometry as plain numbers, for host and device.
struct Layout {
  std::uint64_t elements, run, group, groups_of_run, slices_of_group, slices;
};
Layout layout_of(const Plan& plan);
// Slice `index` of layout.slices; count is 0 where a shorter group has no such slice.
CR_HOST_DEVICE Slice slice_of(const Layout& layout, std::uint64_t index) {
  Slice slice;
  slice.group = index / layout.slices_of_group;
  const std::uint64_t run = slice.group / layout.groups_of_run;
  const std::uint64_t group_start = slice.group % layout.groups_of_run * layout.group;
  const std::uint64_t group_end =
      group_start + layout.group < layout.run ? group_start + layout.group : layout.run;
  const std::uint64_t start = group_start + index % layout.slices_of_group * slice_elements;
  slice.first = run * layout.run + start;
  if (start < group_end)
    slice.count = group_end - start < slice_elements ? group_end - start : slice_elements;
  return slice;
}

// What a slice adds up, in units of its group's scale.
struct SliceSums {
  double error2 = 0.0;
  double value2 = 0.0;
};

struct Quantized {
  std::vector<float> amax;   // of each group
  std::vector<float> scale;  // of each group
  std::vector<std::uint8_t> codes;
  std::uint64_t nan_in = 0, inf_in = 0, saturated = 0, underflow_to_zero = 0;
  // |x - decoded| / |x| over finite elements; none where all of them are zero or a sum overflowed.
  std::optional<double> rel_fro;
};

// Errors: invalid_argument (types other than f32, f16, bf16; more than groups_max groups).
inline constexpr std::uint64_t groups_max = 65536;
Result<void> check_plan(const Plan& plan, ElementType type);

Result<Quantized> quantize_on_host(const Plan& plan, const Tensor& input, int threads);

// From the slices' sums, in their order, and the scales.
std::optional<double> rel_fro_of(const Layout& layout, const std::vector<SliceSums>& sums,
                                 const std::vector<float>& scale);

// Groups whose scale breaks the rule of scale_of: of a group of zeros it must be 1, of others it
// must be right to one part in 10^6.
std::uint64_t wrong_scales(const Plan& plan, const std::vector<float>& amax,
                           const std::vector<double>& scale);

}  // namespace checkride::kernels::quant
