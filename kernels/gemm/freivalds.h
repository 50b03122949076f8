// Freivalds' check (1977) of a product of real numbers: for a vector x of random signs, C x must be
// A (B x), in fp64. One pass over C instead of a second product. An error of one element by d in
// row i shows as |d| / |C_i|, with |C_i| the row's Euclidean norm: what a correct product leaves is
// its rounding, far below.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/gemm/problem.h"

namespace checkride::kernels::gemm {

struct RowProducts {
  std::vector<double> from_c;  // (C x)_i for each row looked at
  std::vector<double> norms;   // sum of squares of the row
  std::int64_t nan_count = 0;
  std::int64_t inf_count = 0;
};

// On the host, for the given rows; `c` holds those rows only.
RowProducts products_of(const Problem& problem, std::span<const std::int64_t> rows,
                        std::span<const float> c);
// (A (B x))_i for the given rows, from A and B as generated. O(k n) on the host.
std::vector<double> products_expected(const Problem& problem, std::span<const std::int64_t> rows);

// The largest |from_c - expected| / |C_i|; infinity where a row holds no finite product, or is all
// zeros and should not be.
double largest_relative(const RowProducts& products, std::span<const double> expected);

}  // namespace checkride::kernels::gemm
