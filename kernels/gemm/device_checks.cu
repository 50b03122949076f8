#include "kernels/gemm/device_checks.h"

#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/gemm/data.h"

namespace checkride::kernels::gemm {
namespace {

using cuda::check;
using cuda::DeviceBuffer;

constexpr int threads = 256;
constexpr int warps = threads / 32;

struct Counts {
  unsigned long long nan, inf, rows, columns;  // rows and columns that are wrong
  long long row_list[suspects_max];
  long long column_list[suspects_max];
};

__global__ void __launch_bounds__(threads)
    gemm_fill_kernel(Generator g, Matrix matrix, std::int64_t count, void* to) {
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count; i += stride) {
    const std::int64_t row = i / g.k, col = i - row * g.k;
    const float value = g.integers ? static_cast<float>(integer_value(g, matrix, row, col))
                                   : normal_value(g, matrix, row, col);
    const std::uint32_t bits = bits_in(g.element, value);
    if (g.element == Element::e4m3) {
      static_cast<std::uint8_t*>(to)[i] = static_cast<std::uint8_t>(bits);
    } else if (g.element == Element::tf32) {
      static_cast<std::uint32_t*>(to)[i] = bits;
    } else {
      static_cast<std::uint16_t*>(to)[i] = static_cast<std::uint16_t>(bits);
    }
  }
}

template <class Number>
__device__ Number over_warp(Number value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_down_sync(0xffffffffu, value, lanes);
  return value;
}

__device__ void generated(const Generator& g, Matrix matrix, std::int64_t row, std::int64_t col,
                          long long& value) {
  value = integer_value(g, matrix, row, col);
}
__device__ void generated(const Generator& g, Matrix matrix, std::int64_t row, std::int64_t col,
                          double& value) {
  value = static_cast<double>(value_at(g, matrix, row, col));
}

// out[x] = sum over y of element(x, y) * weight(y); x goes along k where `along_k`. A warp for each
// x, its sum in a fixed order. Weights: an array, else random signs, else 1.
template <class Number>
__global__ void __launch_bounds__(threads)
    gemm_weighted_sums_kernel(Generator g, Matrix matrix, bool along_k, std::int64_t xs,
                              std::int64_t ys, const Number* weights, bool signs, Number* out) {
  const std::int64_t x = std::int64_t{blockIdx.x} * warps + threadIdx.x / 32;
  if (x >= xs) return;
  Number sum = 0;
  for (std::int64_t y = threadIdx.x % 32; y < ys; y += 32) {
    Number value;
    generated(g, matrix, along_k ? y : x, along_k ? x : y, value);
    if (weights != nullptr) {
      value *= weights[y];
    } else if (signs) {
      value *= static_cast<Number>(sign_at(g.seed, y));
    }
    sum += value;
  }
  sum = over_warp(sum);
  if (threadIdx.x % 32 == 0) out[x] = sum;
}

// Sums of the whole numbers in C over rows and columns, and marks for what is none. A block takes
// 1024 columns and `tile_rows` rows; a thread four columns.
constexpr int tile_rows = 64;
__global__ void __launch_bounds__(threads)
    gemm_sums_kernel(const float* c, std::int64_t m, std::int64_t n, unsigned long long* sums,
                     int* marks, Counts* counts) {
  const std::int64_t column = (std::int64_t{blockIdx.x} * threads + threadIdx.x) * 4;
  const std::int64_t first = std::int64_t{blockIdx.y} * tile_rows;
  const std::int64_t last = first + tile_rows < m ? first + tile_rows : m;
  long long column_sums[4] = {};
  for (std::int64_t row = first; row < last; ++row) {
    long long row_sum = 0;
    if (column < n) {
      const float4 four = __ldcs(reinterpret_cast<const float4*>(c + row * n + column));
      const float values[4] = {four.x, four.y, four.z, four.w};
      CR_UNROLL
      for (int i = 0; i < 4; ++i) {
        std::int64_t whole = 0;
        if (whole_number(values[i], whole)) {
          row_sum += whole;
          column_sums[i] += whole;
        } else {
          marks[row] = 1;
          marks[m + column + i] = 1;
          if (isnan(values[i])) atomicAdd(&counts->nan, 1ull);
          if (isinf(values[i])) atomicAdd(&counts->inf, 1ull);
        }
      }
    }
    row_sum = over_warp(row_sum);
    if (threadIdx.x % 32 == 0) atomicAdd(sums + row, static_cast<unsigned long long>(row_sum));
  }
  if (column < n) {
    CR_UNROLL
    for (int i = 0; i < 4; ++i)
      atomicAdd(sums + m + column + i, static_cast<unsigned long long>(column_sums[i]));
  }
}

__global__ void gemm_suspects_kernel(const long long* expected, const long long* observed,
                                     const int* marks, std::int64_t m, std::int64_t n,
                                     Counts* counts) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= m + n || (expected[i] == observed[i] && marks[i] == 0)) return;
  const bool is_row = i < m;
  const unsigned long long at = atomicAdd(is_row ? &counts->rows : &counts->columns, 1ull);
  if (at < suspects_max) (is_row ? counts->row_list : counts->column_list)[at] = is_row ? i : i - m;
}

