// On a device: bits equal to the host's, the figure of the bootstrap, effects of known size, and
// base against base. Hidden from ordinary runs; without a device they fail.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "engine/base/files.h"
#include "kernels/measure/floor.h"
#include "kernels/measure/graph_timer.h"
#include "kernels/statistics/bootstrap_kernel.h"
#include "kernels/statistics/perf_compare_job.h"
#include "kernels/statistics/verdict.h"
#include "tests/unit/kernels/spin.h"

using namespace checkride::kernels;
using namespace checkride::kernels::statistics;

namespace {

constexpr Direction shorter = Direction::lower_is_better;

Blocks blocks_of(std::size_t blocks, std::size_t samples, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(10.0, 0.2);
  Blocks all(blocks, std::vector<double>(samples));
  for (std::vector<double>& block : all)
    for (double& sample : block) sample = normal(engine);
  return all;
}

#define MUST(expression)                                \
  do {                                                  \
    const auto& must_result = (expression);             \
    if (!must_result) FAIL(must_result.error().text()); \
  } while (false)

SampleFile spin_file() {
  SampleFile file;
  file.metric = "latency_us_per_launch";
  file.unit = "us";
  file.cell = "spin 20000 cycles";
  const auto facts = checkride::kernels::cuda::device_facts();
  MUST(facts);
  file.conditions = {{"timing_mode", "graph_hot"},
                     {"shape", "1x32"},
                     {"dtype", ""},
                     {"inputs_sha256", ""},
                     {"device_uuid", ""},
                     {"driver", std::to_string(facts->driver)},
                     {"nodes", "20"}};
  file.perf_valid = true;
  return file;
}

// Pairs of blocks of the spin kernel in balanced order, as many as the rule asks for.
Judgement compare_spin(long long base, long long cand) {
  Paired cell;
  for (;;) {
    const Judgement found = judge({&cell, 1})[0];
    if (found.blocks_wanted == 0) return found;
    while (cell.thetas.size() < static_cast<std::size_t>(found.blocks_wanted)) {
      const bool base_first = cell.thetas.size() % 2 == 0;
      const auto first = spin_block(base_first ? base : cand, 20, 50);
      MUST(first);
      const auto second = spin_block(base_first ? cand : base, 20, 50);
      MUST(second);
      const double a = median(*first);
      const double b = median(*second);
      cell.thetas.push_back(base_first ? theta(shorter, a, b) : theta(shorter, b, a));
    }
  }
}

}  // namespace

namespace {

// Each kernel that is built, and sizes at the edges of its draws.
void agree(std::uint32_t replicates) {
  struct Case {
    std::size_t blocks, base, cand;
    double quantile;
  };
  const Case c = GENERATE(Case{1, 200, 200, 0.5}, Case{1, 1, 1, 0.5}, Case{1, 3, 130, 0.9},
                          Case{8, 25, 25, 0.5}, Case{8, 50, 50, 0.99}, Case{16, 50, 31, 0.5},
                          Case{32, 52, 52, 0.5}, Case{1, 1664, 1000, 0.99}, Case{3, 7, 160, 0.25});
  INFO(c.blocks << " blocks of " << c.base << " and " << c.cand << " at " << c.quantile);
  Blocks base = blocks_of(c.blocks, c.base, 1);
  if (c.blocks > 1 && c.base > 2) base[1].resize(c.base - 2);
  const auto input = bootstrap_input(base, blocks_of(c.blocks, c.cand, 2), c.quantile, 99);
  MUST(input);
  const auto device = bootstrap_device(*input, replicates);
  MUST(device);
  CHECK(*device == bootstrap_host(*input, replicates));
}

}  // namespace

