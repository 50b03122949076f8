#include <cuda_runtime.h>

#include <algorithm>
#include <bit>

#include "kernels/cuda/check.h"
#include "kernels/statistics/bootstrap_kernel.h"

namespace checkride::kernels::statistics {
namespace {

using cuda::check;

constexpr int warps_per_block = 8;
constexpr std::uint32_t all_lanes = 0xffffffffu;
constexpr std::uint32_t never = 0xffffu;  // above every rank: a draw beyond the last

// The ranks that this lane's draws of one side have. Draw 4 (lane + 32 g) + i is ranks[4 g + i].
template <int groups, bool many_blocks>
__device__ __forceinline__ void draw(const BootstrapPlan& plan, const BootstrapSide& side,
                                     const std::uint16_t* table, std::uint32_t stream,
                                     std::uint32_t replicate, std::uint32_t held_block,
                                     std::uint32_t lane, std::uint32_t (&ranks)[4 * groups]) {
  const std::uint32_t draws = side.draws_per_block * plan.blocks;
#pragma unroll
  for (int g = 0; g < groups; ++g) {
    const std::uint32_t group = lane + 32 * g;
    const math::Philox4 words = math::philox({{replicate, group, stream, 0}}, plan.key);
#pragma unroll
    for (std::uint32_t i = 0; i < 4; ++i) {
      const std::uint32_t index_of_draw = 4 * group + i;
      std::uint32_t block = 0;
      if (many_blocks) {
        const std::uint32_t slot = min(index_of_draw / side.draws_per_block, plan.blocks - 1);
        block = __shfl_sync(all_lanes, held_block, static_cast<int>(slot));
      }
      const std::uint32_t rank = table[drawn_index(side, block, words.word[i])];
      ranks[4 * g + i] = index_of_draw < draws ? rank : never;
    }
  }
}

// A warp does a replicate. The quantile's position is the largest x such that fewer than `rank`
// draws lie below x; its bits are found from the top, each by one count over the warp, both sides
// in the halves of one word.
template <int groups, bool many_blocks>
__global__ void __launch_bounds__(32 * warps_per_block)
    bootstrap(const __grid_constant__ BootstrapPlan given, const std::uint16_t* base_ranks,
              const std::uint16_t* cand_ranks, std::uint32_t bits, std::uint32_t replicates,
              std::uint32_t* picks) {
  extern __shared__ std::uint16_t tables[];
  __shared__ BootstrapPlan plan;
  const std::uint32_t base_count = given.side[0].offset[given.blocks];
  const std::uint32_t cand_count = given.side[1].offset[given.blocks];
  for (std::uint32_t i = threadIdx.x; i < base_count; i += blockDim.x) tables[i] = base_ranks[i];
  for (std::uint32_t i = threadIdx.x; i < cand_count; i += blockDim.x)
    tables[base_count + i] = cand_ranks[i];
  if (threadIdx.x == 0) plan = given;
  __syncthreads();

  const std::uint32_t lane = threadIdx.x % 32;
  const std::uint32_t warp = blockIdx.x * warps_per_block + threadIdx.x / 32;
  const std::uint32_t warps = gridDim.x * warps_per_block;
  for (std::uint32_t replicate = warp; replicate < replicates; replicate += warps) {
    const std::uint32_t held =
        many_blocks ? drawn_block(plan, replicate, min(lane, plan.blocks - 1)) : 0;
    std::uint32_t base[4 * groups];
    std::uint32_t cand[4 * groups];
    draw<groups, many_blocks>(plan, plan.side[0], tables, stream_base, replicate, held, lane, base);
    draw<groups, many_blocks>(plan, plan.side[1], tables + base_count, stream_cand, replicate, held,
                              lane, cand);
    std::uint32_t base_at = 0;
    std::uint32_t cand_at = 0;
    for (std::uint32_t bit = bits; bit-- > 0;) {
      const std::uint32_t base_try = base_at | (1u << bit);
      const std::uint32_t cand_try = cand_at | (1u << bit);
      std::uint32_t count = 0;
#pragma unroll
      for (int i = 0; i < 4 * groups; ++i) {
        count += base[i] < base_try ? 1u : 0u;
        count += cand[i] < cand_try ? 0x10000u : 0u;
      }
      count = __reduce_add_sync(all_lanes, count);
      if ((count & 0xffffu) < plan.side[0].rank) base_at = base_try;
      if ((count >> 16) < plan.side[1].rank) cand_at = cand_try;
    }
    if (lane == 0) picks[replicate] = (base_at << 16) | cand_at;
  }
}

template <int groups, bool many_blocks>
Result<void> launch(const BootstrapInput& input, const DeviceTables& tables,
                    std::uint32_t replicates, std::uint32_t* picks, CUstream_st* stream) {
  const auto kernel = bootstrap<groups, many_blocks>;
  const std::size_t shared = 2 * (input.sorted[0].size() + input.sorted[1].size());
  int device = 0;
  int multiprocessors = 0;
  int resident = 0;
  CR_CHECK(check(cudaGetDevice(&device), "name the device"));
  CR_CHECK(check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                 "count multiprocessors"));
  CR_CHECK(check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel,
                                                               32 * warps_per_block, shared),
                 "occupancy of the bootstrap"));
  const std::uint32_t needed = (replicates + warps_per_block - 1) / warps_per_block;
  const std::uint32_t grid =
      std::min(needed, static_cast<std::uint32_t>(multiprocessors * std::max(1, resident)));
  const auto larger =
      static_cast<std::uint32_t>(std::max(input.sorted[0].size(), input.sorted[1].size()));
  const auto bits = static_cast<std::uint32_t>(std::bit_width(larger - 1));
  kernel<<<grid, 32 * warps_per_block, shared, stream>>>(
      input.plan, static_cast<const std::uint16_t*>(tables.ranks[0].data()),
      static_cast<const std::uint16_t*>(tables.ranks[1].data()), bits, replicates, picks);
  return check(cudaGetLastError(), "queue the bootstrap");
}

