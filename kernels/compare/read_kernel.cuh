// The kernel that reads both tensors: whole chunks the quick way (batch.h), fetched ahead into shared
// memory, any other element by element. A part of device_compare.cu.
#pragma once

#include "kernels/compare/batch.h"
#include "kernels/compare/warp.cuh"

namespace checkride::kernels::compare {
namespace {

// Counts and maxima of all blocks; all zero before a launch.
struct Found {
  Long bins[ulp_bins];
  Long rare[rare_counts];
  Long mismatch;
  Long hash_actual, hash_expected;
  Long ulp_max, ratio_key, reference_key;
};

// Distances of 8-bit types take at most 8 bits, of 16-bit types at most 16.
template <class A>
inline constexpr int bins_of = sizeof(typename A::Bits) > 2
                                   ? ulp_bins
                                   : static_cast<int>(sizeof(typename A::Bits)) * 8 + 2;

// Every lane has a column of bins of its own in shared memory, so that counting waits for nobody.
// Most groups of 16-bit types have no distance above 3: these are counted in registers.
struct Sink {
  static constexpr int stride = chunk_lanes * static_cast<int>(sizeof(unsigned));
  unsigned* column;
  std::uint32_t column_address;  // in shared memory
  unsigned* rare_of_block;
  std::uint32_t near_groups = 0;
  std::uint32_t near = 0;  // in each byte, distances of 1 in the low half, of 2 and 3 in the high
  std::uint32_t ones = 0, twos = 0;

  __device__ void bin(int at) { column[at * chunk_lanes] += 1; }
  __device__ void rare(Rare which) { atomicAdd(rare_of_block + which, 1u); }

  template <class T>
  __device__ void count(const Words& ulps) {
    if constexpr (!std::is_same_v<T, F32>) {
      if (((ulps.w[0] | ulps.w[1] | ulps.w[2] | ulps.w[3]) & 0xfffcfffcu) == 0) {
        // Distances as selectors: each byte permutation looks up four of them.
        constexpr std::uint32_t table = 0x10100100u;
        const std::uint32_t four =
            ulps.w[0] + (ulps.w[1] << 4) + (ulps.w[2] << 8) + (ulps.w[3] << 12);
        near += __byte_perm(table, 0, four) + __byte_perm(table, 0, four >> 16);
        ++near_groups;
        return;
      }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (std::is_same_v<T, F32>) {
        far(ulps.w[i]);
      } else {
        far(ulps.w[i] & 0xffffu);
        far(ulps.w[i] >> 16);
      }
    }
  }
  __device__ void far(std::uint32_t ulps) {
    std::uint32_t top;  // the highest bit set; -1: none
    asm("bfind.u32 %0, %1;" : "=r"(top) : "r"(ulps));
    asm volatile("red.shared.add.u32 [%0 + %1], 1;" ::"r"(column_address + top * stride),
                 "n"(stride)
                 : "memory");
  }
  template <class T>
  __device__ void uncount(const Words& ulps) {
#pragma unroll 1
    for (int i = 0; i < 4; ++i) {
      if constexpr (std::is_same_v<T, F32>) {
        column[ulp_bin(ulps.w[i]) * chunk_lanes] -= 1;
      } else {
        column[ulp_bin(ulps.w[i] & 0xffffu) * chunk_lanes] -= 1;
        column[ulp_bin(ulps.w[i] >> 16) * chunk_lanes] -= 1;
      }
    }
  }
  // After each batch, before bytes overflow.
  __device__ void empty_near() {
    static_assert(batch_groups * 2 < 16);
    ones = __dp4a(near & 0x0f0f0f0fu, 0x01010101u, ones);
    twos = __dp4a(near >> 4 & 0x0f0f0f0fu, 0x01010101u, twos);
    near = 0;
  }
  // Once, before bins are read.
  __device__ void settle() {
    column[0] += near_groups * 8 - ones - twos;
    column[chunk_lanes] += ones;
    column[2 * chunk_lanes] += twos;
  }
};

// Batches on their way from device memory to the lane's own slots of shared memory; no lane reads
// another's slots. There are slots for two: one is read while the next is on its way.
constexpr std::uint32_t group_bytes = chunk_lanes * sizeof(uint4);  // of one tensor
constexpr std::uint32_t batch_bytes = batch_groups * 2 * group_bytes;
constexpr std::uint32_t slot_bytes = 2 * batch_bytes;
struct Ahead {
  const uint4* groups_a;  // the lane's first
  const uint4* groups_b;
  std::uint32_t slots;     // address in shared memory of the lane's first slot
  std::uint64_t coming;    // the group to be fetched next
  std::uint32_t turn = 0;  // 0 or batch_bytes: which slots

