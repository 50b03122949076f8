#include "kernels/gemm/abft.h"

#include <algorithm>
#include <cmath>

namespace checkride::kernels::gemm {

namespace {

void keep_suspects(const std::vector<std::int64_t>& expected,
                   const std::vector<std::int64_t>& observed,
                   const std::vector<std::int64_t>& broken, std::vector<std::int64_t>& kept,
                   std::int64_t& count) {
  std::vector<bool> wrong(expected.size());
  for (const std::int64_t at : broken) wrong[static_cast<std::size_t>(at)] = true;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!wrong[i] && expected[i] == observed[i]) continue;
    ++count;
    if (kept.size() < suspects_max) kept.push_back(static_cast<std::int64_t>(i));
  }
}

}  // namespace

Sums expected_sums(const Problem& problem) {
  const Generator g = generator_of(problem);
  const auto k = static_cast<std::size_t>(problem.k);
  std::vector<std::int64_t> a_sum(k), b_sum(k);  // over the rows of A, the columns of B
  const auto a = [&](std::int64_t row, std::int64_t at) {
    return integer_value(g, Matrix::a, row, at);
  };
  const auto b = [&](std::int64_t col, std::int64_t at) {
    return integer_value(g, Matrix::b, col, at);
  };
  for (std::int64_t row = 0; row < problem.m; ++row)
    for (std::int64_t at = 0; at < problem.k; ++at)
      a_sum[static_cast<std::size_t>(at)] += a(row, at);
  Sums sums{std::vector<std::int64_t>(static_cast<std::size_t>(problem.m)),
            std::vector<std::int64_t>(static_cast<std::size_t>(problem.n))};
  for (std::int64_t col = 0; col < problem.n; ++col) {
    std::int64_t sum = 0;
    for (std::int64_t at = 0; at < problem.k; ++at) {
      b_sum[static_cast<std::size_t>(at)] += b(col, at);
      sum += a_sum[static_cast<std::size_t>(at)] * b(col, at);
    }
    sums.columns[static_cast<std::size_t>(col)] = sum;
  }
  for (std::int64_t row = 0; row < problem.m; ++row) {
    std::int64_t sum = 0;
    for (std::int64_t at = 0; at < problem.k; ++at)
      sum += b_sum[static_cast<std::size_t>(at)] * a(row, at);
    sums.rows[static_cast<std::size_t>(row)] = sum;
  }
  return sums;
}

Observed observed_sums(const Problem& problem, std::span<const float> c) {
  Observed observed;
  observed.sums.rows.resize(static_cast<std::size_t>(problem.m));
  observed.sums.columns.resize(static_cast<std::size_t>(problem.n));
  for (std::int64_t row = 0; row < problem.m; ++row) {
    for (std::int64_t col = 0; col < problem.n; ++col) {
      const float value = c[static_cast<std::size_t>(row * problem.n + col)];
      std::int64_t whole = 0;
      if (whole_number(value, whole)) {
        observed.sums.rows[static_cast<std::size_t>(row)] += whole;
        observed.sums.columns[static_cast<std::size_t>(col)] += whole;
        continue;
      }
      observed.broken_rows.push_back(row);
      observed.broken_columns.push_back(col);
      observed.nan_count += std::isnan(value) ? 1 : 0;
      observed.inf_count += std::isinf(value) ? 1 : 0;
    }
  }
  return observed;
}

Suspects suspects_of(const Sums& expected, const Observed& observed) {
  Suspects suspects;
  keep_suspects(expected.rows, observed.sums.rows, observed.broken_rows, suspects.rows,
                suspects.row_count);
  keep_suspects(expected.columns, observed.sums.columns, observed.broken_columns, suspects.columns,
                suspects.column_count);
  return suspects;
}

std::int64_t exact_element(const Problem& problem, std::int64_t row, std::int64_t col) {
  const Generator g = generator_of(problem);
  std::int64_t sum = 0;
  for (std::int64_t at = 0; at < problem.k; ++at)
    sum += integer_value(g, Matrix::a, row, at) * integer_value(g, Matrix::b, col, at);
  return sum;
}

Result<Mismatch> located(
    const Problem& problem, const Suspects& suspects,
    const std::function<Result<float>(std::int64_t row, std::int64_t col)>& element) {
  Mismatch mismatch;
  if (suspects.none()) return mismatch;
  for (const std::int64_t row : suspects.rows) {
    for (const std::int64_t col : suspects.columns) {
      CR_TRY(const float value, element(row, col));
      std::int64_t whole = 0;
      if (whole_number(value, whole) && whole == exact_element(problem, row, col)) continue;
      if (mismatch.count++ == 0) {
        mismatch.row = row;
        mismatch.column = col;
      }
    }
  }
  // Sums were wrong in so many rows and columns: no fewer elements are.
  mismatch.count = std::max({mismatch.count, suspects.row_count, suspects.column_count});
  if (!mismatch.row && !suspects.rows.empty()) mismatch.row = suspects.rows.front();
  if (!mismatch.column && !suspects.columns.empty()) mismatch.column = suspects.columns.front();
  return mismatch;
}

}  // namespace checkride::kernels::gemm
