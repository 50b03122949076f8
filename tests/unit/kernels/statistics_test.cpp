// The rule of paired blocks against noise whose truth is known, and the arithmetic under it.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "kernels/math/philox.h"
#include "kernels/statistics/estimate.h"
#include "kernels/statistics/exact_bootstrap.h"
#include "kernels/statistics/verdict.h"

using namespace checkride::kernels::statistics;
using checkride::kernels::math::philox;
using checkride::kernels::math::Philox4;

namespace {

constexpr Direction lower = Direction::lower_is_better;
constexpr Direction higher = Direction::higher_is_better;
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

struct NoiseModel {
  const char* name;
  double correlation;      // between a sample and the next
  double run_to_run;       // sd of a process's own level
  double slow_run_chance;  // of a run two percent slower than others
};
constexpr NoiseModel models[] = {
    {"independent", 0.0, 0.0, 0.0},          {"autocorrelated", 0.6, 0.0, 0.0},
    {"run to run 0.25 %", 0.0, 0.0025, 0.0}, {"run to run 0.5 %", 0.0, 0.005, 0.0},
    {"run to run 1 %", 0.0, 0.01, 0.0},      {"bimodal runs", 0.0, 0.0025, 0.2},
};

class Noise {
 public:
  Noise(const NoiseModel& model, std::uint64_t seed) : model_(model), engine_(seed) {}

  std::vector<double> block(double level) {
    std::vector<double> samples(50);
    const double slow = uniform_(engine_) < model_.slow_run_chance ? 1.02 : 1.0;
    const double run = level * slow * (1.0 + model_.run_to_run * normal_(engine_));
    double last = normal_(engine_);
    for (double& sample : samples) {
      const double rho = model_.correlation;
      last = rho * last + std::sqrt(1.0 - rho * rho) * normal_(engine_);
      sample = run * (1.0 + 0.01 * last);
    }
    return samples;
  }

 private:
  NoiseModel model_;
  std::mt19937_64 engine_;
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> uniform_;
};

// Adds pairs of blocks as long as the rule asks for more.
Judgement compare(Noise& noise, double effect, Direction direction = lower) {
  Paired cell;
  for (;;) {
    const Judgement found = judge({&cell, 1})[0];
    if (found.blocks_wanted == 0) return found;
    while (cell.thetas.size() < static_cast<std::size_t>(found.blocks_wanted))
      cell.thetas.push_back(
          theta(direction, median(noise.block(10.0)), median(noise.block(10.0 * effect))));
  }
}

struct Rates {
  double regressed = 0.0;
  double improved = 0.0;
  double passed = 0.0;
};
Rates rates(const NoiseModel& model, double effect, std::uint64_t seed, Direction direction = lower,
            int comparisons = 2000) {
  Noise noise(model, seed);
  Rates found;
  for (int i = 0; i < comparisons; ++i) {
    const Verdict verdict = compare(noise, effect, direction).verdict;
    found.regressed += verdict == Verdict::regressed;
    found.improved += verdict == Verdict::improved;
    found.passed += verdict == Verdict::not_regressed || verdict == Verdict::improved;
  }
  found.regressed /= comparisons;
  found.improved /= comparisons;
  found.passed /= comparisons;
  return found;
}

std::vector<double> around(double mean, double sd, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) values.push_back(mean + (i % 2 == 0 ? sd : -sd));
  return values;
}

Judgement judge_one(std::vector<double> thetas, Margins margins = {}) {
  const Paired cell{std::move(thetas), margins};
  return judge({&cell, 1})[0];
}

}  // namespace

TEST_CASE("two thousand comparisons under each of six noise models", "[statistics]") {
  const auto model = static_cast<std::size_t>(GENERATE(0, 1, 2, 3, 4, 5));
  const NoiseModel& noise = models[model];
  INFO(noise.name);
  const Rates same = rates(noise, 1.0, 100 + model);
  CHECK(same.regressed <= 0.002);
  CHECK(same.improved <= 0.002);
  CHECK(same.passed >= 0.95);
  const Rates slower = rates(noise, 1.03, 200 + model);
  CHECK(slower.regressed >= 0.95);
  CHECK(slower.passed <= 0.005);
}