  __device__ std::uint32_t slot(int group, int tensor) const {
    return slots + turn + static_cast<unsigned>(2 * group + tensor) * group_bytes;
  }
  __device__ void fetch() {
#pragma unroll
    for (int g = 0; g < batch_groups; ++g) {
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(slot(g, 0)),
                   "l"(groups_a + coming + g * chunk_lanes)
                   : "memory");
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(slot(g, 1)),
                   "l"(groups_b + coming + g * chunk_lanes)
                   : "memory");
    }
    asm volatile("cp.async.commit_group;" ::: "memory");
    coming += batch_groups * chunk_lanes;
    turn ^= batch_bytes;
  }
  // Of the batch that has come; each once, in order. After the last its slots are filled anew.
  __device__ Words read(int group, int tensor) {
    if (group == 0 && tensor == 0) asm volatile("cp.async.wait_group 1;" ::: "memory");
    Words words;
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words.w[0]), "=r"(words.w[1]), "=r"(words.w[2]), "=r"(words.w[3])
                 : "r"(slot(group, tensor))
                 : "memory");
    if (group == batch_groups - 1 && tensor == 1) fetch();
    return words;
  }
};

__device__ float largest_of_warp(float value) {  // never negative: bits order as values
  return __uint_as_float(__reduce_max_sync(~0u, __float_as_uint(value)));
}
__device__ Words load(const uint4* data) {
  const uint4 four = __ldg(data);
  return {{four.x, four.y, four.z, four.w}};
}

// Joins what the lanes of a warp found in a chunk.
__device__ void finish_chunk(const ChunkLane& mine, std::uint64_t chunk, Row* rows) {
  const Sums sums = sum_of_warp(mine.sums);
  const std::uint64_t key = largest_of_warp(mine.key);
  const std::uint64_t finite_key = largest_of_warp(mine.finite_key);
  if (threadIdx.x % 32 == 0) rows[chunk * chunk_warps + threadIdx.x / 32] = {sums, key, finite_key};
}

// All whole chunks of the block, the quick way.
template <class T>
__device__ void compare_whole_chunks(const typename T::Bits* a, const typename T::Bits* b,
                                     std::uint64_t whole, const Limits& limits, Ahead ahead,
                                     Seen& seen, Long& mismatch, Sink& sink, Row* rows,
                                     Found* found) {
  if (blockIdx.x < whole) {
    ahead.fetch();
    ahead.fetch();
  }
#pragma unroll 1
  for (std::uint64_t chunk = blockIdx.x; chunk < whole; chunk += gridDim.x) {
    const std::uint64_t first_group = chunk * chunk_groups;
    ChunkLane mine;
    Again again;
    // A largest ratio to begin with: that of all blocks so far, or of the first groups here.
    float ratio =
        static_cast<float>(double_of(*static_cast<volatile const Long*>(&found->ratio_key)));
    if (ratio == 0.0f)
      ratio = ratio_of_group<T>(load(ahead.groups_a + first_group),
                                load(ahead.groups_b + first_group), limits, ratio);
    ratio = largest_of_warp(fmaxf(ratio, seen.quick_ratio));
    seen.quick_ratio = ratio;
    std::uint32_t place = place_of(chunk * chunk_batches * chunk_lanes + threadIdx.x);
#pragma unroll 1
    for (int batch = 0; batch < chunk_batches; ++batch) {
      // On to the next chunk; after the last one, to nothing new.
      if (batch == chunk_batches - 2)
        ahead.coming = chunk + gridDim.x < whole ? (chunk + gridDim.x) * chunk_groups : first_group;
      add_batch<T>([&](int group, int tensor) { return ahead.read(group, tensor); }, place, limits,
                   mine, seen, again, sink);
      sink.empty_near();
      place += next_place;
    }
#pragma unroll 1
    for (std::uint32_t left = again.steep | again.odd; left != 0;) {
      const int batch = __clz(static_cast<int>(left)) - (32 - chunk_batches);
      const std::uint32_t bit = first_batch >> batch;
      left &= ~bit;
#pragma unroll 1
      for (int g = 0; g < batch_groups; ++g) {
        const std::uint64_t group =
            first_group + static_cast<unsigned>((batch * batch_groups + g) * chunk_lanes);
        const Words words_a = load(ahead.groups_a + group), words_b = load(ahead.groups_b + group);
        if ((again.odd & bit) != 0) {
          take_back<T>(words_a, words_b, sink);
          add_pairs<T, T>(a, b, (group + threadIdx.x) * group_elements<T, T>,
                          static_cast<int>(group_elements<T, T>), limits, mine, seen, sink);
        } else {
          seen.quick_ratio = ratio_of_group<T>(words_a, words_b, limits, seen.quick_ratio);
        }
      }
    }
    __syncwarp();
    seen.quick_ratio = largest_of_warp(seen.quick_ratio);
    if (seen.quick_ratio > ratio && threadIdx.x % 32 == 0)
      atomicMax(reinterpret_cast<Long*>(&found->ratio_key),
                static_cast<Long>(bits_of(static_cast<double>(seen.quick_ratio))));
    settle(mine);
    finish_chunk(mine, chunk, rows);
    mismatch += seen.mismatch;
    seen.mismatch = 0;
  }
  asm volatile("cp.async.wait_all;" ::: "memory");
}