__global__ void __launch_bounds__(threads)
    gemm_products_kernel(const float* c, std::int64_t m, std::int64_t n, std::uint64_t seed,
                         double* from_c, double* norms, Counts* counts) {
  const std::int64_t row = std::int64_t{blockIdx.x} * warps + threadIdx.x / 32;
  if (row >= m) return;
  double sum = 0.0, norm = 0.0;
  for (std::int64_t col = threadIdx.x % 32; col < n; col += 32) {
    const float value = c[row * n + col];
    if (isnan(value)) atomicAdd(&counts->nan, 1ull);
    if (isinf(value)) atomicAdd(&counts->inf, 1ull);
    sum += static_cast<double>(value) * sign_at(seed, col);
    norm += static_cast<double>(value) * static_cast<double>(value);
  }
  sum = over_warp(sum);
  norm = over_warp(norm);
  if (threadIdx.x % 32 == 0) {
    from_c[row] = sum;
    norms[row] = norm;
  }
}

// `exponent`: the bits that are all set in an infinity or a NaN.
template <class Word>
__global__ void __launch_bounds__(threads)
    gemm_not_finite_kernel(const Word* c, std::int64_t count, std::uint32_t exponent,
                           std::uint32_t mantissa, Counts* counts) {
  const std::int64_t stride = std::int64_t{gridDim.x} * threads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x; i < count; i += stride) {
    const std::uint32_t bits = c[i];
    if ((bits & exponent) != exponent) continue;
    atomicAdd((bits & mantissa) != 0 ? &counts->nan : &counts->inf, 1ull);
  }
}

unsigned blocks_for(std::int64_t items, int each) {
  return static_cast<unsigned>((items + each - 1) / each);
}

Result<void> queued(const char* what) {
  return check(cudaGetLastError(), what);
}

// out[x] for all x.
template <class Number>
Result<DeviceBuffer> weighted_sums(const Generator& g, Matrix matrix, bool along_k, std::int64_t xs,
                                   std::int64_t ys, const DeviceBuffer* weights, bool signs) {
  CR_TRY(DeviceBuffer out, DeviceBuffer::allocate(static_cast<std::size_t>(xs) * sizeof(Number)));
  gemm_weighted_sums_kernel<Number><<<blocks_for(xs, warps), threads>>>(
      g, matrix, along_k, xs, ys,
      weights == nullptr ? nullptr : static_cast<const Number*>(weights->data()), signs,
      static_cast<Number*>(out.data()));
  CR_CHECK(queued("queue sums over a matrix"));
  return out;
}

template <class Number>
Result<std::vector<Number>> downloaded(const DeviceBuffer& buffer) {
  CR_CHECK(cuda::synchronize());
  std::vector<Number> values(buffer.bytes() / sizeof(Number));
  CR_CHECK(buffer.download(values.data()));
  return values;
}

Result<DeviceBuffer> zeroed(std::size_t bytes) {
  CR_TRY(DeviceBuffer buffer, DeviceBuffer::allocate(bytes));
  CR_CHECK(buffer.fill(0));
  return buffer;
}

Result<Counts> counts_in(const DeviceBuffer& buffer) {
  CR_CHECK(cuda::synchronize());
  Counts counts;
  CR_CHECK(buffer.download(&counts));
  return counts;
}

}  // namespace

Result<void> fill_matrix(const Problem& problem, Matrix matrix, void* to) {
  const std::int64_t count = (matrix == Matrix::a ? problem.m : problem.n) * problem.k;
  gemm_fill_kernel<<<1056, threads>>>(generator_of(problem), matrix, count, to);
  return queued("fill a matrix");
}

Result<Sums> expected_sums_on_device(const Problem& p) {
  const Generator g = generator_of(p);
  using Whole = long long;
  CR_TRY(const DeviceBuffer a_sum,
         weighted_sums<Whole>(g, Matrix::a, true, p.k, p.m, nullptr, false));
  CR_TRY(const DeviceBuffer b_sum,
         weighted_sums<Whole>(g, Matrix::b, true, p.k, p.n, nullptr, false));
  CR_TRY(const DeviceBuffer rows,
         weighted_sums<Whole>(g, Matrix::a, false, p.m, p.k, &b_sum, false));
  CR_TRY(const DeviceBuffer columns,
         weighted_sums<Whole>(g, Matrix::b, false, p.n, p.k, &a_sum, false));
  Sums sums;
  CR_TRY(sums.rows, downloaded<std::int64_t>(rows));
  CR_TRY(sums.columns, downloaded<std::int64_t>(columns));
  return sums;
}