TEST_CASE("the other direction has the same rates with the effect turned round", "[statistics]") {
  const NoiseModel& noise = models[3];
  CHECK(rates(noise, 1.03, 1, higher, 300).improved >= 0.95);
  CHECK(rates(noise, 1.03, 1, higher, 300).regressed == 0.0);
  CHECK(rates(noise, 0.97, 2, higher, 300).regressed >= 0.95);
  CHECK(rates(noise, 0.97, 2, lower, 300).improved >= 0.95);
  CHECK(rates(noise, 0.97, 2, lower, 300).regressed == 0.0);
}

TEST_CASE("theta is above zero for worse, whichever way is better", "[statistics]") {
  CHECK(theta(lower, 10.0, 11.0) == Approx(std::log(1.1)));
  CHECK(theta(higher, 10.0, 11.0) == Approx(-std::log(1.1)));
  CHECK(theta(higher, 11.0, 10.0) == Approx(std::log(1.1)));
  CHECK(std::isnan(theta(lower, 0.0, 1.0)));
  CHECK(std::isnan(theta(lower, 1.0, -1.0)));
  CHECK(std::isnan(theta(lower, nan_value, 1.0)));
  CHECK(std::isnan(theta(lower, 1.0, std::numeric_limits<double>::infinity())));
}

TEST_CASE("medians leave out what is not finite and shrug off one outlier", "[statistics]") {
  CHECK(median(std::vector<double>{3, 1, 2}) == 2.0);
  CHECK(median(std::vector<double>{4, 1, 2, 3}) == 2.5);
  CHECK(median(std::vector<double>{4, nan_value, 2, 3}) == 3.0);
  CHECK(median(std::vector<double>{1, 1, 1, 100}) == 1.0);
  CHECK(std::isnan(median(std::vector<double>{nan_value})));
  CHECK(std::isnan(median({})));
}

TEST_CASE("an interval is Student's", "[statistics]") {
  // t(0.995; 7 degrees of freedom) = 3.4994833, t(0.995; 1) = 63.6567412.
  const std::vector<double> eight = around(0.02, 0.004, 8);
  const Estimate e = estimate(eight, 0.0);
  CHECK(e.mean == Approx(0.02));
  CHECK(e.sd == Approx(0.004 * std::sqrt(8.0 / 7.0)));
  CHECK(e.high - e.mean == Approx(3.4994832974 * e.sd / std::sqrt(8.0)));
  CHECK(e.mean - e.low == Approx(e.high - e.mean));
  CHECK(e.hodges_lehmann == Approx(0.02));
  CHECK_FALSE(e.estimators_disagree);
  const Estimate two = estimate(std::vector<double>{0.01, 0.03}, 0.0);
  CHECK(two.high - two.mean == Approx(63.6567411629 * two.sd / std::sqrt(2.0)));
  // P(T > 2) with 7 degrees of freedom.
  const double bound = e.mean - 2.0 * e.sd / std::sqrt(8.0);
  CHECK(estimate(eight, bound).p == Approx(0.0428096728));
}

TEST_CASE("one wild block of eight shows in the estimators, not in a verdict", "[statistics]") {
  std::vector<double> thetas(8, 0.0);
  thetas[3] = std::log(100.0);
  const Judgement found = judge_one(thetas);
  CHECK(found.verdict == Verdict::noisy_environment);
  CHECK(found.blocks_wanted == 16);
  CHECK(found.estimate.hodges_lehmann == Approx(0.0).margin(1e-12));
  std::vector<double> many(32, 0.0);
  for (int i = 0; i < 8; ++i) many[static_cast<std::size_t>(4 * i)] = 2.0 + 0.001 * i;
  const Judgement all = judge_one(many);
  CHECK(all.verdict == Verdict::noisy_environment);
  CHECK(all.blocks_wanted == 0);
}

TEST_CASE("the two estimators disagree only where the interval is left", "[statistics]") {
  std::vector<double> skewed(32, 0.0);
  for (std::size_t i = 0; i < 16; ++i) skewed[i] = 0.0001 * static_cast<double>(i);
  CHECK_FALSE(estimate(skewed, 0.0).estimators_disagree);
  // Nine tenths at zero and the rest far away: the mean moves, the median of means does not.
  std::vector<double> far(200, 0.0);
  for (std::size_t i = 0; i < 20; ++i) far[i] = 1.0;
  CHECK(estimate(far, 0.0).estimators_disagree);
}

