#include "kernels/compare/compare.h"

#include <algorithm>
#include <cmath>

#include "kernels/compare/types.h"

namespace checkride::kernels::compare {

std::uint64_t Comparison::finite_pairs() const {
  std::uint64_t pairs = 0;
  for (const std::uint64_t count : ulp_hist) pairs += count;
  return pairs;
}

std::optional<std::uint64_t> Comparison::ulp_quantile(double fraction) const {
  const std::uint64_t pairs = finite_pairs();
  if (pairs == 0) return std::nullopt;
  const auto rank =
      std::max(std::uint64_t{1},
               static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(pairs))));
  std::uint64_t reached = 0;
  for (std::size_t bin = 0; bin + 1 < ulp_bins; ++bin) {
    reached += ulp_hist[bin];
    if (reached >= rank) return std::min(ulp_max, (std::uint64_t{1} << bin) - 1);
  }
  return ulp_max;
}

Limits limits_of(double rtol, double atol, double rel_floor, bool equal_nan) {
  return {rtol,
          atol,
          std::max(rel_floor, 0x1p-100),
          static_cast<float>(rtol),
          static_cast<float>(atol),
          equal_nan};
}

Result<void> check_types(ElementType actual, ElementType expected) {
  if (with_types(actual, expected, []<class, class>() {})) return {};
  return fail(ErrorCode::invalid_argument,
              "actual of type " + std::string(to_string(actual)) + " cannot be compared with " +
                  std::string(to_string(expected)) +
                  "; give floating types, expected of the same type or a wider one of f32, f64");
}

}  // namespace checkride::kernels::compare
