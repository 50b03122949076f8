// Algorithm-based fault tolerance (Huang and Abraham 1984) for an exact product of whole numbers:
// the sums over each row and column of C follow from A and B alone, in int64. One wrong element
// makes one row and one column wrong, and lies at their crossing; an element that is no whole
// number (NaN, infinity, a flipped low bit) marks its row and column by itself.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "kernels/gemm/data.h"

namespace checkride::kernels::gemm {

struct Sums {
  std::vector<std::int64_t> rows;     // [m]
  std::vector<std::int64_t> columns;  // [n]
};
// As they must be. On the host: O(m k + k n).
Sums expected_sums(const Problem& problem);

// As they are: sums of the whole numbers in C, and the places of what is none.
struct Observed {
  Sums sums;
  std::vector<std::int64_t> broken_rows, broken_columns;  // may repeat
  std::int64_t nan_count = 0;
  std::int64_t inf_count = 0;
};
Observed observed_sums(const Problem& problem, std::span<const float> c);

// Rows and columns that are wrong, in order, each at most once and at most suspects_max kept.
inline constexpr std::size_t suspects_max = 64;
struct Suspects {
  std::vector<std::int64_t> rows, columns;
  std::int64_t row_count = 0;
  std::int64_t column_count = 0;
  bool none() const { return row_count == 0 && column_count == 0; }
};
Suspects suspects_of(const Sums& expected, const Observed& observed);

struct Mismatch {
  std::int64_t count = 0;  // at least so many wrong elements
  std::optional<std::int64_t> row{}, column{};
};
// Looks at every crossing of suspects: `element` gives C there, the exact value comes from A and B.
// Where no crossing is wrong, the sums still were: the first row and column are named.
Result<Mismatch> located(
    const Problem& problem, const Suspects& suspects,
    const std::function<Result<float>(std::int64_t row, std::int64_t col)>& element);

// The exact element of a product of whole numbers.
std::int64_t exact_element(const Problem& problem, std::int64_t row, std::int64_t col);

}  // namespace checkride::kernels::gemm