// One chunk element by element.
template <class A, class B>
__device__ void compare_chunk(const typename A::Bits* a, const typename B::Bits* b, std::uint64_t n,
                              std::uint64_t chunk, const Limits& limits, Seen& seen, Long& mismatch,
                              Sink& sink, Row* rows) {
  constexpr int in_group = static_cast<int>(group_elements<A, B>);
  ChunkLane mine;
#pragma unroll 1
  for (int i = 0; i < lane_groups; ++i) {
    const std::uint64_t first =
        (chunk * chunk_groups + threadIdx.x + static_cast<unsigned>(i * chunk_lanes)) * in_group;
    if (first >= n) break;
    const int count = n - first < in_group ? static_cast<int>(n - first) : in_group;
    seen.hash_actual += hash_elements<A>(a, first, count);
    seen.hash_expected += hash_elements<B>(b, first, count);
    add_pairs<A, B>(a, b, first, count, limits, mine, seen, sink);
  }
  __syncwarp();
  finish_chunk(mine, chunk, rows);
  mismatch += seen.mismatch;
  seen.mismatch = 0;
}

constexpr int blocks_at_once =
    4;  // on a multiprocessor: more have fewer registers and gain nothing
template <class A, class B>
__global__ void __launch_bounds__(chunk_lanes, blocks_at_once)
    compare_chunks(const typename A::Bits* __restrict__ a, const typename B::Bits* __restrict__ b,
                   std::uint64_t n, std::uint64_t chunks, const Limits limits,
                   Row* __restrict__ rows, Found* __restrict__ found) {
  extern __shared__ uint4 slots[];
  constexpr int bins = bins_of<A>;
  const int lane = static_cast<int>(threadIdx.x);
  unsigned* const shared =
      reinterpret_cast<unsigned*>(slots + (has_quick_way<A, B> ? slot_bytes / sizeof(uint4) : 0));
  unsigned* const rare = shared + bins * chunk_lanes;
  Sink sink{shared + lane, static_cast<std::uint32_t>(__cvta_generic_to_shared(shared + lane)),
            rare};
  for (int i = 0; i < bins; ++i) shared[i * chunk_lanes + lane] = 0;
  if (lane < rare_counts) rare[lane] = 0;
  __syncthreads();
  Seen seen;
  Long mismatch = 0;
  std::uint64_t chunk = blockIdx.x;
  if constexpr (has_quick_way<A, B>) {
    const Ahead ahead{
        reinterpret_cast<const uint4*>(a) + lane, reinterpret_cast<const uint4*>(b) + lane,
        static_cast<std::uint32_t>(__cvta_generic_to_shared(slots + lane)), chunk * chunk_groups};
    const std::uint64_t whole = n / chunk_elements<A, B>;
    compare_whole_chunks<A>(a, b, whole, limits, ahead, seen, mismatch, sink, rows, found);
    if (chunk < whole) chunk += (whole - chunk + gridDim.x - 1) / gridDim.x * gridDim.x;
    settle<A>(seen);
    sink.settle();
  }
  for (; chunk < chunks; chunk += gridDim.x)
    compare_chunk<A, B>(a, b, n, chunk, limits, seen, mismatch, sink, rows);
  const Long all_mismatch = sum_of_warp(mismatch);
  const Long hash_actual = sum_of_warp(static_cast<Long>(seen.hash_actual));
  const Long hash_expected = sum_of_warp(static_cast<Long>(seen.hash_expected));
  const std::uint64_t ulp_max = largest_of_warp(seen.ulp_max);
  const std::uint64_t ratio_key = largest_of_warp(seen.ratio_key);
  const std::uint64_t reference_key = largest_of_warp(seen.reference_key);
  if (lane % 32 == 0) {
    atomicAdd(&found->mismatch, all_mismatch);
    atomicAdd(&found->hash_actual, hash_actual);
    atomicAdd(&found->hash_expected, hash_expected);
    atomicMax(&found->ulp_max, static_cast<Long>(ulp_max));
    atomicMax(&found->ratio_key, static_cast<Long>(ratio_key));
    atomicMax(&found->reference_key, static_cast<Long>(reference_key));
  }
  __syncthreads();
  for (int bin = lane / 32; bin < bins; bin += chunk_warps) {
    Long count = 0;
    for (int i = lane % 32; i < chunk_lanes; i += 32) count += shared[bin * chunk_lanes + i];
    count = sum_of_warp(count);
    if (lane % 32 == 0 && count != 0) atomicAdd(&found->bins[bin], count);
  }
  if (lane < rare_counts && rare[lane] != 0) atomicAdd(&found->rare[lane], Long{rare[lane]});
}

template <class A, class B>
constexpr std::uint32_t shared_bytes() {
  return (has_quick_way<A, B> ? slot_bytes : 0) +
         static_cast<std::uint32_t>((bins_of<A> * chunk_lanes + rare_counts) * sizeof(unsigned));
}

}  // namespace
}  // namespace checkride::kernels::compare
