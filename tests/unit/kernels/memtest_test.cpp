#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "kernels/job/device.h"
#include "kernels/memtest/pattern_job.h"
#include "tests/unit/kernels/broken_memory.h"
#include "tests/unit/kernels/recorded.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::memtest;
using tests::BrokenMemory;

namespace {

std::vector<std::string> names_without_fade() {
  std::vector<std::string> names;
  for (const std::string_view name : pattern_names)
    if (name != "bit_fade") names.emplace_back(name);
  return names;
}

Plan plan_with(std::vector<std::string> patterns) {
  Plan plan;
  plan.patterns = std::move(patterns);
  plan.wait = [](std::chrono::milliseconds) {};
  return plan;
}

JobRequest on_host(json::object inputs) {
  JobRequest request;
  request.where = JobRequest::Where::cpu;
  request.inputs = std::move(inputs);
  return request;
}

constexpr std::uint64_t bad = BrokenMemory::base + 8 * 1234;
constexpr int bad_bit = 37;

}  // namespace

TEST_CASE("good memory has no errors under any pattern", "[memtest]") {
  BrokenMemory memory(GENERATE(1U, 2U, 3U, 6U, 14U, 15U, 5001U));
  Plan plan = plan_with(names_without_fade());
  plan.patterns.emplace_back("bit_fade");
  plan.passes = 2;
  const auto outcome = march(memory, plan);
  REQUIRE(outcome);
  CHECK(outcome->errors == 0);
  CHECK(outcome->fault == Fault::none);
  CHECK(outcome->patterns_run.size() == 2 * plan.patterns.size());
  CHECK(report_of(*outcome).status == Status::pass);
}

TEST_CASE("a stuck bit is named by every pattern: address, bit and class", "[memtest]") {
  const std::string name = GENERATE(from_range(names_without_fade()));
  const bool stuck_at = GENERATE(false, true);
  // A constant pattern sees only one of the two.
  if ((name == "zeros" && !stuck_at) || (name == "ones" && stuck_at)) return;
  if ((name == "aa" && stuck_at == (bad_bit % 2 == 1)) ||
      (name == "55" && stuck_at == (bad_bit % 2 == 0)))
    return;
  BrokenMemory memory(5000);
  memory.on_read = [=](std::uint64_t address, std::uint64_t held) -> std::uint64_t {
    const std::uint64_t mask = 1ULL << bad_bit;
    return address != bad ? held : stuck_at ? held | mask : held & ~mask;
  };
  // block_move and hash write one value to each place: either may agree with the stuck bit.
  Plan plan = plan_with({name});
  plan.passes = 8;
  const auto outcome = march(memory, plan);
  REQUIRE(outcome);
  INFO(name << " " << stuck_at);
  REQUIRE(outcome->errors > 0);
  CHECK(outcome->fault == Fault::persistent);
  const auto here = std::ranges::find_if(
      outcome->first, [](const FirstError& error) { return error.mismatch.address == bad; });
  REQUIRE(here != outcome->first.end());
  CHECK((here->mismatch.expected ^ here->mismatch.actual) == 1ULL << bad_bit);
  CHECK(here->fault == Fault::persistent);
  CHECK(outcome->bit_hist[bad_bit] > 0);
  for (std::size_t bit = 0; bit < 64; ++bit)
    if (bit != bad_bit) CHECK(outcome->bit_hist[bit] == 0);
}

TEST_CASE("a word that is right when read again was a transient read", "[memtest]") {
  BrokenMemory memory(5000);
  bool struck = false;
  memory.on_read = [&](std::uint64_t address, std::uint64_t held) -> std::uint64_t {
    if (address != bad || struck) return held;
    struck = true;
    return held ^ (1ULL << bad_bit);
  };
  const auto outcome = march(memory, plan_with({"hash"}));
  REQUIRE(outcome);
  CHECK(outcome->errors == 1);
  CHECK(outcome->fault == Fault::transient_read);
  CHECK(outcome->first.at(0).reread[0] == outcome->first.at(0).mismatch.expected);
}

TEST_CASE("a word that stays right once it is written again is the write path's", "[memtest]") {
  BrokenMemory memory(5000);
  bool struck = false;
  memory.on_write = [&](std::uint64_t address, std::uint64_t value) -> std::uint64_t {
    if (address != bad || struck) return value;
    struck = true;
    return value ^ (1ULL << bad_bit);
  };
  const std::string name = GENERATE("zeros", "address", "random");
  const auto outcome = march(memory, plan_with({name}));
  REQUIRE(outcome);
  CHECK(outcome->errors == 1);
  CHECK(outcome->fault == Fault::write_path);
}