TEST_CASE("identical constants are decided by their one value", "[statistics]") {
  CHECK(judge_one(std::vector<double>(8, 0.0)).verdict == Verdict::not_regressed);
  CHECK(judge_one(std::vector<double>(8, 0.05)).verdict == Verdict::regressed);
  CHECK(judge_one(std::vector<double>(8, -0.05)).verdict == Verdict::improved);
  CHECK(judge_one(std::vector<double>(8, 0.02)).verdict == Verdict::regressed);
  const Judgement same = judge_one(std::vector<double>(8, 0.0));
  CHECK(same.estimate.sd == 0.0);
  CHECK(same.estimate.p == 1.0);
  CHECK(same.estimate.low == same.estimate.high);
  CHECK(judge_one(std::vector<double>(8, 0.05)).estimate.p == 0.0);
}

TEST_CASE("the rule looks at 8, 16 and 32 blocks and nowhere between", "[statistics]") {
  CHECK(judge_one({}).blocks_wanted == 8);
  CHECK(judge_one({0.5}).verdict == Verdict::inconclusive);
  const Judgement two = judge_one({0.05, 0.05});
  CHECK(two.verdict == Verdict::inconclusive);  // k = 2, however clear
  CHECK(two.estimate.k == 2);
  // Decided at 8: what comes later is not looked at.
  std::vector<double> clear = around(0.0, 0.001, 8);
  clear.resize(32, 0.5);
  CHECK(judge_one(clear).verdict == Verdict::not_regressed);
  CHECK(judge_one(clear).estimate.k == 8);
  // Open at 8: 15 blocks are looked at as 8, 16 as 16.
  CHECK(judge_one(around(0.02, 0.012, 8)).blocks_wanted == 16);
  CHECK(judge_one(around(0.02, 0.012, 15)).estimate.k == 8);
  CHECK(judge_one(around(0.02, 0.012, 16)).estimate.k == 16);
  CHECK(judge_one(around(0.02, 0.012, 16)).verdict == Verdict::regressed);
  CHECK(judge_one(around(0.02, 0.018, 16)).blocks_wanted == 32);
  CHECK(judge_one(around(0.0199, 0.018, 31)).estimate.k == 16);
  const Judgement last = judge_one(around(0.0199, 0.018, 40), {0.015, 0.025});
  CHECK(last.estimate.k == 32);
  CHECK(last.verdict == Verdict::inconclusive);
  CHECK(last.blocks_wanted == 0);
}

TEST_CASE("between the margins either answer is allowed, outside only one", "[statistics]") {
  CHECK(judge_one(around(std::log(1.005), 0.001, 8)).verdict == Verdict::not_regressed);
  CHECK(judge_one(around(std::log(1.04), 0.001, 8)).verdict == Verdict::regressed);
  CHECK(judge_one(around(std::log(0.985), 0.001, 8)).verdict == Verdict::improved);
  CHECK(judge_one(around(std::log(0.995), 0.001, 8)).verdict == Verdict::not_regressed);
  CHECK(judge_one(around(std::log(1.04), 0.001, 8), {0.05, 0.1}).verdict == Verdict::not_regressed);
}

