// The product on the host, in fp32 by several threads, for all rows or some: the CPU's path of the
// job, and what tests hold the device against.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/gemm/problem.h"

namespace checkride::kernels::gemm {

// Splits 0..count over the machine's threads and waits.
void in_parallel(std::int64_t count,
                 const std::function<void(std::int64_t begin, std::int64_t end)>& work);

class HostProduct {
 public:
  // Makes the inputs of these rows of C. Memory: 4 bytes for each element of B and of those rows.
  HostProduct(const Problem& problem, std::vector<std::int64_t> rows);
  // Each element of C in the same order every time: the same bits.
  void compute(std::span<float> c) const;  // [rows, n]
  const std::vector<std::int64_t>& rows() const { return rows_; }
  std::size_t elements() const { return rows_.size() * static_cast<std::size_t>(problem_.n); }

 private:
  Problem problem_;
  std::vector<std::int64_t> rows_;
  std::vector<float> a_, b_;
};

// All rows of a product of at most 512 in each direction, else 64 spread by the seed, in order.
std::vector<std::int64_t> rows_checked_on_host(const Problem& problem);

}  // namespace checkride::kernels::gemm