Result<DeviceAbft> DeviceAbft::prepare(const Problem& problem) {
  DeviceAbft abft;
  abft.problem_ = problem;
  CR_TRY(Sums sums, expected_sums_on_device(problem));
  sums.rows.insert(sums.rows.end(), sums.columns.begin(), sums.columns.end());
  CR_TRY(abft.expected_, DeviceBuffer::allocate(sums.rows.size() * sizeof(std::int64_t)));
  CR_CHECK(abft.expected_.upload(sums.rows.data()));
  CR_TRY(abft.observed_,
         DeviceBuffer::allocate(sums.rows.size() * (sizeof(std::int64_t) + 4) + sizeof(Counts)));
  return abft;
}

Result<DeviceAbft::Found> DeviceAbft::check(const float* c) {
  const std::int64_t m = problem_.m, n = problem_.n;
  const auto lines = static_cast<std::size_t>(m + n);
  CR_CHECK(cuda::check(cudaMemsetAsync(observed_.data(), 0, observed_.bytes()), "clear sums"));
  auto* sums = static_cast<unsigned long long*>(observed_.data());
  auto* counts = reinterpret_cast<Counts*>(sums + lines);
  auto* marks = reinterpret_cast<int*>(counts + 1);
  gemm_sums_kernel<<<dim3(blocks_for(n, threads * 4), blocks_for(m, tile_rows)), threads>>>(
      c, m, n, sums, marks, counts);
  CR_CHECK(queued("queue sums over C"));
  gemm_suspects_kernel<<<blocks_for(m + n, threads), threads>>>(
      static_cast<const long long*>(expected_.data()), reinterpret_cast<const long long*>(sums),
      marks, m, n, counts);
  CR_CHECK(queued("compare sums over C"));
  Counts read;
  CR_CHECK(cuda::check(cudaMemcpy(&read, counts, sizeof read, cudaMemcpyDeviceToHost),
                       "read the sums over C"));
  Found found;
  found.nan_count = static_cast<std::int64_t>(read.nan);
  found.inf_count = static_cast<std::int64_t>(read.inf);
  found.suspects.row_count = static_cast<std::int64_t>(read.rows);
  found.suspects.column_count = static_cast<std::int64_t>(read.columns);
  for (std::size_t i = 0; i < suspects_max; ++i) {
    if (i < read.rows) found.suspects.rows.push_back(read.row_list[i]);
    if (i < read.columns) found.suspects.columns.push_back(read.column_list[i]);
  }
  std::sort(found.suspects.rows.begin(), found.suspects.rows.end());
  std::sort(found.suspects.columns.begin(), found.suspects.columns.end());
  return found;
}

Result<RowProducts> products_on_device(const Problem& problem, const float* c) {
  const auto bytes = static_cast<std::size_t>(problem.m) * sizeof(double);
  CR_TRY(const DeviceBuffer from_c, DeviceBuffer::allocate(bytes));
  CR_TRY(const DeviceBuffer norms, DeviceBuffer::allocate(bytes));
  CR_TRY(const DeviceBuffer counts, zeroed(sizeof(Counts)));
  gemm_products_kernel<<<blocks_for(problem.m, warps), threads>>>(
      c, problem.m, problem.n, problem.seed, static_cast<double*>(from_c.data()),
      static_cast<double*>(norms.data()), static_cast<Counts*>(counts.data()));
  CR_CHECK(queued("queue products of C"));
  RowProducts products;
  CR_TRY(const Counts read, counts_in(counts));
  products.nan_count = static_cast<std::int64_t>(read.nan);
  products.inf_count = static_cast<std::int64_t>(read.inf);
  CR_TRY(products.from_c, downloaded<double>(from_c));
  CR_TRY(products.norms, downloaded<double>(norms));
  return products;
}

Result<std::vector<double>> products_expected_on_device(const Problem& p) {
  const Generator g = generator_of(p);
  CR_TRY(const DeviceBuffer bx, weighted_sums<double>(g, Matrix::b, true, p.k, p.n, nullptr, true));
  CR_TRY(const DeviceBuffer abx, weighted_sums<double>(g, Matrix::a, false, p.m, p.k, &bx, false));
  return downloaded<double>(abx);
}

Result<NotFinite> not_finite_in(const Problem& problem, const void* c) {
  CR_TRY(const DeviceBuffer counts, zeroed(sizeof(Counts)));
  auto* into = static_cast<Counts*>(counts.data());
  const std::int64_t count = problem.m * problem.n;
  if (problem.c_element_bytes() == 4) {
    gemm_not_finite_kernel<<<1056, threads>>>(static_cast<const std::uint32_t*>(c), count,
                                              0x7f800000u, 0x7fffffu, into);
  } else if (problem.element == Element::fp16) {
    gemm_not_finite_kernel<<<1056, threads>>>(static_cast<const std::uint16_t*>(c), count, 0x7c00u,
                                              0x3ffu, into);
  } else {
    gemm_not_finite_kernel<<<1056, threads>>>(static_cast<const std::uint16_t*>(c), count, 0x7f80u,
                                              0x7fu, into);
  }
  CR_CHECK(queued("look for what is not finite in C"));
  CR_TRY(const Counts read, counts_in(counts));
  return NotFinite{static_cast<std::int64_t>(read.nan), static_cast<std::int64_t>(read.inf)};
}

}  // namespace checkride::kernels::gemm
