// perf.compare over sample files: what may be compared, what is answered, and how it reads.
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <random>

#include "engine/base/files.h"
#include "kernels/job/job.h"
#include "kernels/statistics/comparison.h"
#include "kernels/statistics/perf_compare_job.h"
#include "tests/unit/kernels/folder.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::statistics;
namespace fs = std::filesystem;

namespace {

using test::Folder;

// A side whose blocks scatter by half a percent around `level`.
SampleFile side(double level, std::uint64_t seed, int blocks = 8, std::size_t samples = 50) {
  SampleFile file;
  file.metric = "latency_us_per_launch";
  file.unit = "us";
  file.cell = "sdpa.forward 1x8x512x64 fp16";
  file.conditions = {{"timing_mode", "graph_hot"}, {"shape", "1x8x512x64"},  {"dtype", "f16"},
                     {"inputs_sha256", "aa"},      {"device_uuid", "GPU-1"}, {"driver", "13000"}};
  file.correctness = "pass";
  file.perf_valid = true;
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  for (int b = 0; b < blocks; ++b) {
    SampleBlock block;
    const double run = level * (1.0 + 0.0025 * normal(engine));
    for (std::size_t i = 0; i < samples; ++i)
      block.samples.push_back(run * (1.0 + 0.01 * normal(engine)));
    file.blocks.push_back(std::move(block));
  }
  return file;
}

SampleFile rate(double level, std::uint64_t seed) {
  SampleFile file = side(level, seed);
  file.metric = "samples_per_s";
  file.unit = "samples/s";
  file.direction = Direction::higher_is_better;
  return file;
}

fs::path fixture(const std::string& name) {
  return fs::path(std::getenv("CHECKRIDE_SOURCE")) / "tests/fixtures/h200" / name;
}

std::vector<Comparison> compared(const SampleFile& base, const SampleFile& cand,
                                 const CompareOptions& options = {}) {
  const auto all =
      kernels::statistics::compare(cells_of({{"base.json", base}}, {{"cand.json", cand}}), options);
  REQUIRE(all);
  return *all;
}

Verdict verdict(const SampleFile& base, const SampleFile& cand) {
  return compared(base, cand).at(0).verdict;
}

std::vector<std::string> differs(const SampleFile& base, const SampleFile& cand) {
  const Comparison found = compared(base, cand).at(0);
  CHECK(found.verdict == Verdict::incomparable);
  CHECK(to_text(found).find("INCOMPARABLE") != std::string::npos);
  return found.differs;
}

}  // namespace

TEST_CASE("swapped sides swap the verdict, in both directions", "[compare]") {
  const SampleFile fast = side(10.0, 1);
  const SampleFile slow = side(10.6, 2);
  CHECK(verdict(fast, slow) == Verdict::regressed);
  CHECK(verdict(slow, fast) == Verdict::improved);
  CHECK(verdict(fast, side(10.0, 3)) == Verdict::not_regressed);
  CHECK(verdict(rate(100, 1), rate(94, 2)) == Verdict::regressed);
  CHECK(verdict(rate(94, 2), rate(100, 1)) == Verdict::improved);
  CHECK(verdict(rate(100, 1), rate(100, 3)) == Verdict::not_regressed);
  CHECK(*compared(rate(100, 1), rate(94, 2))[0].ratio > 1.05);
}

TEST_CASE("what was not measured alike is not compared", "[compare]") {
  using List = std::vector<std::string>;
  const SampleFile base = side(10.0, 1);
  SampleFile other = base;
  for (const char* key :
       {"timing_mode", "shape", "dtype", "inputs_sha256", "device_uuid", "driver"}) {
    other = base;
    other.conditions[key] = "other";
    CHECK(differs(base, other) == List{std::string("conditions.") + key});
    CHECK(differs(other, base) == List{std::string("conditions.") + key});
  }
  other = base;
  other.conditions["nodes"] = "100";
  CHECK(differs(base, other) == List{"conditions.nodes"});
  CHECK(differs(other, base) == List{"conditions.nodes"});
  other = base;
  other.direction = Direction::higher_is_better;
  CHECK(differs(base, other) == List{"direction"});
  other = base;
  other.unit = "ns";
  CHECK(differs(base, other) == List{"unit"});
  other = base;
  other.correctness = "fail";
  CHECK(differs(base, other) == List{"correctness"});
  CHECK(differs(other, other) == List{"correctness"});
  other = base;
  other.perf_valid = false;
  CHECK(differs(base, other) == List{"perf_valid"});
  other = base;
  other.blocks.pop_back();
  CHECK(differs(base, other) == List{"blocks"});
  other = base;
  other.blocks[2].samples.assign(50, 0.0);
  CHECK(differs(base, other) == List{"not_positive"});
  other = base;
  std::fill_n(other.blocks[2].samples.begin(), 26, std::nan(""));
  CHECK(differs(base, other) == List{"samples_lost"});
  other.blocks[2].samples.clear();
  CHECK(differs(base, other) == List{"samples_lost"});
}