TEST_CASE("a dead address line is told from a bad cell", "[memtest]") {
  const std::string name = GENERATE("address", "hash", "random", "inversions_32");
  const int line = GENERATE(3, 7, 12);
  BrokenMemory memory(4096);
  memory.decode = [=](std::uint64_t address) { return address & ~(1ULL << line); };
  const auto outcome = march(memory, plan_with({name}));
  REQUIRE(outcome);
  INFO(name << " " << line);
  CHECK(outcome->errors > 0);
  CHECK(outcome->fault == Fault::address);
}

TEST_CASE("one pass of hash sees every alias", "[memtest]") {
  std::set<std::uint64_t> values;
  for (std::uint64_t word = 0; word < 100000; ++word) values.insert(mixed(word, 42));
  CHECK(values.size() == 100000);
}

namespace {

// Flips a bit of one word behind a march's back; what is found must say so.
Outcome march_with_flipped_bit(Memory& memory, const std::string& name, unsigned bit) {
  Plan plan = plan_with({name});
  std::uint64_t address = 0;
  plan.after_fill = [&](Memory& tested) -> Result<void> {
    if (address != 0) return {};
    // Against a value nobody wrote every word differs: so the test learns the addresses.
    CR_TRY(const Findings all, tested.verify({Family::constant, 0x0123456789abcdefULL, 0}));
    address = all.first.at(100).address;
    CR_TRY(const std::uint64_t held, tested.read(address));
    return tested.write(address, held ^ (1ULL << bit));
  };
  const auto outcome = march(memory, plan);
  REQUIRE(outcome);
  INFO(name);
  REQUIRE_FALSE(outcome->first.empty());
  const FirstError& error = outcome->first.front();
  CHECK((error.mismatch.expected ^ error.mismatch.actual) == 1ULL << bit);
  CHECK(outcome->bit_hist[bit] == outcome->errors);
  CHECK(error.fault == Fault::write_path);
  if (name != "block_move") CHECK(error.mismatch.address == address);
  return *outcome;
}

}  // namespace

TEST_CASE("an injected bit is named: address, bit and class", "[memtest]") {
  const std::string name = GENERATE(from_range(names_without_fade()));
  auto memory = host_memory(1 << 16, 2);
  REQUIRE(memory);
  const JobReport report = report_of(march_with_flipped_bit(**memory, name, 5));
  CHECK(report.status == Status::fail);
  CHECK(report.reasons == std::vector<std::string>{"memory_errors"});
}

TEST_CASE("bits that fade while nobody looks are seen by bit_fade alone", "[memtest]") {
  BrokenMemory memory(5000);
  bool faded = false;
  memory.on_read = [&](std::uint64_t address, std::uint64_t held) -> std::uint64_t {
    return faded && address == bad ? held & ~1ULL : held;
  };
  Plan plan = plan_with({"ones", "bit_fade"});
  std::vector<std::chrono::milliseconds> waits;
  plan.fade = std::chrono::seconds(60);
  plan.wait = [&](std::chrono::milliseconds time) {
    waits.push_back(time);
    faded = true;
  };
  const auto outcome = march(memory, plan);
  REQUIRE(outcome);
  CHECK(waits == std::vector<std::chrono::milliseconds>(2, std::chrono::seconds(60)));
  REQUIRE(outcome->errors == 1);
  CHECK(outcome->first.at(0).pattern == "bit_fade");
}

TEST_CASE("a test may end at the first pattern that finds an error", "[memtest]") {
  BrokenMemory memory(5000);
  memory.on_read = [](std::uint64_t address, std::uint64_t held) -> std::uint64_t {
    return address == bad ? held | 1 : held;
  };
  Plan plan = plan_with({"ones", "zeros", "aa", "hash"});
  plan.stop_on_error = true;
  const auto outcome = march(memory, plan);
  REQUIRE(outcome);
  CHECK(outcome->patterns_run == std::vector<std::string>{"ones", "zeros"});
}

TEST_CASE("memory that is wrong everywhere is counted and told in bounds", "[memtest]") {
  BrokenMemory memory(20000);
  memory.on_read = [](std::uint64_t, std::uint64_t held) { return held ^ 1; };
  const auto outcome = march(memory, plan_with({"zeros"}));
  REQUIRE(outcome);
  CHECK(outcome->errors == 20000);
  CHECK(outcome->first.size() == errors_told);
  CHECK(outcome->bit_hist[0] == mismatches_kept);
}

