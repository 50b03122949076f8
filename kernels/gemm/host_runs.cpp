#include <chrono>
#include <cmath>

#include "kernels/gemm/freivalds.h"
#include "kernels/gemm/host_product.h"
#include "kernels/gemm/runs.h"
#include "kernels/hash/position_hash.h"

namespace checkride::kernels::gemm {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::uint64_t hash_of(const std::vector<float>& c) {
  return position_hash(std::as_bytes(std::span(c)));
}

void count_hash(const std::vector<float>& c, Outcome& outcome) {
  const std::uint64_t hash = hash_of(c);
  if (outcome.iterations == 0) outcome.hash_first = hash;
  if (hash != outcome.hash_first) ++outcome.hash_changes;
  ++outcome.iterations;
}

// Element by element against the int64 product of the rows.
std::vector<std::int64_t> exact_rows(const Problem& problem,
                                     const std::vector<std::int64_t>& rows) {
  const auto n = static_cast<std::size_t>(problem.n), k = static_cast<std::size_t>(problem.k);
  const Generator g = generator_of(problem);
  std::vector<std::int8_t> a(rows.size() * k);
  std::vector<std::int64_t> exact(rows.size() * n);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t at = 0; at < k; ++at)
      a[i * k + at] = static_cast<std::int8_t>(
          integer_value(g, Matrix::a, rows[i], static_cast<std::int64_t>(at)));
  in_parallel(problem.n, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int8_t> b(k);
    for (std::int64_t col = begin; col < end; ++col) {
      for (std::size_t at = 0; at < k; ++at)
        b[at] = static_cast<std::int8_t>(
            integer_value(g, Matrix::b, col, static_cast<std::int64_t>(at)));
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::int64_t sum = 0;
        for (std::size_t at = 0; at < k; ++at) sum += a[i * k + at] * b[at];
        exact[i * n + static_cast<std::size_t>(col)] = sum;
      }
    }
  });
  return exact;
}

void count_mismatches(const Problem& problem, const std::vector<std::int64_t>& rows,
                      const std::vector<std::int64_t>& exact, const std::vector<float>& c,
                      Outcome& outcome) {
  for (std::size_t i = 0; i < c.size(); ++i) {
    outcome.nan_count += std::isnan(c[i]) ? 1 : 0;
    outcome.inf_count += std::isinf(c[i]) ? 1 : 0;
    std::int64_t whole = 0;
    if (whole_number(c[i], whole) && whole == exact[i]) continue;
    const auto n = static_cast<std::size_t>(problem.n);
    if (outcome.mismatch.count++ > 0) continue;
    outcome.mismatch.row = rows[i / n];
    outcome.mismatch.column = static_cast<std::int64_t>(i % n);
    outcome.mismatch_iteration = outcome.iterations - 1;
  }
}

}  // namespace

Result<Outcome> time_on_host(const Problem& problem, double seconds) {
  const HostProduct product(problem, rows_checked_on_host(problem));
  std::vector<float> c(product.elements());
  const double operations = 2.0 * static_cast<double>(c.size()) * static_cast<double>(problem.k);
  Outcome outcome;
  const auto begin = Clock::now();
  while (outcome.iterations < 3 ||
         (seconds_since(begin) < seconds && outcome.iterations < iterations_max)) {
    const auto start = Clock::now();
    product.compute(c);
    outcome.tflops.push_back(operations / seconds_since(start) * 1e-12);
    count_hash(c, outcome);
  }
  for (const float value : c) {
    outcome.nan_count += std::isnan(value) ? 1 : 0;
    outcome.inf_count += std::isinf(value) ? 1 : 0;
  }
  outcome.rows_checked = static_cast<std::int64_t>(product.rows().size());
  return outcome;
}

Result<Outcome> judge_on_host(const Problem& problem, double seconds, const Fault& fault) {
  Problem judged = problem;
  judged.wide_output = true;
  judged.integers = true;
  const std::vector<std::int64_t> rows = rows_checked_on_host(judged);
  Outcome outcome;
  outcome.rows_checked = static_cast<std::int64_t>(rows.size());
  {
    const HostProduct product(judged, rows);
    const std::vector<std::int64_t> exact = exact_rows(judged, rows);
    std::vector<float> c(product.elements());
    const auto begin = Clock::now();
    int wrong = 0;
    for (std::int64_t i = 0; i < 2 || (seconds_since(begin) < seconds && i < iterations_max); ++i) {
      std::fill(c.begin(), c.end(), std::nanf(""));
      product.compute(c);
      if (fault) CR_CHECK(fault(c.data(), i));
      count_hash(c, outcome);
      const std::int64_t before = outcome.mismatch.count;
      count_mismatches(judged, rows, exact, c, outcome);
      if (outcome.mismatch.count > before && ++wrong >= wrong_products_max) break;
    }
  }
  judged.integers = false;
  const HostProduct product(judged, rows);
  std::vector<float> c(product.elements(), std::nanf(""));
  product.compute(c);
  if (fault) CR_CHECK(fault(c.data(), outcome.iterations));
  const RowProducts products = products_of(judged, rows, c);
  outcome.freivalds = largest_relative(products, products_expected(judged, rows));
  outcome.nan_count += products.nan_count;
  outcome.inf_count += products.inf_count;
  return outcome;
}

}  // namespace checkride::kernels::gemm