TEST_CASE("a cell that one side lacks is not passed over", "[compare]") {
  SampleFile other = side(10.0, 2);
  other.cell = "sdpa.forward 1x8x128x64 fp16";
  const std::vector<Comparison> all = compared(side(10.0, 1), other);
  REQUIRE(all.size() == 2);
  CHECK(all[0].differs == std::vector<std::string>{"no_base"});
  CHECK(all[1].differs == std::vector<std::string>{"no_candidate"});
}

TEST_CASE("files of one side must agree with each other", "[compare]") {
  const SampleFile half = side(10.0, 1, 4);
  SampleFile odd = side(10.0, 2, 4);
  const auto good = compare(cells_of({{"a", half}, {"b", odd}}, {{"c", side(10.0, 3)}}), {});
  REQUIRE(good);
  CHECK(good->at(0).verdict == Verdict::not_regressed);
  CHECK(good->at(0).base_artifacts == std::vector<std::string>{"a", "b"});
  odd.conditions["driver"] = "12000";
  const auto mixed = compare(cells_of({{"a", half}, {"b", odd}}, {{"c", side(10.0, 3)}}), {});
  CHECK(mixed->at(0).differs == std::vector<std::string>{"mixed_base"});
}

TEST_CASE("few blocks ask for more", "[compare]") {
  const Comparison two = compared(side(10.0, 1, 2), side(12.0, 2, 2))[0];
  CHECK(two.verdict == Verdict::inconclusive);
  CHECK(two.blocks_wanted == 8);
  CHECK(two.reasons == std::vector<std::string>{"inconclusive", "more_blocks"});
  CHECK(two.ratio_ci99);
  const Comparison one = compared(side(10.0, 1, 1), side(12.0, 2, 1))[0];
  CHECK_FALSE(one.ratio_ci99);
  CHECK_FALSE(one.p_one_sided);
  CHECK(*one.ratio == Approx(1.2).epsilon(0.02));
}

TEST_CASE("lost samples and one outlier change nothing but a count", "[compare]") {
  SampleFile cand = side(10.0, 2);
  cand.blocks[0].samples[3] = std::nan("");
  cand.blocks[1].samples[4] *= 100.0;
  cand.blocks[2].discarded = 5;
  const Comparison found = compared(side(10.0, 1), cand)[0];
  CHECK(found.verdict == Verdict::not_regressed);
  CHECK(found.discarded == 6);
  CHECK(found.samples_per_block == 49);
  SampleFile constant = side(10.0, 1);
  for (SampleBlock& block : constant.blocks) block.samples.assign(1, 4096.0);
  CHECK(verdict(constant, constant) == Verdict::not_regressed);
  CHECK(*compared(constant, constant)[0].cliffs_delta == 0.0);
  SampleFile more = constant;
  for (SampleBlock& block : more.blocks) block.samples.assign(1, 4300.0);
  CHECK(verdict(constant, more) == Verdict::regressed);
  CHECK(verdict(more, constant) == Verdict::improved);
}

TEST_CASE("a regression in time alone is the clock's", "[compare]") {
  SampleFile base = side(10.0, 1);
  SampleFile cand = side(10.6, 2);
  for (SampleBlock& block : base.blocks) block.clock_mhz = {1980.0};
  for (SampleBlock& block : cand.blocks) block.clock_mhz.assign(50, 1980.0 / 1.06);
  const Comparison slow_clock = compared(base, cand)[0];
  CHECK(slow_clock.verdict == Verdict::regressed);
  CHECK(slow_clock.confirmed_in_cycles == false);
  CHECK(slow_clock.reasons == std::vector<std::string>{"regressed", "clock"});
  CHECK(*slow_clock.clock_ratio == Approx(1.0 / 1.06));
  CHECK(*slow_clock.cycles_ratio == Approx(1.0).epsilon(0.005));
  CHECK(to_text(slow_clock).find("check the clock") != std::string::npos);
  for (SampleBlock& block : cand.blocks) block.clock_mhz = {1980.0};
  const Comparison code = compared(base, cand)[0];
  CHECK(code.confirmed_in_cycles == true);
  CHECK(*code.clock_ratio == Approx(1.0));
  // A rate: the same work in fewer cycles per second.
  SampleFile rate_base = rate(100, 1);
  SampleFile rate_cand = rate(94, 2);
  for (SampleBlock& block : rate_base.blocks) block.clock_mhz = {1980.0};
  for (SampleBlock& block : rate_cand.blocks) block.clock_mhz = {1980.0 * 0.94};
  CHECK(compared(rate_base, rate_cand)[0].confirmed_in_cycles == false);
  // One block without a clock: nothing is known.
  cand.blocks[3].clock_mhz.clear();
  CHECK_FALSE(compared(base, cand)[0].confirmed_in_cycles);
  CHECK_FALSE(compared(base, cand)[0].clock_ratio);
}

