// The sampled bootstrap against the exact one, on the host.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "kernels/statistics/bootstrap.h"

using namespace checkride::kernels::statistics;

namespace {

constexpr Direction lower = Direction::lower_is_better;

std::vector<double> draws(std::size_t count, double level, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(level, 0.02 * level);
  std::vector<double> samples(count);
  for (double& sample : samples) sample = normal(engine);
  return samples;
}

RatioQuantiles sampled(const Blocks& base, const Blocks& cand, double quantile,
                       std::uint32_t replicates = 100'000, Direction direction = lower) {
  const auto input = bootstrap_input(base, cand, quantile, 7);
  REQUIRE(input);
  return bootstrap_quantiles(*input, direction, bootstrap_host(*input, replicates), 0.01);
}

}  // namespace

TEST_CASE("with one block the sampled bootstrap is the exact one", "[bootstrap]") {
  const double quantile = GENERATE(0.5, 0.9, 0.99);
  INFO(quantile);
  const std::vector<double> base = draws(200, 10.0, 1);
  const std::vector<double> cand = draws(200, 10.1, 2);
  const auto input = bootstrap_input({base}, {cand}, quantile, 3);
  REQUIRE(input);
  constexpr std::uint32_t replicates = 100'000;
  const std::vector<std::uint32_t> picks = bootstrap_host(*input, replicates);
  // Every rank of each side comes up as often as the binomial says, within five standard errors.
  const std::vector<double> expected = quantile_probabilities(200, quantile);
  for (const unsigned shift : {16u, 0u}) {
    std::vector<double> seen(200, 0.0);
    for (const std::uint32_t one : picks) seen.at((one >> shift) & 0xffffu) += 1.0;
    for (std::size_t j = 0; j < 200; ++j) {
      INFO("rank " << j);
      const double error = std::sqrt(replicates * expected[j] * (1.0 - expected[j]));
      CHECK(std::abs(seen[j] - replicates * expected[j]) <= 5.0 * error + 1.0);
    }
  }
  const RatioQuantiles exact = exact_bootstrap(lower, base, cand, quantile, 0.01);
  const RatioQuantiles found = bootstrap_quantiles(*input, lower, picks, 0.01);
  CHECK(found.middle == Approx(exact.middle).epsilon(1e-3));
  CHECK(found.low == Approx(exact.low).epsilon(3e-3));
  CHECK(found.high == Approx(exact.high).epsilon(3e-3));
  CHECK(found.p == Approx(exact.p).margin(0.01));
}

TEST_CASE("threads and replicates leave a replicate as it is", "[bootstrap]") {
  const auto input = bootstrap_input({draws(50, 1, 1), draws(50, 1, 2)},
                                     {draws(50, 1, 3), draws(50, 1, 4)}, 0.5, 11);
  REQUIRE(input);
  const std::vector<std::uint32_t> one = bootstrap_host(*input, 1000, 1);
  CHECK(one == bootstrap_host(*input, 1000, 7));
  const std::vector<std::uint32_t> fewer = bootstrap_host(*input, 100, 3);
  CHECK(std::equal(fewer.begin(), fewer.end(), one.begin()));
  const auto other = bootstrap_input({draws(50, 1, 1), draws(50, 1, 2)},
                                     {draws(50, 1, 3), draws(50, 1, 4)}, 0.5, 12);
  CHECK(bootstrap_host(*other, 1000, 1) != one);
}

TEST_CASE("blocks that differ widen the interval, samples alone do not", "[bootstrap]") {
  Blocks base;
  Blocks cand;
  std::vector<double> all_base;
  std::vector<double> all_cand;
  for (std::uint64_t b = 0; b < 8; ++b) {
    // Each process has a level of its own, ten times wider than the middle of 25 samples.
    base.push_back(draws(25, 10.0 * (1.0 + 0.04 * std::sin(static_cast<double>(b))), b));
    cand.push_back(draws(25, 10.0 * (1.0 + 0.04 * std::cos(static_cast<double>(3 * b))), 100 + b));
    all_base.insert(all_base.end(), base.back().begin(), base.back().end());
    all_cand.insert(all_cand.end(), cand.back().begin(), cand.back().end());
  }
  const RatioQuantiles blocks = sampled(base, cand, 0.5, 20'000);
  const RatioQuantiles pooled = sampled({all_base}, {all_cand}, 0.5, 20'000);
  CHECK(blocks.high - blocks.low > 1.5 * (pooled.high - pooled.low));
}

TEST_CASE("blocks are drawn evenly", "[bootstrap]") {
  // One sample a block, told apart: the middle of three draws has the odds of three samples.
  const auto input = bootstrap_input({{1.0}, {2.0}, {3.0}}, {{1.0}, {1.0}, {1.0}}, 0.5, 5);
  REQUIRE(input);
  const std::vector<std::uint32_t> picks = bootstrap_host(*input, 27'000);
  std::vector<int> seen(3);
  for (const std::uint32_t one : picks) ++seen.at(one >> 16);
  CHECK(std::abs(seen[0] - 7000) < 400);
  CHECK(std::abs(seen[1] - 13000) < 400);
  CHECK(std::abs(seen[2] - 7000) < 400);
}

TEST_CASE("swapped sides and the other direction turn the ratio round", "[bootstrap]") {
  const std::vector<double> slow = draws(60, 11.0, 1);
  const std::vector<double> fast = draws(60, 10.0, 2);
  CHECK(sampled({fast}, {slow}, 0.5, 5000).low > 1.05);
  CHECK(sampled({slow}, {fast}, 0.5, 5000).high < 0.95);
  CHECK(sampled({fast}, {slow}, 0.5, 5000, Direction::higher_is_better).high < 0.95);
}

TEST_CASE("constants, ties and single samples have an answer", "[bootstrap]") {
  const RatioQuantiles same = sampled({{2, 2, 2}}, {{2, 2}}, 0.5, 100);
  CHECK(same.low == 1.0);
  CHECK(same.high == 1.0);
  CHECK(same.p == 1.0);
  CHECK(sampled({{2}}, {{3}}, 0.99, 10).middle == 1.5);
  CHECK(sampled({{1, 1, 1, 4}}, {{1, 1, 1, 4}}, 0.5, 1000).middle == 1.0);
}

TEST_CASE("what cannot be resampled is refused", "[bootstrap]") {
  CHECK_FALSE(bootstrap_input({}, {}, 0.5, 1));
  CHECK_FALSE(bootstrap_input({{1.0}}, {{1.0}, {1.0}}, 0.5, 1));
  CHECK_FALSE(bootstrap_input({{1.0}}, {{}}, 0.5, 1));
  CHECK_FALSE(bootstrap_input({{1.0}}, {{1.0}}, 1.0, 1));
  CHECK_FALSE(bootstrap_input({draws(1665, 1, 1)}, {{1.0}}, 0.5, 1));
  CHECK_FALSE(bootstrap_input(Blocks(33, {1.0}), Blocks(33, {1.0}), 0.5, 1));
}