TEST_CASE("modulo 20 puts its value at every twentieth word", "[memtest]") {
  int members = 0;
  for (std::uint64_t address = 0; address < 8 * 200; address += 8)
    members += value_of({Family::modulo_20, 7, 3}, address) == 7 ? 1 : 0;
  CHECK(members == 10);
}

TEST_CASE("moves by a turn stay within their half and are undone by their inverse", "[memtest]") {
  const std::uint64_t half = GENERATE(1, 2, 6, 7, 8, 1000);
  const std::uint64_t turn = turn_within(7, half);
  for (std::uint64_t i = 0; i < half; ++i) {
    CHECK(moved_to(i, turn, half) < half);
    CHECK(moved_from(moved_to(i, turn, half), turn, half) == i);
  }
}

TEST_CASE("mem.pattern tests the host's memory within a bound", "[memtest]") {
  const auto report = memory_pattern_job().run(
      on_host({{"max_bytes", 2 << 20}, {"patterns", {"zeros", "address", "hash"}}}));
  REQUIRE(report);
  CHECK(report->status == Status::pass);
  CHECK(report->backend == Backend::cpu);
  CHECK_FALSE(report->perf_valid);
  CHECK(report->fields.at("bytes_tested") == 2 << 20);
  CHECK(report->fields.at("errors") == 0);
  CHECK(report->fields.at("class") == "none");
  CHECK(report->fields.at("bit_hist").as_array().size() == 64);
  CHECK(report->fields.at("ecc_uncorrected_delta").is_null());
  CHECK(report->fields.at("read_GBps").as_double() > 0.0);
}

TEST_CASE("mem.pattern refuses what it cannot mean", "[memtest]") {
  const auto refused = [](json::object inputs) {
    const auto report = memory_pattern_job().run(on_host(std::move(inputs)));
    return !report && report.error().code == ErrorCode::invalid_argument;
  };
  CHECK(refused({{"fraction", 0.0}}));
  CHECK(refused({{"fraction", 1.2}}));
  CHECK(refused({{"patterns", {"zeroes"}}}));
  CHECK(refused({{"passes", 0}}));
  CHECK(refused({{"max_bytes", 10}}));
}

// The host's report has the fields of the device's, and the same values where nothing was wrong.
TEST_CASE("the report of an H200 without errors is the host's, speed and size aside", "[memtest]") {
  const json::object recorded = tests::recorded_h200("mem.pattern");
  CHECK(recorded.at("status") == "pass");
  const auto report = memory_pattern_job().run(on_host({{"max_bytes", 1 << 20}}));
  REQUIRE(report);
  for (const auto& [name, value] : report->fields) {
    INFO(std::string(name));
    REQUIRE(recorded.contains(name));
    if (name != "bytes_tested" && !name.ends_with("_pct") && !name.ends_with("_GBps") &&
        !name.ends_with("_delta"))
      CHECK(recorded.at(name) == value);
  }
  CHECK(recorded.at("ecc_uncorrected_delta") == 0);
}

#ifdef CR_CUDA
namespace {

void check_good(std::uint64_t bytes) {
  const auto memory = device_memory(bytes);
  REQUIRE(memory);
  CHECK((*memory)->words() * 8 == bytes);
  const auto outcome = march(**memory, plan_with(names_without_fade()));
  REQUIRE(outcome);
  CHECK(outcome->errors == 0);
}

}  // namespace

TEST_CASE("a little device memory has no errors under any pattern", "[.gpu][small]") {
  REQUIRE(device());
  for (const std::uint64_t bytes : {16, 48, 65536 + 16}) check_good(bytes);
}

TEST_CASE("more than a cache of device memory has no errors under any pattern", "[.gpu]") {
  REQUIRE(device());
  check_good((96ULL << 20) + 16);
}

TEST_CASE("an injected bit in device memory is named: address, bit and class", "[.gpu]") {
  REQUIRE(device());
  const std::string name = GENERATE(from_range(names_without_fade()));
  const auto memory = device_memory(64ULL << 20);
  REQUIRE(memory);
  march_with_flipped_bit(**memory, name, 41);
}

TEST_CASE("mem.pattern passes on a tenth of this device's free memory", "[.gpu]") {
  JobRequest request;
  request.inputs = {{"fraction", 0.1}};
  const auto report = memory_pattern_job().run(request);
  REQUIRE(report);
  INFO(report->message);
  CHECK(report->backend == Backend::cuda);
  CHECK(report->status == Status::pass);
}
#endif