TEST_CASE("Holm's adjustment", "[statistics]") {
  const std::vector<double> p = holm(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  CHECK(p[0] == Approx(0.03));
  CHECK(p[1] == Approx(0.06));
  CHECK(p[2] == Approx(0.06));
  CHECK(p[3] == Approx(0.02));
  CHECK(holm(std::vector<double>{0.9, 0.8}) == std::vector<double>{1.0, 1.0});
  CHECK(holm({}).empty());
}

TEST_CASE("what stands alone may fall among many", "[statistics]") {
  // Regressed by its interval, p a little under half a percent.
  const Paired weak{around(std::log(1.01) + 0.0062, 0.0045, 8), {}};
  const Judgement alone = judge({&weak, 1})[0];
  REQUIRE(alone.verdict == Verdict::regressed);
  CHECK(alone.holm_p == alone.estimate.p);
  std::vector<Paired> family(40, Paired{around(0.0, 0.001, 8), {}});
  family[7] = weak;
  const std::vector<Judgement> found = judge(family);
  CHECK(found[7].held_by_holm);
  CHECK(found[7].verdict == Verdict::inconclusive);
  CHECK(found[7].blocks_wanted == 16);
  CHECK(found[7].holm_p == Approx(40 * alone.estimate.p));
  family[7] = Paired{around(0.05, 0.001, 8), {}};
  CHECK(judge(family)[7].verdict == Verdict::regressed);
  // Held at 8 blocks, it is looked at again at 16.
  family[7] = Paired{around(std::log(1.01) + 0.0062, 0.0045, 16), {}};
  CHECK(judge(family)[7].verdict == Verdict::regressed);
  CHECK(judge(family)[7].estimate.k == 16);
}

TEST_CASE("Cliff's delta counts pairs", "[statistics]") {
  CHECK(cliffs_delta(lower, std::vector<double>{1, 2}, std::vector<double>{3, 4}) == 1.0);
  CHECK(cliffs_delta(higher, std::vector<double>{1, 2}, std::vector<double>{3, 4}) == -1.0);
  CHECK(cliffs_delta(lower, std::vector<double>{2, 2}, std::vector<double>{2, 2}) == 0.0);
  CHECK(cliffs_delta(lower, std::vector<double>{1, 2, 3}, std::vector<double>{2}) == 0.0);
  CHECK(cliffs_delta(lower, std::vector<double>{1, 2, nan_value}, std::vector<double>{2}) == 0.5);
  CHECK(std::isnan(cliffs_delta(lower, {}, std::vector<double>{2})));
}

TEST_CASE("the exact bootstrap of three samples is the one worked by hand", "[statistics]") {
  // The median of 3 draws is the least with 7/27, the middle with 13/27, the most with 7/27.
  const std::vector<double> p = quantile_probabilities(3, 0.5);
  CHECK(p[0] == Approx(7.0 / 27));
  CHECK(p[1] == Approx(13.0 / 27));
  CHECK(p[2] == Approx(7.0 / 27));
  // Lower middle for an even number: of 2 draws from {a, b} the lesser is a with 3/4.
  CHECK(quantile_probabilities(2, 0.5)[0] == Approx(0.75));
  CHECK(quantile_rank(0.99, 100) == 99);
  CHECK(quantile_rank(0.07, 100) == 7);
  CHECK(quantile_rank(0.5, 5) == 3);
  CHECK(quantile_rank(0.0001, 5) == 1);
  const RatioQuantiles same =
      exact_bootstrap(lower, std::vector<double>{2, 2, 2}, std::vector<double>{2, 2, 2}, 0.5, 0.01);
  CHECK(same.low == 1.0);
  CHECK(same.high == 1.0);
  CHECK(same.p == Approx(1.0));
}

TEST_CASE("the exact bootstrap knows both directions", "[statistics]") {
  std::vector<double> base;
  std::vector<double> cand;
  for (int i = 0; i < 100; ++i) {
    base.push_back(10.0 + 0.001 * i);
    cand.push_back(10.5 + 0.001 * i);
  }
  const RatioQuantiles worse = exact_bootstrap(lower, base, cand, 0.5, 0.01);
  CHECK(worse.low > 1.04);
  CHECK(worse.high < 1.06);
  CHECK(worse.p < 1e-9);
  const RatioQuantiles better = exact_bootstrap(higher, base, cand, 0.5, 0.01);
  CHECK(better.high < 1.0 / 1.04);
  CHECK(better.p == Approx(1.0));
  CHECK(exact_bootstrap(higher, cand, base, 0.5, 0.01).middle == Approx(worse.middle));
}

TEST_CASE("Philox gives the words its authors published", "[statistics]") {
  const auto words = [](Philox4 counter, std::uint64_t key) {
    const Philox4 found = philox(counter, key);
    return std::vector<std::uint32_t>(found.word, found.word + 4);
  };
  CHECK(words({{0, 0, 0, 0}}, 0) ==
        std::vector<std::uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(words({{~0u, ~0u, ~0u, ~0u}}, ~std::uint64_t{0}) ==
        std::vector<std::uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(words({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822) ==
        std::vector<std::uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}
