// The hierarchical bootstrap of a ratio of quantiles: each replicate draws blocks with replacement,
// the same for both sides, then samples inside them, and takes the quantile of each side. Unlike
// the exact bootstrap it knows that samples of one block belong together, and unlike Student's t it
// works for a p99. Draws come from Philox with counter (replicate, draw, stream), and a replicate's
// answer is a pair of ranks, so host and device agree bit for bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/math/host_device.h"
#include "kernels/math/philox.h"
#include "kernels/statistics/exact_bootstrap.h"

namespace checkride::kernels::statistics {

inline constexpr int bootstrap_blocks_max = 32;
inline constexpr std::size_t bootstrap_samples_max = 1664;  // a side: 32 blocks of 52
inline constexpr std::uint32_t bootstrap_replicates_max = 1'000'000;

// Streams of random words: samples of the base, of the candidate, and the choice of blocks.
enum : std::uint32_t { stream_base = 0, stream_cand = 1, stream_blocks = 2 };

struct BootstrapSide {
  // Sorted position of every sample of this side, blocks one after another.
  std::uint16_t offset[bootstrap_blocks_max + 1] = {};
  std::uint32_t draws_per_block = 0;
  std::uint32_t rank = 0;  // of the quantile among blocks * draws_per_block draws, from 1
};

struct BootstrapPlan {
  std::uint32_t blocks = 0;
  std::uint64_t key = 0;
  BootstrapSide side[2];  // base, candidate
};

// Position in the samples of draw number `draw`, whose random word is `word`, in block `block`.
CR_HOST_DEVICE std::uint32_t drawn_index(const BootstrapSide& side, std::uint32_t block,
                                         std::uint32_t word) {
  const std::uint32_t first = side.offset[block];
  return first + math::below(word, side.offset[block + 1] - first);
}

// The block that slot `slot` of a replicate holds.
CR_HOST_DEVICE std::uint32_t drawn_block(const BootstrapPlan& plan, std::uint32_t replicate,
                                         std::uint32_t slot) {
  if (plan.blocks == 1) return 0;
  const math::Philox4 words = math::philox({{replicate, slot / 4, stream_blocks, 0}}, plan.key);
  const std::uint32_t low = slot % 2 == 0 ? words.word[0] : words.word[1];
  const std::uint32_t high = slot % 2 == 0 ? words.word[2] : words.word[3];
  return math::below(slot % 4 < 2 ? low : high, plan.blocks);
}

struct BootstrapInput {
  BootstrapPlan plan;
  std::vector<std::uint16_t> ranks[2];  // sorted position of each sample, in the order of blocks
  std::vector<double> sorted[2];
};
using Blocks = std::vector<std::vector<double>>;
// As many blocks of the candidate as of the base, 1 to 32, each with a sample; samples finite and
// above 0. Error: invalid_argument.
Result<BootstrapInput> bootstrap_input(const Blocks& base, const Blocks& cand, double quantile,
                                       std::uint64_t seed);

// picks[replicate]: position of the base's quantile in its sorted samples, shifted left by 16, and
// of the candidate's. `threads` 0: as many as the machine has.
std::vector<std::uint32_t> bootstrap_host(const BootstrapInput& input, std::uint32_t replicates,
                                          int threads = 0);
// The same on the device, synchronously.
Result<std::vector<std::uint32_t>> bootstrap_device(const BootstrapInput& input,
                                                    std::uint32_t replicates);

RatioQuantiles bootstrap_quantiles(const BootstrapInput& input, Direction direction,
                                   std::span<const std::uint32_t> picks, double margin,
                                   double confidence = 0.99);

}  // namespace checkride::kernels::statistics
