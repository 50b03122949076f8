#include "kernels/compare/device_compare.h"

#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/compare/read_kernel.cuh"
#include "kernels/compare/types.h"
#include "kernels/compare/worst_kernels.cuh"

namespace checkride::kernels::compare {

using cuda::check;

Result<DeviceComparison> DeviceComparison::plan(View actual, View expected, std::uint64_t n,
                                                const Limits& limits) {
  CR_CHECK(check_types(actual.type, expected.type));
  DeviceComparison plan;
  plan.actual_ = actual;
  plan.expected_ = expected;
  plan.n_ = n;
  plan.limits_ = limits;
  CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
  Result<void> ready;
  with_types(actual.type, expected.type, [&]<class A, class B>() {
    const std::uint64_t chunks = std::max<std::uint64_t>(chunks_of<A, B>(n), 1);
    int resident = 0;
    ready = check(
        cudaFuncSetAttribute(compare_chunks<A, B>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shared_bytes<A, B>())),
        "shared memory of the comparison");
    if (ready)
      ready = check(cudaFuncSetAttribute(join_rows, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                         static_cast<int>(sizeof(Ranking))),
                    "shared memory of the comparison");
    if (ready)
      ready =
          check(cudaFuncSetAttribute(find_worst<A, B>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(sizeof(Ranking))),
                "shared memory of the comparison");
    if (ready)
      ready = check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
                        &resident, compare_chunks<A, B>, chunk_lanes, shared_bytes<A, B>()),
                    "occupancy of the comparison");
    plan.blocks_ = static_cast<int>(
        std::min<std::uint64_t>(chunks, static_cast<std::uint64_t>(std::max(resident, 1)) *
                                            static_cast<std::uint64_t>(facts.multiprocessors)));
    if (!ready) return;
    auto rows = cuda::DeviceBuffer::allocate(chunks * chunk_warps * sizeof(Row));
    if (rows)
      plan.rows_ = std::move(*rows);
    else
      ready = tl::unexpected(rows.error());
  });
  CR_CHECK(ready);
  CR_TRY(plan.found_, cuda::DeviceBuffer::allocate(sizeof(Found)));
  CR_TRY(plan.joined_, cuda::DeviceBuffer::allocate(sizeof(Joined)));
  return plan;
}

Result<void> DeviceComparison::launch(CUstream_st* stream) const {
  CR_CHECK(check(cudaMemsetAsync(found_.data(), 0, found_.bytes(), stream), "empty the counts"));
  with_types(actual_.type, expected_.type, [&]<class A, class B>() {
    const auto* a = static_cast<const typename A::Bits*>(actual_.data);
    const auto* b = static_cast<const typename B::Bits*>(expected_.data);
    auto* rows = static_cast<Row*>(rows_.data());
    auto* joined = static_cast<Joined*>(joined_.data());
    const std::uint64_t chunks = chunks_of<A, B>(n_);
    compare_chunks<A, B>
        <<<static_cast<unsigned>(blocks_), chunk_lanes, shared_bytes<A, B>(), stream>>>(
            a, b, n_, chunks, limits_, rows, static_cast<Found*>(found_.data()));
    join_rows<<<row_blocks, chunk_lanes, sizeof(Ranking), stream>>>(rows, chunks, joined);
    find_worst<A, B><<<dim3(parts, worst_count + 1), chunk_lanes, sizeof(Ranking), stream>>>(
        a, b, n_, limits_, joined);
  });
  return check(cudaGetLastError(), "queue the comparison");
}

Result<Comparison> DeviceComparison::result() const {
  CR_CHECK(cuda::synchronize());
  Found found{};
  const auto joined = std::make_unique<Joined>();
  CR_CHECK(found_.download(&found));
  CR_CHECK(joined_.download(joined.get()));
  Comparison result;
  result.n = n_;
  result.mismatch = found.mismatch;
  result.nan_actual = found.rare[nan_actual];
  result.nan_expected = found.rare[nan_expected];
  result.inf_actual = found.rare[inf_actual];
  result.inf_expected = found.rare[inf_expected];
  result.nan_position_mismatch = found.rare[nan_position];
  result.unwritten = found.rare[unwritten];
  std::copy(std::begin(found.bins), std::end(found.bins), result.ulp_hist.begin());
  result.ulp_max = found.ulp_max;
  result.hash_actual = finished_hash(found.hash_actual, n_ * bytes_of(actual_.type));
  result.hash_expected = finished_hash(found.hash_expected, n_ * bytes_of(expected_.type));
  result.ref_max_abs = double_of(found.reference_key);
  result.max_rel = double_of(found.ratio_key);
  Sums sums;
  for (const Sums& block : joined->sums) sums = sums + block;
  result.sum_d2 = sums.d2;
  result.sum_d1 = sums.d1;
  result.sum_a2 = sums.a2;
  result.sum_b2 = sums.b2;
  for (const Worst& pair : joined->finite_pair)
    if (worse(pair.key, pair.index, result.max_abs.key, result.max_abs.index))
      result.max_abs = pair;
  for (const auto& chunk : joined->pairs)
    for (const auto& part : chunk)
      for (const Worst& pair : part)
        if (pair.key != 0) result.worst.push_back(pair);
  std::sort(result.worst.begin(), result.worst.end(),
            [](const Worst& x, const Worst& y) { return worse(x.key, x.index, y.key, y.index); });
  if (result.worst.size() > worst_count) result.worst.resize(worst_count);
  return result;
}

Result<void> DeviceComparison::poison() {
  CR_CHECK(rows_.fill(0xff));
  CR_CHECK(found_.fill(0xff));
  return joined_.fill(0xff);
}

}  // namespace checkride::kernels::compare
