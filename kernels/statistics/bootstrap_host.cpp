#include <algorithm>
#include <numeric>
#include <thread>
#include <unordered_map>

#include "kernels/statistics/bootstrap.h"

namespace checkride::kernels::statistics {

namespace {

Result<void> fill(BootstrapInput& input, int which, const Blocks& blocks, double quantile) {
  std::vector<double> all;
  BootstrapSide& side = input.plan.side[which];
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    if (blocks[b].empty())
      return fail(ErrorCode::invalid_argument, "a block without samples cannot be resampled");
    all.insert(all.end(), blocks[b].begin(), blocks[b].end());
    if (all.size() > bootstrap_samples_max)
      return fail(ErrorCode::invalid_argument,
                  "the bootstrap takes at most " + std::to_string(bootstrap_samples_max) +
                      " samples a side; record fewer or leave bootstrap_replicates out");
    side.offset[b + 1] = static_cast<std::uint16_t>(all.size());
  }
  std::vector<std::uint16_t> order(all.size());
  std::iota(order.begin(), order.end(), std::uint16_t{0});
  std::ranges::stable_sort(order, {}, [&](std::uint16_t i) { return all[i]; });
  input.ranks[which].resize(all.size());
  for (std::size_t position = 0; position < order.size(); ++position)
    input.ranks[which][order[position]] = static_cast<std::uint16_t>(position);
  std::ranges::sort(all);
  side.draws_per_block = static_cast<std::uint32_t>(all.size() / blocks.size());
  side.rank = static_cast<std::uint32_t>(
      quantile_rank(quantile, std::size_t{side.draws_per_block} * blocks.size()));
  input.sorted[which] = std::move(all);
  return {};
}

// One side of one replicate; `drawn` is room for the ranks.
std::uint32_t pick(const BootstrapInput& input, std::uint32_t which, std::uint32_t replicate,
                   std::span<const std::uint32_t> slots, std::vector<std::uint16_t>& drawn) {
  const BootstrapSide& side = input.plan.side[which];
  const std::uint32_t draws = side.draws_per_block * input.plan.blocks;
  drawn.resize(draws);
  for (std::uint32_t first = 0; first < draws; first += 4) {
    const math::Philox4 words = math::philox({{replicate, first / 4, which, 0}}, input.plan.key);
    for (std::uint32_t draw = first; draw < std::min(first + 4, draws); ++draw) {
      const std::uint32_t block = slots[draw / side.draws_per_block];
      drawn[draw] = input.ranks[which][drawn_index(side, block, words.word[draw - first])];
    }
  }
  const auto wanted = drawn.begin() + static_cast<std::ptrdiff_t>(side.rank - 1);
  std::nth_element(drawn.begin(), wanted, drawn.end());
  return *wanted;
}

}  // namespace

Result<BootstrapInput> bootstrap_input(const Blocks& base, const Blocks& cand, double quantile,
                                       std::uint64_t seed) {
  if (base.empty() || base.size() != cand.size() || base.size() > bootstrap_blocks_max)
    return fail(ErrorCode::invalid_argument,
                "the bootstrap takes 1 to 32 blocks, as many of the candidate as of the base");
  if (!(quantile > 0.0 && quantile < 1.0))
    return fail(ErrorCode::invalid_argument, "a quantile lies between 0 and 1");
  BootstrapInput input;
  input.plan.blocks = static_cast<std::uint32_t>(base.size());
  input.plan.key = seed;
  CR_CHECK(fill(input, 0, base, quantile));
  CR_CHECK(fill(input, 1, cand, quantile));
  return input;
}

std::vector<std::uint32_t> bootstrap_host(const BootstrapInput& input, std::uint32_t replicates,
                                          int threads) {
  std::vector<std::uint32_t> picks(replicates);
  const unsigned here = std::max(1u, std::thread::hardware_concurrency());
  const std::uint32_t workers =
      std::clamp(threads > 0 ? static_cast<unsigned>(threads) : here, 1u, 64u);
  const auto run = [&](std::uint32_t worker) {
    std::vector<std::uint16_t> drawn;
    std::vector<std::uint32_t> slots(input.plan.blocks);
    const auto from = static_cast<std::uint32_t>(std::uint64_t{replicates} * worker / workers);
    const auto to = static_cast<std::uint32_t>(std::uint64_t{replicates} * (worker + 1) / workers);
    for (std::uint32_t replicate = from; replicate < to; ++replicate) {
      for (std::uint32_t slot = 0; slot < input.plan.blocks; ++slot)
        slots[slot] = drawn_block(input.plan, replicate, slot);
      const std::uint32_t base = pick(input, stream_base, replicate, slots, drawn);
      picks[replicate] = (base << 16) | pick(input, stream_cand, replicate, slots, drawn);
    }
  };
  std::vector<std::thread> pool;
  for (std::uint32_t worker = 1; worker < workers; ++worker) pool.emplace_back(run, worker);
  run(0);
  for (std::thread& thread : pool) thread.join();
  return picks;
}

RatioQuantiles bootstrap_quantiles(const BootstrapInput& input, Direction direction,
                                   std::span<const std::uint32_t> picks, double margin,
                                   double confidence) {
  std::unordered_map<std::uint32_t, double> counts;
  for (const std::uint32_t one : picks) counts[one] += 1.0;
  std::vector<WeightedRatio> grid;
  grid.reserve(counts.size());
  for (const auto& [key, count] : counts) {
    const double base = input.sorted[0][key >> 16];
    const double cand = input.sorted[1][key & 0xffff];
    grid.push_back({direction == Direction::lower_is_better ? cand / base : base / cand, count});
  }
  return quantiles_of(grid, margin, confidence);
}

}  // namespace checkride::kernels::statistics