TEST_CASE("quick mode raises a suspicion and never a regression", "[compare]") {
  CompareOptions quick;
  quick.quick = true;
  const auto found = [&](const SampleFile& base, const SampleFile& cand) {
    return compared(base, cand, quick)[0];
  };
  const Comparison slow = found(side(10.0, 1, 1), side(10.6, 2, 1));
  CHECK(slow.verdict == Verdict::suspect);
  CHECK(slow.within_run);
  CHECK(*slow.ratio == Approx(1.06).epsilon(0.01));
  CHECK(found(side(10.6, 2, 1), side(10.0, 1, 1)).verdict == Verdict::not_suspect);
  CHECK(found(side(10.0, 2, 1), side(10.0, 1, 1)).verdict == Verdict::not_suspect);
  const Comparison few = found(side(10.0, 2, 1, 19), side(10.6, 1, 1, 19));
  CHECK(few.reasons == std::vector<std::string>{"inconclusive", "few_samples"});
  SampleFile wide = side(10.0, 1, 1, 30);
  SampleFile wide_slow = wide;
  for (std::size_t i = 0; i < 30; ++i) {
    wide.blocks[0].samples[i] = 10.0 + 0.1 * static_cast<double>(i % 5);
    wide_slow.blocks[0].samples[i] = 1.02 * wide.blocks[0].samples[i];
  }
  CHECK(found(wide, wide_slow).verdict == Verdict::inconclusive);
  CHECK_FALSE(compare(cells_of({{"a", side(10, 1)}}, {{"b", side(10, 2)}}), quick));
}

TEST_CASE("margins belong to a metric", "[compare]") {
  CompareOptions options;
  options.margins["latency_us_per_launch"] = {0.1, 0.2};
  CHECK(compared(side(10.0, 1), side(10.6, 2), options)[0].verdict == Verdict::not_regressed);
  options.margins = {{"another", {0.1, 0.2}}};
  CHECK(compared(side(10.0, 1), side(10.6, 2), options)[0].verdict == Verdict::regressed);
}

TEST_CASE("the sentence says effect, interval, p and verdict", "[compare]") {
  SampleFile base = side(10.0, 1);
  SampleFile cand = side(10.0, 1);
  for (std::size_t b = 0; b < 8; ++b) {
    base.blocks[b].samples.assign(50, 9.28);
    cand.blocks[b].samples.assign(50, 9.71 * (b % 2 == 0 ? 1.001 : 0.999));
  }
  CHECK(to_text(compared(base, cand)[0]) ==
        "latency_us_per_launch sdpa.forward 1x8x512x64 fp16: 9.28 → 9.71, ratio 1.046, 99 % CI "
        "[1.045, 1.048], 8 blocks, p=2e-12 (Holm 2e-12): REGRESSED (margin 1 %)");
}

TEST_CASE("a sample file is read as it was written", "[samples]") {
  SampleFile file = side(10.0, 1, 2, 3);
  file.blocks[0].samples[1] = std::nan("");
  file.blocks[0].clock_mhz = {1980.0, 1981.0, 1982.0};
  file.blocks[1].clock_mhz = {1700.0};
  file.blocks[1].discarded = 4;
  file.blocks[1].start_ns = 123;
  const auto read = samples_of(to_json(file));
  REQUIRE(read);
  CHECK(std::isnan(read->blocks[0].samples[1]));
  CHECK(read->blocks[0].samples[0] == Approx(file.blocks[0].samples[0]).epsilon(1e-15));
  CHECK(read->blocks[0].clock_mhz == file.blocks[0].clock_mhz);
  CHECK(read->blocks[1].clock_mhz == file.blocks[1].clock_mhz);
  CHECK(read->blocks[1].start_ns == 123);
  CHECK(read->metric == file.metric);
  CHECK(read->cell == file.cell);
  CHECK(read->perf_valid);
  CHECK(read->correctness == "pass");
  CHECK(read->blocks[1].discarded == 4);
  CHECK(read->conditions == file.conditions);
}

