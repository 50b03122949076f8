#include "kernels/gemm/host_product.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <thread>

#include "kernels/gemm/data.h"

namespace checkride::kernels::gemm {

namespace {

constexpr std::int64_t whole_max = 512;
constexpr std::size_t rows_sampled = 64;

// Sixteen sums at a time; their order is fixed.
float dot(const float* a, const float* b, std::int64_t k) {
  float sums[16] = {};
  std::int64_t at = 0;
  for (; at + 16 <= k; at += 16)
    for (int lane = 0; lane < 16; ++lane) sums[lane] += a[at + lane] * b[at + lane];
  float sum = 0.0f;
  for (; at < k; ++at) sum += a[at] * b[at];
  for (const float each : sums) sum += each;
  return sum;
}

}  // namespace

void in_parallel(std::int64_t count,
                 const std::function<void(std::int64_t begin, std::int64_t end)>& work) {
  const auto threads = static_cast<std::int64_t>(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::jthread> others;
  for (std::int64_t i = 1; i < threads; ++i)
    others.emplace_back([&, i] { work(count * i / threads, count * (i + 1) / threads); });
  work(0, count / threads);
}

HostProduct::HostProduct(const Problem& problem, std::vector<std::int64_t> rows)
    : problem_(problem), rows_(std::move(rows)) {
  const Generator g = generator_of(problem_);
  const auto k = static_cast<std::size_t>(problem_.k);
  a_.resize(rows_.size() * k);
  b_.resize(static_cast<std::size_t>(problem_.n) * k);
  const auto fill = [&](Matrix matrix, float* to, std::int64_t row) {
    for (std::int64_t at = 0; at < problem_.k; ++at) to[at] = value_at(g, matrix, row, at);
  };
  for (std::size_t i = 0; i < rows_.size(); ++i) fill(Matrix::a, a_.data() + i * k, rows_[i]);
  in_parallel(problem_.n, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t col = begin; col < end; ++col)
      fill(Matrix::b, b_.data() + static_cast<std::size_t>(col) * k, col);
  });
}

void HostProduct::compute(std::span<float> c) const {
  const auto k = static_cast<std::size_t>(problem_.k);
  const auto n = static_cast<std::size_t>(problem_.n);
  in_parallel(problem_.n, [&](std::int64_t begin, std::int64_t end) {
    for (std::size_t i = 0; i < rows_.size(); ++i)
      for (auto col = static_cast<std::size_t>(begin); col < static_cast<std::size_t>(end); ++col)
        c[i * n + col] = dot(a_.data() + i * k, b_.data() + col * k, problem_.k);
  });
}

std::vector<std::int64_t> rows_checked_on_host(const Problem& problem) {
  if (problem.m <= whole_max && problem.n <= whole_max && problem.k <= whole_max) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(problem.m));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  std::set<std::int64_t> rows;
  const std::size_t wanted = std::min(rows_sampled, static_cast<std::size_t>(problem.m));
  for (std::uint64_t i = 0; rows.size() < wanted; ++i)
    rows.insert(static_cast<std::int64_t>(mixed_word(problem.seed, i) %
                                          static_cast<std::uint64_t>(problem.m)));
  return {rows.begin(), rows.end()};
}

}  // namespace checkride::kernels::gemm