TEST_CASE("device and host agree on every replicate", "[.gpu]") {
  agree(20'001);
}

TEST_CASE("device and host agree on a few replicates", "[.gpu][small]") {
  agree(65);
}

TEST_CASE("the device's bootstrap is the exact one", "[.gpu]") {
  const Blocks base = blocks_of(1, 200, 5);
  const Blocks cand = blocks_of(1, 200, 6);
  const auto input = bootstrap_input(base, cand, 0.5, 1);
  MUST(input);
  const auto picks = bootstrap_device(*input, 1'000'000);
  MUST(picks);
  const std::vector<double> expected = quantile_probabilities(200, 0.5);
  std::vector<double> seen(200, 0.0);
  for (const std::uint32_t one : *picks) seen.at(one >> 16) += 1.0;
  for (std::size_t j = 0; j < 200; ++j) {
    const double error = std::sqrt(1e6 * expected[j] * (1.0 - expected[j]));
    CHECK(std::abs(seen[j] - 1e6 * expected[j]) <= 5.0 * error + 1.0);
  }
  const RatioQuantiles exact = exact_bootstrap(shorter, base[0], cand[0], 0.5, 0.01);
  const RatioQuantiles found = bootstrap_quantiles(*input, shorter, *picks, 0.01);
  CHECK(found.low == Approx(exact.low).epsilon(1e-3));
  CHECK(found.high == Approx(exact.high).epsilon(1e-3));
}

TEST_CASE("100,000 replicates of 200 against 200 on the device are the host's, and timed", "[.gpu]") {
  const std::size_t blocks = GENERATE(std::size_t{1}, std::size_t{8});
  const auto input = bootstrap_input(blocks_of(blocks, 200 / blocks, 1),
                                     blocks_of(blocks, 200 / blocks, 2), 0.5, 1);
  MUST(input);
  const auto tables = upload_tables(*input);
  MUST(tables);
  constexpr std::uint32_t replicates = 100'000;
  auto picks = checkride::kernels::cuda::DeviceBuffer::allocate(4 * replicates);
  MUST(picks);
  auto* out = static_cast<std::uint32_t*>(picks->data());
  const auto timing = measure::time_graph(
      [&](CUstream_st* stream, int) {
        return launch_bootstrap(*input, *tables, replicates, out, stream);
      },
      10, 50);
  MUST(timing);
  const auto floor = measure::time_graph(
      [&](CUstream_st* stream, int) {
        return measure::launch_empty({.grid_x = 132 * 6, .threads = 256}, stream);
      },
      100, 20);
  MUST(floor);
  std::printf("bootstrap_us blocks=%zu median=%.2f p05=%.2f p95=%.2f floor=%.2f limit=200\n",
              blocks, timing->us_per_launch, timing->p05_us, timing->p95_us, floor->us_per_launch);
  std::vector<std::uint32_t> found(replicates);
  MUST(picks->download(found.data()));
  CHECK(found == bootstrap_host(*input, replicates));
}

TEST_CASE("planted slowdowns of a spinning kernel are found, and speedups", "[.gpu]") {
  constexpr long long cycles = 20'000;
  const auto once = spin_block(cycles, 20, 50);
  MUST(once);
  const auto twice = spin_block(2 * cycles, 20, 50);
  MUST(twice);
  // Calibrated: what one cycle costs, the launch aside.
  const double us = median(*once);
  const double us_per_cycle = (median(*twice) - us) / static_cast<double>(cycles);
  const auto slower = [&](double effect) {
    return cycles + std::llround(us * effect / us_per_cycle);
  };
  std::printf("spin_us=%.3f us_per_kilocycle=%.4f\n", us, 1000.0 * us_per_cycle);
  for (const double effect : {0.0, 0.01, 0.03, 0.05, -0.05}) {
    const Judgement found = compare_spin(cycles, slower(effect));
    const std::string verdict(to_string(found.verdict));
    std::printf("planted %+.0f %%: ratio %.4f [%.4f, %.4f] %d blocks sd %.3f %% %s\n", 100 * effect,
                std::exp(found.estimate.mean), std::exp(found.estimate.low),
                std::exp(found.estimate.high), found.estimate.k, 100 * found.estimate.sd,
                verdict.c_str());
    INFO("planted " << effect << ": " << verdict);
    CHECK(found.estimate.mean == Approx(std::log1p(effect)).margin(0.004));
    if (effect == 0.0) CHECK(found.verdict == Verdict::not_regressed);
    if (effect >= 0.03) CHECK(found.verdict == Verdict::regressed);
    if (effect < 0.0) CHECK(found.verdict == Verdict::improved);
  }
}

TEST_CASE("base against base on the device never alarms", "[.gpu]") {
  SampleFile file = spin_file();
  for (int block = 0; block < 24; ++block) {
    const auto samples = spin_block(20'000, 20, 50);
    MUST(samples);
    file.blocks.push_back({*samples, {}, 0, 0});
  }
  std::mt19937_64 engine(1);
  int alarms = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    std::vector<std::size_t> order(24);
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), engine);
    Paired cell;
    for (std::size_t i = 0; i < 8; ++i)
      cell.thetas.push_back(theta(shorter, median(file.blocks[order[2 * i]].samples),
                                  median(file.blocks[order[2 * i + 1]].samples)));
    alarms += judge({&cell, 1})[0].verdict == Verdict::regressed;
  }
  std::printf("base against base: %d alarms in 20000 pairings of 24 blocks\n", alarms);
  CHECK(alarms == 0);
  if (const char* folder = std::getenv("CHECKRIDE_RECORD"))
    MUST(write_samples(std::string(folder) + "/perf.compare.base_blocks.json", file));
}

TEST_CASE("perf.compare answers alike on the device and on the host", "[.gpu]") {
  const auto folder = std::filesystem::temp_directory_path() / "perf_compare_gpu";
  std::filesystem::create_directories(folder);
  SampleFile base = spin_file();
  SampleFile cand = base;
  for (int block = 0; block < 8; ++block) {
    const auto first = spin_block(20'000, 20, 50);
    const auto second = spin_block(21'000, 20, 50);
    MUST(first);
    MUST(second);
    base.blocks.push_back({*first, {}, 0, 0});
    cand.blocks.push_back({*second, {}, 0, 0});
  }
  MUST(write_samples(folder / "base.json", base));
  MUST(write_samples(folder / "cand.json", cand));
  JobRequest request;
  request.folder = folder;
  request.inputs["base"] = json::array{(folder / "base.json").string()};
  request.inputs["cand"] = json::array{(folder / "cand.json").string()};
  request.inputs["bootstrap_replicates"] = 100'000;
  request.inputs["quantile"] = 0.9;
  request.where = JobRequest::Where::cuda;
  const auto device = perf_compare_job().run(request);
  MUST(device);
  request.where = JobRequest::Where::cpu;
  const auto host = perf_compare_job().run(request);
  MUST(host);
  CHECK(device->backend == Backend::cuda);
  CHECK(host->backend == Backend::cpu);
  CHECK(json::serialize(device->fields) == json::serialize(host->fields));
  CHECK(device->fields.at("verdict") == "regressed");
  if (const char* record = std::getenv("CHECKRIDE_RECORD")) {
    const std::string to = record;
    MUST(write_samples(to + "/perf.compare.base.json", base));
    MUST(write_samples(to + "/perf.compare.cand.json", cand));
    MUST(checkride::write_file_atomic(to + "/perf.compare.json", json::serialize(device->fields)));
  }
  std::filesystem::remove_all(folder);
}
