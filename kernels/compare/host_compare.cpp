#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "kernels/compare/batch.h"
#include "kernels/compare/compare.h"
#include "kernels/compare/types.h"

namespace checkride::kernels::compare {

namespace {

// What one thread counts, over all chunks it takes.
struct Counts {
  std::array<std::uint64_t, ulp_bins> bins{};
  std::array<std::uint64_t, rare_counts> rare{};
  std::uint64_t mismatch = 0;
  Seen seen;
};

struct Sink {
  Counts& counts;
  void bin(int at, std::uint64_t times = 1) { counts.bins[static_cast<std::size_t>(at)] += times; }
  template <class T>
  void count(const Words& ulps, std::uint64_t times = 1) {
    for (const std::uint32_t word : ulps.w) {
      if constexpr (std::is_same_v<T, F32>) {
        bin(ulp_bin(word), times);
      } else {
        bin(ulp_bin(word & 0xffffu), times);
        bin(ulp_bin(word >> 16), times);
      }
    }
  }
  template <class T>
  void uncount(const Words& ulps) {
    count<T>(ulps, ~std::uint64_t{0});
  }
  void rare(Rare which) { ++counts.rare[static_cast<std::size_t>(which)]; }
};

template <class A, class B>
struct Problem {
  const typename A::Bits* a;
  const typename B::Bits* b;
  std::uint64_t n;
  Limits limits;
};

template <class Bits>
Words words_at(const Bits* data, std::uint64_t first) {
  Words words{};
  std::memcpy(words.w, data + first, sizeof words.w);
  return words;
}

// Sums and keys of one warp's lanes joined as the device's shuffles join them.
Row joined(const ChunkLane* lanes) {
  std::array<Sums, 32> sums;
  Row row;
  for (std::size_t i = 0; i < 32; ++i) {
    sums[i] = lanes[i].sums;
    row.key = std::max(row.key, lanes[i].key);
    row.finite_key = std::max(row.finite_key, lanes[i].finite_key);
  }
  for (std::size_t half = 16; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) sums[i] = sums[i] + sums[i + half];
  row.sums = sums[0];
  return row;
}

// A chunk of which no element is missing, the quick way.
template <class T>
inline void whole_chunk(const Problem<T, T>& problem, std::uint64_t chunk, ChunkLane* lanes,
                        Counts& counts) {
  constexpr int in_group = static_cast<int>(group_elements<T, T>);
  Sink sink{counts};
  std::array<Again, chunk_lanes> again{};
  const auto first_of = [&](std::size_t lane, int group) {
    return (chunk * chunk_groups + static_cast<std::uint64_t>(group) * chunk_lanes + lane) *
           in_group;
  };
  for (int batch = 0; batch < chunk_batches; ++batch)
    for (std::size_t lane = 0; lane < chunk_lanes; ++lane) {
      const auto read = [&](int g, int tensor) {
        const std::uint64_t first = first_of(lane, batch * batch_groups + g);
        return words_at(tensor == 0 ? problem.a : problem.b, first);
      };
      const std::uint64_t row = chunk * chunk_batches + static_cast<std::uint64_t>(batch);
      add_batch<T>(read, place_of(row * chunk_lanes + lane), problem.limits, lanes[lane],
                   counts.seen, again[lane], sink);
    }
  for (std::size_t lane = 0; lane < chunk_lanes; ++lane) {
    for (int group = 0; group < lane_groups; ++group) {
      const std::uint32_t bit = first_batch >> group / batch_groups;
      const std::uint64_t first = first_of(lane, group);
      if (((again[lane].odd | again[lane].steep) & bit) == 0) continue;
      const Words a = words_at(problem.a, first), b = words_at(problem.b, first);
      if ((again[lane].odd & bit) != 0) {
        take_back<T>(a, b, sink);
        add_pairs<T, T>(problem.a, problem.b, first, in_group, problem.limits, lanes[lane],
                        counts.seen, sink);
      } else {
        counts.seen.quick_ratio = ratio_of_group<T>(a, b, problem.limits, counts.seen.quick_ratio);
      }
    }
    settle(lanes[lane]);
  }
}

template <class A, class B>
inline void one_chunk(const Problem<A, B>& problem, std::uint64_t chunk, Counts& counts,
                      Row* rows) {
  constexpr int in_group = static_cast<int>(group_elements<A, B>);
  std::array<ChunkLane, chunk_lanes> lanes{};
  bool done = false;
  if constexpr (has_quick_way<A, B>) {
    if ((chunk + 1) * chunk_elements<A, B> <= problem.n) {
      whole_chunk<A>(problem, chunk, lanes.data(), counts);
      done = true;
    }
  }
  Sink sink{counts};
  for (std::uint64_t i = 0; i < chunk_groups && !done; ++i) {
    const std::uint64_t first = (chunk * chunk_groups + i) * in_group;
    if (first >= problem.n) break;
    const auto count = static_cast<int>(std::min<std::uint64_t>(in_group, problem.n - first));
    counts.seen.hash_actual += hash_elements<A>(problem.a, first, count);
    counts.seen.hash_expected += hash_elements<B>(problem.b, first, count);
    add_pairs<A, B>(problem.a, problem.b, first, count, problem.limits, lanes[i % chunk_lanes],
                    counts.seen, sink);
  }
  for (int warp = 0; warp < chunk_warps; ++warp) rows[warp] = joined(lanes.data() + warp * 32);
  counts.mismatch += counts.seen.mismatch;
  counts.seen.mismatch = 0;
}

// With and without the processor's fused multiply-add; the C library's gives the same bits, slowly.
template <class A, class B>
[[gnu::flatten]] void chunk_anywhere(const Problem<A, B>& problem, std::uint64_t chunk,
                                     Counts& counts, Row* rows) {
  one_chunk(problem, chunk, counts, rows);
}
#ifdef __x86_64__
template <class A, class B>
[[gnu::flatten]] __attribute__((target("fma,avx2"))) void chunk_with_fma(
    const Problem<A, B>& problem, std::uint64_t chunk, Counts& counts, Row* rows) {
  one_chunk(problem, chunk, counts, rows);
}
#endif

bool has_fma() {
#ifdef __x86_64__
  return __builtin_cpu_supports("fma") != 0 && __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

// Rows summed in the order the device sums them.
Sums total(const std::vector<Row>& rows) {
  std::vector<ChunkLane> lanes(row_lanes);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Sums& sums = lanes[i % row_lanes].sums;
    sums = sums + rows[i].sums;
  }
  Sums all;
  for (std::size_t block = 0; block < row_blocks; ++block) {
    Sums of_block;
    for (std::size_t warp = 0; warp < chunk_warps; ++warp)
      of_block = of_block + joined(lanes.data() + block * chunk_lanes + warp * 32).sums;
    all = all + of_block;
  }
  return all;
}

// Keeps the worst 16 in order.
void keep(std::vector<Worst>& worst, Worst one) {
  const auto at = std::ranges::find_if(
      worst, [&](const Worst& other) { return worse(one.key, one.index, other.key, other.index); });
  worst.insert(at, one);
  if (worst.size() > worst_count) worst.pop_back();
}

// The worst 16 pairs lie in the 16 chunks with the largest keys.
template <class A, class B>
void find_worst(const Problem<A, B>& problem, const std::vector<Row>& rows, Comparison& result) {
  std::vector<Worst> chunks;  // index: the chunk's
  Worst finite;
  for (std::size_t chunk = 0; chunk < rows.size() / chunk_warps; ++chunk) {
    Worst here{0, chunk};
    Worst finite_here{0, chunk};
    for (std::size_t warp = 0; warp < chunk_warps; ++warp) {
      here.key = std::max(here.key, rows[chunk * chunk_warps + warp].key);
      finite_here.key = std::max(finite_here.key, rows[chunk * chunk_warps + warp].finite_key);
    }
    if (here.key != 0) keep(chunks, here);
    if (finite_here.key > finite.key) finite = finite_here;
  }
  const auto scan = [&](std::uint64_t chunk, const auto& body) {
    const std::uint64_t end = std::min(problem.n, (chunk + 1) * chunk_elements<A, B>);
    for (std::uint64_t i = chunk * chunk_elements<A, B>; i < end; ++i)
      body(i, judge(A::real(problem.a[i]), B::real(problem.b[i]), problem.limits));
  };
  for (const Worst& chunk : chunks)
    scan(chunk.index, [&](std::uint64_t i, const Verdict& verdict) {
      if (verdict.key == 0) return;
      const bool counts = result.worst.size() < worst_count ||
                          worse(verdict.key, i, result.worst.back().key, result.worst.back().index);
      if (counts) keep(result.worst, {verdict.key, i});
    });
  if (finite.key == 0) return;
  result.max_abs = {finite.key, UINT64_MAX};
  scan(finite.index, [&](std::uint64_t i, const Verdict& verdict) {
    if (verdict.finite && verdict.key == finite.key && i < result.max_abs.index)
      result.max_abs.index = i;
  });
}

template <class A, class B>
Comparison compare(const Problem<A, B>& problem, int threads) {
  const std::uint64_t chunks = chunks_of<A, B>(problem.n);
  std::vector<Row> rows(chunks * chunk_warps);
  const auto workers = static_cast<std::size_t>(std::clamp(threads, 1, 256));
  std::vector<Counts> counts(std::min<std::size_t>(workers, std::max<std::uint64_t>(chunks, 1)));
  std::atomic<std::uint64_t> next{0};
  const bool fma = has_fma();
  const auto work = [&](Counts& mine) {
    for (std::uint64_t chunk = next++; chunk < chunks; chunk = next++) {
      Row* const into = rows.data() + chunk * chunk_warps;
#ifdef __x86_64__
      if (fma) {
        chunk_with_fma(problem, chunk, mine, into);
        continue;
      }
#endif
      chunk_anywhere(problem, chunk, mine, into);
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t i = 1; i < counts.size(); ++i) pool.emplace_back(work, std::ref(counts[i]));
  work(counts[0]);
  for (std::thread& thread : pool) thread.join();

  Comparison result;
  result.n = problem.n;
  std::array<std::uint64_t, rare_counts> rare{};
  std::uint64_t reference_key = 0, ratio_key = 0;
  for (Counts& mine : counts) {
    if constexpr (has_quick_way<A, B>) settle<A>(mine.seen);
    for (std::size_t i = 0; i < rare.size(); ++i) rare[i] += mine.rare[i];
    for (std::size_t i = 0; i < mine.bins.size(); ++i) result.ulp_hist[i] += mine.bins[i];
    result.mismatch += mine.mismatch;
    result.hash_actual += mine.seen.hash_actual;
    result.hash_expected += mine.seen.hash_expected;
    result.ulp_max = std::max(result.ulp_max, mine.seen.ulp_max);
    reference_key = std::max(reference_key, mine.seen.reference_key);
    ratio_key = std::max(ratio_key, mine.seen.ratio_key);
  }
  result.nan_actual = rare[nan_actual];
  result.nan_expected = rare[nan_expected];
  result.inf_actual = rare[inf_actual];
  result.inf_expected = rare[inf_expected];
  result.nan_position_mismatch = rare[nan_position];
  result.unwritten = rare[unwritten];
  result.ref_max_abs = double_of(reference_key);
  result.max_rel = double_of(ratio_key);
  result.hash_actual = finished_hash(result.hash_actual, problem.n * sizeof(typename A::Bits));
  result.hash_expected = finished_hash(result.hash_expected, problem.n * sizeof(typename B::Bits));
  const Sums sums = total(rows);
  result.sum_d2 = sums.d2;
  result.sum_d1 = sums.d1;
  result.sum_a2 = sums.a2;
  result.sum_b2 = sums.b2;
  find_worst(problem, rows, result);
  return result;
}

}  // namespace

Result<Comparison> compare_on_host(View actual, View expected, std::uint64_t n,
                                   const Limits& limits, int threads) {
  CR_CHECK(check_types(actual.type, expected.type));
  Comparison result;
  with_types(actual.type, expected.type, [&]<class A, class B>() {
    result = compare(Problem<A, B>{static_cast<const typename A::Bits*>(actual.data),
                                   static_cast<const typename B::Bits*>(expected.data), n, limits},
                     threads);
  });
  return result;
}

Budget error_budget(const Tensor& actual, const Tensor& expected, const Tensor& lowprec,
                    int threads) {
  const std::size_t n = actual.elements();
  const auto workers = static_cast<std::size_t>(std::clamp(threads, 1, 256));
  struct Largest {
    double actual = 0.0, lowprec = 0.0, rounding = 0.0;
  };
  std::vector<Largest> largest(workers);
  const auto work = [&](std::size_t worker) {
    Largest& mine = largest[worker];
    const auto see = [](double& most, double value) {
      if (is_finite(value)) most = std::max(most, std::fabs(value));
    };
    Tensor scratch = zeros(actual.type, {1});
    const auto rounded = [&](double value) {
      set_value(scratch, 0, value);
      return value_at(scratch, 0);
    };
    for (std::size_t i = n * worker / workers; i < n * (worker + 1) / workers; ++i) {
      const double reference = value_at(expected, i);
      const double near = rounded(reference);
      see(mine.actual, value_at(actual, i) - reference);
      see(mine.lowprec, value_at(lowprec, i) - reference);
      see(mine.rounding, rounded(rounded(near + 0.3) - 0.3) - near);
    }
  };
  std::vector<std::thread> pool;
  for (std::size_t worker = 1; worker < workers; ++worker) pool.emplace_back(work, worker);
  work(0);
  for (std::thread& thread : pool) thread.join();
  Largest all;
  for (const Largest& mine : largest) {
    all.actual = std::max(all.actual, mine.actual);
    all.lowprec = std::max(all.lowprec, mine.lowprec);
    all.rounding = std::max(all.rounding, mine.rounding);
  }
  return {all.actual, 2.0 * all.lowprec + 2.0 * all.rounding};
}

}  // namespace checkride::kernels::compare