template <int groups>
Result<void> launch(const BootstrapInput& input, const DeviceTables& tables,
                    std::uint32_t replicates, std::uint32_t* picks, CUstream_st* stream) {
  return input.plan.blocks == 1 ? launch<groups, false>(input, tables, replicates, picks, stream)
                                : launch<groups, true>(input, tables, replicates, picks, stream);
}

}  // namespace

Result<DeviceTables> upload_tables(const BootstrapInput& input) {
  DeviceTables tables;
  for (int side = 0; side < 2; ++side) {
    const std::vector<std::uint16_t>& ranks = input.ranks[side];
    CR_TRY(tables.ranks[side], cuda::DeviceBuffer::allocate(2 * ranks.size()));
    CR_CHECK(tables.ranks[side].upload(ranks.data()));
  }
  return tables;
}

Result<void> launch_bootstrap(const BootstrapInput& input, const DeviceTables& tables,
                              std::uint32_t replicates, std::uint32_t* picks, CUstream_st* stream) {
  std::uint32_t draws = 0;
  for (const BootstrapSide& side : input.plan.side)
    draws = std::max(draws, side.draws_per_block * input.plan.blocks);
  const std::uint32_t groups = (draws + 127) / 128;
  if (groups <= 1) return launch<1>(input, tables, replicates, picks, stream);
  if (groups <= 2) return launch<2>(input, tables, replicates, picks, stream);
  if (groups <= 4) return launch<4>(input, tables, replicates, picks, stream);
  if (groups <= 8) return launch<8>(input, tables, replicates, picks, stream);
  if (groups <= 13) return launch<13>(input, tables, replicates, picks, stream);
  return fail(ErrorCode::invalid_argument, "the bootstrap draws at most 1664 samples a side");
}

Result<std::vector<std::uint32_t>> bootstrap_device(const BootstrapInput& input,
                                                    std::uint32_t replicates) {
  CR_TRY(const DeviceTables tables, upload_tables(input));
  CR_TRY(cuda::DeviceBuffer picks, cuda::DeviceBuffer::allocate(4 * std::size_t{replicates}));
  CR_CHECK(picks.fill(0xff));
  cudaStream_t stream = nullptr;
  CR_CHECK(check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "create a stream"));
  Result<void> done = launch_bootstrap(input, tables, replicates,
                                       static_cast<std::uint32_t*>(picks.data()), stream);
  if (done) done = check(cudaStreamSynchronize(stream), "wait for the bootstrap");
  cudaStreamDestroy(stream);
  if (!done) return tl::unexpected(done.error());
  std::vector<std::uint32_t> host(replicates);
  CR_CHECK(picks.download(host.data()));
  return host;
}

}  // namespace checkride::kernels::statistics
