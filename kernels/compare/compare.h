// Two tensors compared in one pass, with every statistic tensor.compare reports. The work is laid
// on a fixed grid: chunks of 128 lanes by 64 groups of 16 bytes (of the narrower tensor); lanes add
// up in order, lanes and chunks are joined in a fixed tree, everything else is integers whose order
// does not matter. So the result is the same bit for bit for any number of threads, and on a device
// (device_compare.h). Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/result.h"
#include "kernels/compare/pair.h"
#include "kernels/tensor/tensor.h"

namespace checkride::kernels::compare {

// Elements in memory: the host's, or the device's where a function says so. Aligned to 16 bytes on
// the device.
struct View {
  ElementType type = ElementType::f32;
  const void* data = nullptr;
};

inline constexpr std::size_t worst_count = 16;

struct Worst {
  std::uint64_t key = 0;  // bits of the distance; infinite where NaN or infinity mismatches
  std::uint64_t index = 0;
};
// Larger keys first, lower indices first among equal ones.
CR_HOST_DEVICE bool worse(std::uint64_t key_x, std::uint64_t index_x, std::uint64_t key_y,
                          std::uint64_t index_y) {
  return key_x > key_y || (key_x == key_y && index_x < index_y);
}

struct Comparison {
  std::uint64_t n = 0;
  std::uint64_t mismatch = 0;
  std::uint64_t nan_actual = 0, nan_expected = 0, inf_actual = 0, inf_expected = 0;
  std::uint64_t nan_position_mismatch = 0;
  std::uint64_t unwritten = 0;  // elements of actual that are all ones, which no computation gives
  std::array<std::uint64_t, ulp_bins> ulp_hist{};  // over pairs of finite elements
  std::uint64_t ulp_max = 0;
  std::uint64_t hash_actual = 0, hash_expected = 0;
  double sum_d2 = 0.0, sum_d1 = 0.0, sum_a2 = 0.0, sum_b2 = 0.0;  // over pairs of finite elements
  double ref_max_abs = 0.0;
  double max_rel = 0.0;
  Worst max_abs;             // of finite elements; key 0: no difference
  std::vector<Worst> worst;  // at most 16, of pairs that differ

  double max_abs_value() const { return double_of(max_abs.key); }
  std::uint64_t finite_pairs() const;
  // Upper end of the bin that holds this quantile of the distances, at most ulp_max; none where no
  // pair is finite.
  std::optional<std::uint64_t> ulp_quantile(double fraction) const;
};

Limits limits_of(double rtol, double atol, double rel_floor, bool equal_nan);

// Whether these types can be compared: floating, and expected as wide as actual or wider (the same
// type, or f32 or f64).
Result<void> check_types(ElementType actual, ElementType expected);

// n elements of each. Errors: of check_types.
Result<Comparison> compare_on_host(View actual, View expected, std::uint64_t n,
                                   const Limits& limits, int threads);

// FlashAttention's rule for a result in a low precision: its error against a reference may be twice
// that of another result in the same precision plus twice what rounding does to the reference,
// (r + 0.3) - 0.3 against r in actual's type.
struct Budget {
  double err_max = 0.0;
  double err_budget = 0.0;
};
// `lowprec` has the type of actual. Threads share the elements.
Budget error_budget(const Tensor& actual, const Tensor& expected, const Tensor& lowprec,
                    int threads);

}  // namespace checkride::kernels::compare
