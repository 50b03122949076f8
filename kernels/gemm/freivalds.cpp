#include "kernels/gemm/freivalds.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/gemm/data.h"
#include "kernels/gemm/host_product.h"

namespace checkride::kernels::gemm {

RowProducts products_of(const Problem& problem, std::span<const std::int64_t> rows,
                        std::span<const float> c) {
  RowProducts products;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double sum = 0.0, norm = 0.0;
    for (std::int64_t col = 0; col < problem.n; ++col) {
      const float value =
          c[i * static_cast<std::size_t>(problem.n) + static_cast<std::size_t>(col)];
      products.nan_count += std::isnan(value) ? 1 : 0;
      products.inf_count += std::isinf(value) ? 1 : 0;
      sum += static_cast<double>(value) * sign_at(problem.seed, col);
      norm += static_cast<double>(value) * static_cast<double>(value);
    }
    products.from_c.push_back(sum);
    products.norms.push_back(norm);
  }
  return products;
}

std::vector<double> products_expected(const Problem& problem, std::span<const std::int64_t> rows) {
  const Generator g = generator_of(problem);
  std::vector<double> bx(static_cast<std::size_t>(problem.k));
  in_parallel(problem.k, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at)
      for (std::int64_t col = 0; col < problem.n; ++col)
        bx[static_cast<std::size_t>(at)] +=
            static_cast<double>(value_at(g, Matrix::b, col, at)) * sign_at(problem.seed, col);
  });
  std::vector<double> expected;
  for (const std::int64_t row : rows) {
    double sum = 0.0;
    for (std::int64_t at = 0; at < problem.k; ++at)
      sum +=
          static_cast<double>(value_at(g, Matrix::a, row, at)) * bx[static_cast<std::size_t>(at)];
    expected.push_back(sum);
  }
  return expected;
}

double largest_relative(const RowProducts& products, std::span<const double> expected) {
  double largest = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double off = std::fabs(products.from_c[i] - expected[i]);
    if (off == 0.0) continue;
    const double relative = off / std::sqrt(products.norms[i]);
    largest = std::isfinite(relative) ? std::max(largest, relative)
                                      : std::numeric_limits<double>::infinity();
  }
  return largest;
}

}  // namespace checkride::kernels::gemm