TEST_CASE("what is no sample file is refused by name", "[samples]") {
  const auto refused = [](const std::string& text) {
    const auto read = samples_of(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::invalid_argument);
    return read.error().message;
  };
  const std::string good = to_json(side(10.0, 1, 1, 2));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != text.npos);
    return text.replace(at, from.size(), to);
  };
  REQUIRE(samples_of(good));
  CHECK(refused("").find("no sample file") != std::string::npos);
  CHECK(refused("[1]").find("not an object") != std::string::npos);
  CHECK(refused(good.substr(0, good.size() / 2)).find("no sample file") != std::string::npos);
  CHECK(refused(std::string(100'000, '[')).find("no sample file") != std::string::npos);
  CHECK(refused(with("\"version\":1", "\"version\":2")).find("version 1") != std::string::npos);
  CHECK(refused(with("lower_is_better", "lower")).find("direction") != std::string::npos);
  CHECK(refused(with("\"driver\"", "\"motor\"")).find("conditions.driver") != std::string::npos);
  CHECK(refused(with("\"f16\"", "16")).find("conditions.dtype") != std::string::npos);
  CHECK(refused(with("\"pass\"", "\"maybe\"")).find("correctness") != std::string::npos);
  CHECK(refused(with("\"samples\":[", "\"samples\":[\"x\",")).find("blocks[0].samples") !=
        std::string::npos);
  CHECK(refused(with("\"discarded\":0", "\"discarded\":-1")).find("discarded") !=
        std::string::npos);
  CHECK(refused(with("\"discarded\":0", "\"clock_mhz\":[1]")).find("clock_mhz") !=
        std::string::npos);
}

TEST_CASE("the job reads files, judges all cells and writes its sentences", "[job]") {
  const Folder folder;
  const auto put = [&](const std::string& name, const SampleFile& file) {
    REQUIRE(write_samples(folder.path / name, file));
    return (folder.path / name).string();
  };
  const Job job = perf_compare_job();
  JobRequest request;
  request.folder = folder.path;
  request.where = JobRequest::Where::cpu;
  request.inputs["base"] = json::array{put("b1", side(10.0, 1)), put("b2", rate(100, 2))};
  request.inputs["cand"] = json::array{put("c1", side(10.0, 3)), put("c2", rate(94, 4))};

  const auto report = job.run(request);
  REQUIRE(report);
  CHECK(report->status == Status::fail);
  CHECK(report->reasons == std::vector<std::string>{"regressed"});
  CHECK(report->backend == Backend::parse);
  CHECK(report->fields.at("verdict") == "regressed");
  CHECK(report->fields.at("metric") == "samples_per_s");
  CHECK(report->fields.at("cells").as_array().size() == 2);
  CHECK(report->inputs_sha256.size() == 64);
  const auto text = read_file(folder.path / "comparison.txt", 10'000);
  REQUIRE(text);
  CHECK(text->find("REGRESSED") != std::string::npos);

  request.inputs["cand"] = json::array{put("c1", side(10.0, 3)), put("c2", rate(100, 4))};
  request.inputs["bootstrap_replicates"] = 2000;
  const auto good = job.run(request);
  REQUIRE(good);
  CHECK(good->status == Status::pass);
  CHECK(good->message.empty());
  CHECK(good->backend == Backend::cpu);
  const json::array& interval = good->fields.at("bootstrap_ci99").as_array();
  REQUIRE(interval.size() == 2);
  CHECK(interval[0].as_double() < 1.0);
  CHECK(interval[1].as_double() > 1.0);
  CHECK(json::serialize(job.run(request)->fields) == json::serialize(good->fields));

  request.inputs["mode"] = "fast";
  CHECK_FALSE(job.run(request));
  request.inputs["mode"] = "blocks";
  request.inputs["cand"] = json::array{};
  CHECK_FALSE(job.run(request));
  request.inputs["cand"] = json::array{(folder.path / "none").string()};
  CHECK(job.run(request).error().code == ErrorCode::not_found);
}

TEST_CASE("a report of many cells stays small, and the worst cells are in it", "[job]") {
  const Folder folder;
  JobRequest request;
  request.folder = folder.path;
  request.inputs["base"] = json::array{};
  request.inputs["cand"] = json::array{};
  for (int i = 0; i < 200; ++i) {
    for (const char* name : {"base", "cand"}) {
      SampleFile file = side(*name == 'c' && i == 150 ? 11.0 : 10.0, static_cast<unsigned>(i));
      file.cell = "cell " + std::to_string(i);
      const auto path = folder.path / (name + std::to_string(i));
      REQUIRE(write_samples(path, file));
      request.inputs.at(name).as_array().emplace_back(path.string());
    }
  }
  const auto report = perf_compare_job().run(request);
  REQUIRE(report);
  const json::object& fields = report->fields;
  CHECK(json::serialize(fields).size() < 48'000);
  CHECK(fields.at("verdict") == "regressed");
  CHECK(fields.at("cell") == "cell 150");
  const json::array& cells = fields.at("cells").as_array();
  CHECK(cells.at(0).at("cell") == "cell 150");
  CHECK(cells.at(1).at("verdict") != "regressed");
  CHECK(fields.at("cells_judged") == 200);
  CHECK(fields.at("cells_left_out").as_int64() == 200 - static_cast<std::int64_t>(cells.size()));
}

TEST_CASE("every field of the record is there, whatever the verdict", "[job]") {
  const auto names = [](std::string_view record) {
    std::vector<std::string> all;
    int depth = 0;
    std::string word;
    for (const char c : std::string(record) + ",") {
      if (c == '{' || c == '<') ++depth;
      if (c == '}' || c == '>') --depth;
      if (depth == 0 && c == ':') all.push_back(word);
      if (c == ',')
        word.clear();
      else if (c != ' ' && c != '?' && c != ':' && depth == 0)
        word += c;
    }
    return all;
  };
  const std::vector<std::string> declared = names(comparison_fields);
  CHECK(declared.size() == 36);
  SampleFile odd = side(10.0, 2);
  odd.unit = "ns";
  for (const Comparison& c :
       {compared(side(10.0, 1), side(10.0, 2))[0], compared(side(10.0, 1), odd)[0]}) {
    const json::object object = to_json(c);
    std::vector<std::string> found;
    for (const auto& [key, value] : object) found.emplace_back(key.data(), key.size());
    std::vector<std::string> wanted = declared;
    std::sort(found.begin(), found.end());
    std::sort(wanted.begin(), wanted.end());
    CHECK(found == wanted);
  }
}

TEST_CASE("base against base as recorded on an H200 raises no alarm", "[h200]") {
  const auto file = read_samples(fixture("perf.compare.base_blocks.json"));
  REQUIRE(file);
  REQUIRE(file->blocks.size() == 24);
  std::vector<double> medians;
  for (const SampleBlock& block : file->blocks) medians.push_back(median(block.samples));
  std::mt19937_64 engine(1);
  int alarms = 0;
  int found = 0;
  constexpr int trials = 100'000;
  for (int trial = 0; trial < trials; ++trial) {
    std::shuffle(medians.begin(), medians.end(), engine);
    Paired same;
    Paired slower;  // three percent planted
    for (std::size_t i = 0; i < 8; ++i) {
      same.thetas.push_back(theta(Direction::lower_is_better, medians[2 * i], medians[2 * i + 1]));
      slower.thetas.push_back(same.thetas.back() + std::log(1.03));
    }
    const Verdict verdict = judge({&same, 1})[0].verdict;
    alarms += verdict == Verdict::regressed || verdict == Verdict::improved;
    found += judge({&slower, 1})[0].verdict == Verdict::regressed;
  }
  CHECK(alarms == 0);
  CHECK(found == trials);
}

TEST_CASE("the host answers as the H200 did, byte for byte", "[h200]") {
  const Folder folder;
  JobRequest request;
  request.folder = folder.path;
  request.where = JobRequest::Where::cpu;
  request.inputs["base"] = json::array{fixture("perf.compare.base.json").string()};
  request.inputs["cand"] = json::array{fixture("perf.compare.cand.json").string()};
  request.inputs["bootstrap_replicates"] = 100'000;
  request.inputs["quantile"] = 0.9;
  const auto report = perf_compare_job().run(request);
  REQUIRE(report);
  CHECK(report->reasons == std::vector<std::string>{"regressed"});
  const auto text = read_file(fixture("perf.compare.json"), 100'000);
  REQUIRE(text);
  json::object recorded = json::parse(*text).as_object();
  json::object found = json::parse(json::serialize(report->fields)).as_object();
  // Where the files lay is all that differs, and the number of cells, which came after the
  // recording.
  CHECK(found.at("cells_judged") == 1);
  CHECK(found.at("cells_left_out") == 0);
  found.erase("cells_judged");
  found.erase("cells_left_out");
  for (json::object* one : {&recorded, &found}) {
    for (const char* name : {"base_artifacts", "cand_artifacts"}) {
      one->erase(name);
      one->at("cells").as_array()[0].as_object().erase(name);
    }
  }
  CHECK(json::serialize(found) == json::serialize(recorded));
}
