// sdpa.forward on the host: right outputs pass, each planted fault is found, and inputs are refused
// in words.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "kernels/attention/forward_e4m3.h"
#include "kernels/attention/sdpa_job.h"
#include "kernels/attention/sdpa_judge.h"
#include "kernels/attention/sdpa_subject.h"
#include "kernels/attention/sdpa_timing.h"
#include "kernels/tensor/files.h"
#include "tests/unit/kernels/run_job.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::attention;

namespace {

// On the host, small: one batch, two heads, 96 rows.
json::object small(json::object more = {}) {
  json::object inputs = {{"backend", "cpu"}, {"heads", 2}, {"seq", 96}};
  for (const auto& [name, value] : more) inputs[name] = value;
  return inputs;
}

JobReport report_for(const json::object& inputs) {
  const auto report = testing::run_job(sdpa_forward_job(), inputs);
  INFO((report ? std::string() : report.error().text()));
  REQUIRE(report);
  return *report;
}

Error error_for(const json::object& inputs) {
  const auto report = testing::run_job(sdpa_forward_job(), inputs);
  INFO(json::serialize(inputs));
  REQUIRE_FALSE(report);
  return report.error();
}

SdpaCase case_for(const json::object& inputs) {
  const auto request = request_of(inputs, std::filesystem::temp_directory_path());
  REQUIRE(request);
  auto sdpa = sdpa_case(*request);
  REQUIRE(sdpa);
  return *std::move(sdpa);
}

double figure(const JobReport& report, const char* name) {
  return report.fields.at(name).as_double();
}

bool says(const JobReport& report, const std::string& reason) {
  return std::ranges::find(report.reasons, reason) != report.reasons.end();
}

// The host's arithmetic with something done to the inputs before or to the output after.
class FaultyPass : public ForwardPass {
 public:
  using Fault = std::function<void(std::vector<std::uint16_t>& out, int call)>;
  FaultyPass(const SdpaCase& sdpa, Fault fault) : sdpa_(sdpa), fault_(std::move(fault)) {}
  Result<std::vector<std::uint16_t>> compute(const HostTensors& tensors,
                                             const std::vector<float>& v_scale) override {
    auto out = compute_on_host(sdpa_, tensors, v_scale);
    fault_(out, calls_++);
    return out;
  }

 private:
  const SdpaCase& sdpa_;
  Fault fault_;
  int calls_ = 0;
};

JobReport judged(const SdpaCase& sdpa, ForwardPass& pass) {
  const auto report = judge_case(sdpa, pass, {});
  REQUIRE(report);
  return *report;
}

// Codes that were multiplied with the wrong scale, or none.
class WrongScalePass : public ForwardPass {
 public:
  WrongScalePass(const SdpaCase& sdpa, float k_factor, float v_factor)
      : sdpa_(sdpa), k_factor_(k_factor), v_factor_(v_factor) {}
  Result<std::vector<std::uint16_t>> compute(const HostTensors& tensors,
                                             const std::vector<float>& v_scale) override {
    E4m3Host codes = quantise(sdpa_.problem, tensors, v_scale);
    for (float& scale : codes.k_scale) scale *= k_factor_;
    for (float& scale : codes.v_scale) scale *= v_factor_;
    return forward_host(sdpa_.problem, codes, sdpa_.tiling, 1);
  }

 private:
  const SdpaCase& sdpa_;
  float k_factor_, v_factor_;
};

}  // namespace

TEST_CASE("right outputs pass in every type, on every distribution") {
  for (const char* dtype : {"f16", "bf16", "e4m3"})
    for (const char* distribution : {"normal", "outliers", "constant", "one_hot"})
      for (const bool causal : {false, true}) {
        INFO(dtype << " " << distribution << " causal " << causal);
        const JobReport report = report_for(
            small({{"dtype", dtype}, {"distribution", distribution}, {"causal", causal}}));
        INFO(report.message << json::serialize(report.fields));
        CHECK(report.status == Status::pass);
        CHECK(report.backend == Backend::cpu);
        CHECK_FALSE(report.perf_valid);
        CHECK(report.fields.at("deterministic").as_bool());
        CHECK(report.fields.at("latency_us_per_launch").is_null());
        CHECK(figure(report, "err_max") <= figure(report, "err_budget"));
        CHECK(report.fields.at("causal_first_row_exact").is_null() != causal);
        CHECK(report.fields.at("permutation_max_abs").is_null() == causal);
      }
}

TEST_CASE("e4m3 is as far from fp64 as four bits of fraction leave it") {
  const JobReport report = report_for(small({{"dtype", "e4m3"}, {"seq", 256}}));
  CHECK(report.status == Status::pass);
  CHECK(figure(report, "rel_fro") <= e4m3_rel_fro_max);
  CHECK(figure(report, "rel_fro") >= 0.02);
  CHECK(figure(report, "err_over_model") == 1.0);
}

TEST_CASE("the host takes other head sizes, fewer key heads and other key counts") {
  for (const char* dtype : {"f16", "e4m3"}) {
    CHECK(report_for(small({{"dtype", dtype}, {"head_dim", 32}})).status == Status::pass);
    CHECK(report_for(small({{"dtype", dtype}, {"head_dim", 128}, {"causal", true}})).status ==
          Status::pass);
    CHECK(report_for(small({{"dtype", dtype}, {"heads", 6}, {"kv_heads", 2}, {"kv_seq", 70}}))
              .status == Status::pass);
    CHECK(report_for(small({{"dtype", dtype}, {"kv_seq", 600}, {"seq", 20}})).status ==
          Status::pass);
  }
  // Heads that share keys give what as many copies of the keys give.
  const SdpaCase shared = case_for(small({{"heads", 4}, {"kv_heads", 2}, {"batch", 2}}));
  SdpaCase copied = shared;
  copied.problem.kv_heads = 4;
  const std::size_t head = 96 * 64;
  for (auto* values : {&copied.tensors.k, &copied.tensors.v}) {
    const std::vector<std::uint16_t> once = *values;
    values->clear();
    for (std::size_t at = 0; at < once.size(); at += head)
      for (int copy = 0; copy < 2; ++copy)
        values->insert(values->end(), once.begin() + static_cast<std::ptrdiff_t>(at),
                       once.begin() + static_cast<std::ptrdiff_t>(at + head));
  }
  CHECK(compute_on_host(shared, shared.tensors) == compute_on_host(copied, copied.tensors));
}

TEST_CASE("chosen rows are those of the whole") {
  const SdpaCase sdpa = case_for(small({{"causal", true}}));
  const auto whole = compute_on_host(sdpa, sdpa.tensors);
  const auto reference = forward_reference(sdpa.problem, sdpa.tensors, 2);
  const Rows rows = {191, 0, 100};
  const auto some = compute_on_host(sdpa, sdpa.tensors, {}, rows);
  const auto some_reference = forward_reference(sdpa.problem, sdpa.tensors, 2, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    CHECK(some_reference.lse[i] == reference.lse[rows[i]]);
    for (std::size_t d = 0; d < 64; ++d) {
      REQUIRE(some[i * 64 + d] == whole[rows[i] * 64 + d]);
      REQUIRE(some_reference.out[i * 64 + d] == reference.out[rows[i] * 64 + d]);
    }
  }
}

TEST_CASE("a problem too large for all rows is compared in 256 of them") {
  const JobReport report = report_for(
      {{"backend", "cpu"}, {"heads", 3}, {"seq", 1280}, {"invariants", false}, {"repeats", 1}});
  CHECK(report.status == Status::pass);
  CHECK(report.fields.at("oracle").as_string() == "fp64_rows");
  CHECK(report.fields.at("oracle_rows").as_int64() == 256);
  CHECK(report.fields.at("n").as_int64() == 256 * 64);
}

TEST_CASE("tensors come from files, and say their own sizes") {
  const auto folder = std::filesystem::temp_directory_path() / "checkride_sdpa_test";
  std::filesystem::create_directories(folder);
  const SdpaCase sdpa = case_for(small());
  const auto tensor_of = [](const std::vector<std::uint16_t>& bits) {
    Tensor tensor{ElementType::f16, {1, 2, 96, 64}, std::vector<std::byte>(bits.size() * 2)};
    std::memcpy(tensor.data.data(), bits.data(), tensor.data.size());
    return tensor;
  };
  const std::map<std::string, Tensor> tensors = {{"q", tensor_of(sdpa.tensors.q)},
                                                 {"k", tensor_of(sdpa.tensors.k)},
                                                 {"v", tensor_of(sdpa.tensors.v)}};
  json::object npy = {{"backend", "cpu"}}, safetensors = {{"backend", "cpu"}};
  REQUIRE(write_safetensors(folder / "qkv.safetensors", tensors));
  for (const auto& [name, tensor] : tensors) {
    REQUIRE(write_npy(folder / (name + ".npy"), tensor));
    npy[name] = (folder / (name + ".npy")).string();
    safetensors[name] = (folder / "qkv.safetensors").string();
    safetensors[name + "_tensor"] = name;
  }
  const JobReport made = report_for(small());
  for (const auto& inputs : {npy, safetensors}) {
    const JobReport loaded = report_for(inputs);
    CHECK(loaded.status == Status::pass);
    CHECK(loaded.inputs_sha256 == made.inputs_sha256);
    CHECK(loaded.fields.at("output_sha256") == made.fields.at("output_sha256"));
  }
  npy["seq"] = 96;
  CHECK(error_for(npy).message ==
        "seq is given with tensors from files; leave it out, the files "
        "say it");
  npy.erase("seq");
  npy.erase("v");
  CHECK(error_for(npy).message == "v is missing; give q, k and v, or none");
  Tensor flat = tensors.at("v");
  flat.shape = {2, 96, 64};
  REQUIRE(write_npy(folder / "flat.npy", flat));
  npy["v"] = (folder / "flat.npy").string();
  CHECK(error_for(npy).message.starts_with("v is f16[2, 96, 64]; give four dimensions"));
  Tensor infinite = tensors.at("v");
  infinite.data[201] = std::byte{0x7c};
  infinite.data[200] = std::byte{0};
  REQUIRE(write_npy(folder / "infinite.npy", infinite));
  npy["v"] = (folder / "infinite.npy").string();
  CHECK(error_for(npy).message ==
        "v has 1 elements that are no finite f16 numbers; give others, or another dtype");
  npy["v"] = (folder / "absent.npy").string();
  CHECK(error_for(npy).code == ErrorCode::not_found);
  std::filesystem::remove_all(folder);
}

TEST_CASE("what cannot be asked is refused in words") {
  CHECK(error_for(small({{"heads", 3}, {"kv_heads", 2}})).message ==
        "kv_heads is 2; give a divisor of heads, 3");
  CHECK(error_for(small({{"causal", true}, {"kv_seq", 95}})).message ==
        "causal needs as many keys as queries; give kv_seq 96");
  CHECK(error_for(small({{"scale", -1.0}})).message == "scale is not a positive number; give one");
  CHECK(error_for(small({{"seq", 0}})).code == ErrorCode::invalid_argument);
  CHECK(error_for(small({{"dtype", "f8"}})).code == ErrorCode::invalid_argument);
  CHECK(error_for(small({{"impl", "mma"}})).message ==
        "impl mma and backend cpu exclude each other");
  CHECK(error_for({{"backend", "cpu"}, {"batch", 1000}, {"seq", 100000}}).code ==
        ErrorCode::invalid_argument);
  ForwardProblem problem;
  problem.dim = 128;
  const auto plan = plan_forward(problem, 90);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == ErrorCode::unsupported);
  problem = {};
  problem.seq = 513;
  CHECK(plan_e4m3(problem, 90).error().code == ErrorCode::unsupported);
  problem.seq = 512;
  CHECK(plan_e4m3(problem, 80).error().code == ErrorCode::unsupported);
}

TEST_CASE("a wrong weight in a combination is found") {
  SdpaCase sdpa = case_for(small({{"seq", 300}}));
  SdpaCase wrong = sdpa;
  wrong.tiling.join_partials = [](float m_a, float l_a, float m_b, float l_b) {
    Joined joined = join(m_a, l_a, m_b, l_b);
    joined.weight_b *= 1.02f;
    return joined;
  };
  FaultyPass pass(wrong, [](auto&, int) {});
  const JobReport report = judged(sdpa, pass);
  CHECK(report.status == Status::fail);
  CHECK(says(report, "over_error_budget"));
  CHECK(says(report, "invariant_v_one"));
  CHECK_FALSE(report.message.empty());
}

TEST_CASE("a wrong scale of e4m3 is found") {
  const SdpaCase sdpa = case_for(small({{"dtype", "e4m3"}, {"seq", 128}}));
  WrongScalePass right(sdpa, 1.0f, 1.0f);
  CHECK(judged(sdpa, right).status == Status::pass);
  for (const float factor : {1.1f, 0.5f}) {
    WrongScalePass values(sdpa, 1.0f, factor);
    const JobReport report = judged(sdpa, values);
    CHECK(report.status == Status::fail);
    CHECK(says(report, "over_error_model"));
    CHECK(figure(report, "err_over_model") > e4m3_over_model_max);
    CHECK(says(report, "invariant_v_one"));
  }
  WrongScalePass keys(sdpa, 1.2f, 1.0f);
  CHECK(says(judged(sdpa, keys), "over_error_model"));
}

TEST_CASE("a head of zeros has scale one and gives zeros") {
  SdpaCase sdpa = case_for(small({{"dtype", "e4m3"}}));
  std::fill_n(sdpa.tensors.v.begin(), 96 * 64, std::uint16_t{0});
  const E4m3Host codes = quantise(sdpa.problem, sdpa.tensors);
  CHECK(codes.v_scale[0] == 1.0f);
  CHECK(codes.v_scale[1] != 1.0f);
  CHECK(std::all_of(codes.v.begin(), codes.v.begin() + 96 * 64, [](auto c) { return c == 0; }));
  FaultyPass pass(sdpa, [](auto&, int) {});
  CHECK(judged(sdpa, pass).status == Status::pass);
}

TEST_CASE("planted faults are found, each by its name") {
  const SdpaCase sdpa = case_for(small({{"causal", true}}));
  const auto found = [&](const FaultyPass::Fault& fault) {
    FaultyPass pass(sdpa, fault);
    const JobReport report = judged(sdpa, pass);
    CHECK(report.status == Status::fail);
    return report;
  };
  CHECK(says(found([](auto& out, int) { out[7000] = 0x7e00; }), "not_finite"));
  CHECK(says(found([](auto& out, int) { out[7000] = 0x7c00; }), "not_finite"));
  CHECK(found([](auto& out, int) { out[7000] = 0x7e00; }).fields.at("nan_actual") == 1);
  // Nothing that a guard may take for a small error is left beside elements that are no numbers.
  for (const FaultyPass::Fault& fault :
       {FaultyPass::Fault([](auto&out, int) { std::ranges::fill(out, std::uint16_t{0x7e00}); }),
        FaultyPass::Fault([](auto&out, int) { std::ranges::fill(out, poison); }),
        FaultyPass::Fault([](auto&out, int) { out[7000] = 0xfc00; })}) {
    const JobReport report = found(fault);
    for (const char* name : {"max_abs", "max_rel", "mean_abs", "rel_fro", "cosine", "ulp_p99",
                             "ulp_max", "err_max", "err_over_model"}) {
      INFO(name);
      CHECK(report.fields.at(name).is_null());
    }
    CHECK(report.fields.at("mismatch").as_int64() > 0);
  }
  // The worst elements are named by their places.
  const JobReport flipped = found([](auto& out, int) { out[9000] ^= 0x4000; });
  CHECK(flipped.fields.at("worst").at(0).at("index") == 9000);
  CHECK(flipped.fields.at("max_abs_index") == 9000);
  CHECK(flipped.fields.at("ulp_hist").as_array().size() == 34);
  const JobReport unwritten = found([](auto& out, int) { std::fill_n(&out[640], 64, poison); });
  CHECK(says(unwritten, "unwritten"));
  CHECK(unwritten.fields.at("unwritten") == 64);
  CHECK(says(found([](auto& out, int call) { out[9000] ^= call == 1; }), "not_deterministic"));
  CHECK(says(found([](auto& out, int) { out[9000] ^= 0x4000; }), "over_error_budget"));
  // One unit of the first row is within the budget, and still not the value.
  const JobReport first = found([](auto& out, int) { out[3] ^= 1; });
  CHECK(first.reasons == std::vector<std::string>{"invariant_causal_first_row"});
}

TEST_CASE("of rows compared by sample the worst element has its place in the whole output") {
  // More multiplications than are compared in full.
  const SdpaCase sdpa = case_for(
      {{"backend", "cpu"}, {"heads", 2}, {"seq", 1500}, {"kv_seq", 1500}, {"causal", false}});
  const auto out = compute_on_host(sdpa, sdpa.tensors);
  std::vector<std::uint16_t> wrong = out;
  for (std::size_t d = 0; d < 64; ++d) wrong[2999 * 64 + d] = f16_from_float(9.0f);
  const Judgement judged_wrong = judge_output(sdpa, wrong, 1);
  CHECK(judged_wrong.fields.at("oracle") == "fp64_rows");
  const std::int64_t at = judged_wrong.fields.at("max_abs_index").as_int64();
  CHECK(at / 64 == 2999);
  CHECK(judged_wrong.fields.at("worst").at(0).at("index") == at);
  CHECK(judge_output(sdpa, out, 1).reasons.empty());
}

TEST_CASE("an output that should be zero and is not is wrong in e4m3 too") {
  SdpaCase sdpa = case_for(small({{"dtype", "e4m3"}}));
  std::ranges::fill(sdpa.tensors.v, std::uint16_t{0});
  std::vector<std::uint16_t> out = compute_on_host(sdpa, sdpa.tensors);
  CHECK(judge_output(sdpa, out, 1).reasons.empty());
  out[5] = 1;  // the smallest number above zero
  const Judgement judgement = judge_output(sdpa, out, 1);
  CHECK(judgement.fields.at("rel_fro").is_null());
  CHECK(std::ranges::count(judgement.reasons, "over_error_model") == 1);
}

TEST_CASE("a reference that is no number judges nothing right") {
  for (const char* dtype : {"f16", "e4m3"}) {
    SdpaCase sdpa = case_for(small({{"dtype", dtype}}));
    std::fill_n(sdpa.tensors.v.begin(), 96 * 64, std::uint16_t{0x7c00});
    FaultyPass pass(sdpa, [](auto& out, int) { std::ranges::fill(out, std::uint16_t{0}); });
    SdpaOptions options;
    options.invariants = false;
    const auto report = judge_case(sdpa, pass, options);
    REQUIRE(report);
    CHECK(says(*report, "reference_not_finite"));
    CHECK(report->fields.at("rel_fro").is_null());
    CHECK(report->fields.at("err_over_model").is_null());
  }
}

TEST_CASE("faults that only an invariant sees are found") {
  const SdpaCase sdpa = case_for(small());
  const auto reasons_of = [&](const FaultyPass::Fault& fault) {
    FaultyPass pass(sdpa, fault);
    return judged(sdpa, pass).reasons;
  };
  using Reasons = std::vector<std::string>;
  // Calls: two passes, values of one, even and odd values, permuted keys, extreme scores.
  const auto doubled_at = [](int wanted) {
    return [wanted](std::vector<std::uint16_t>& out, int call) {
      if (call == wanted)
        for (std::uint16_t& bits : out) bits = f16_from_float(2.0f * float_from_f16(bits));
    };
  };
  CHECK(reasons_of(doubled_at(2)) == Reasons{"invariant_v_one"});
  CHECK(reasons_of(doubled_at(3)) == Reasons{"invariant_linear_in_v"});
  CHECK(reasons_of(doubled_at(4)) == Reasons{"invariant_linear_in_v"});
  CHECK(reasons_of(doubled_at(5)) == Reasons{"invariant_permutation"});
  CHECK(reasons_of(doubled_at(6)) == Reasons{"invariant_extreme_scores"});
  CHECK(reasons_of([](auto& out, int call) {
          if (call == 6) out[11] = 0x7e00;
        }) == Reasons{"invariant_extreme_scores"});
  CHECK(reasons_of(doubled_at(7)).empty());
}

TEST_CASE("tensors for 8-bit products are padded and transposed") {
  const std::vector<std::uint8_t> codes = {1, 2, 3, 4, 5, 6};  // one head, three rows of two
  const auto rows = padded_rows(codes, 3, 2);
  REQUIRE(rows.size() == 32);
  CHECK(std::equal(codes.begin(), codes.end(), rows.begin()));
  CHECK(std::all_of(rows.begin() + 6, rows.end(), [](auto c) { return c == 0; }));
  const auto columns = padded_transposed(codes, 3, 2);
  REQUIRE(columns.size() == 32);
  CHECK(std::vector(columns.begin(), columns.begin() + 4) == std::vector<std::uint8_t>{1, 3, 5, 0});
  CHECK(std::vector(columns.begin() + 16, columns.begin() + 20) ==
        std::vector<std::uint8_t>{2, 4, 6, 0});
}

TEST_CASE("the subject computes what the job judges") {
  const auto request = request_of(small(), std::filesystem::temp_directory_path());
  REQUIRE(request);
  const auto subject = sdpa_subject(*request);
  REQUIRE(subject);
  CHECK((*subject)->output_bytes() == 2 * 96 * 64 * 2);
  CHECK((*subject)->element_bytes() == 2);
  REQUIRE((*subject)->poison());
  CHECK((*subject)->output()->front() == std::byte{0xff});
  REQUIRE((*subject)->launch(nullptr, 0));
  const auto out = (*subject)->output();
  REQUIRE(out);
  const SdpaCase sdpa = case_for(small());
  const auto expected = compute_on_host(sdpa, sdpa.tensors);
  CHECK(std::memcmp(out->data(), expected.data(), out->size()) == 0);
}

TEST_CASE("the bound is the longest of matrix products, exponentials and memory") {
  const SdpaCase first = case_for({{"backend", "cpu"}});
  CHECK(work_of(first).flop == 536870912.0);
  CHECK(bound_of(first).by == "matrix");
  CHECK(bound_of(first).us == Approx(0.543).epsilon(0.001));
  const SdpaCase codes = case_for({{"backend", "cpu"}, {"dtype", "e4m3"}});
  CHECK(bound_of(codes).by == "exponentials");
  CHECK(bound_of(codes).us == Approx(0.501).epsilon(0.001));
  CHECK(bound_of(case_for(small({{"seq", 1}}))).by == "memory");
}

TEST_CASE("a launch quicker than its bound is no pass, and hides no wrong output") {
  const auto timed = [](double attained, const char* by, bool wrong) {
    JobReport report;
    report.status = Status::pass;
    if (wrong) report.fail_with("unwritten");
    report.fields = {{"attained_of_bound_pct", attained}, {"bound_by", by}};
    judge_time(report);
    return report;
  };
  CHECK(timed(99.0, "matrix", false).status == Status::pass);
  CHECK(timed(140.0, "memory", false).status == Status::pass);
  const JobReport quick = timed(140.0, "matrix", false);
  CHECK(quick.status == Status::error);
  CHECK(quick.reasons == std::vector<std::string>{"above_physical_limit"});
  const JobReport idle = timed(140.0, "exponentials", true);
  CHECK(idle.status == Status::fail);
  CHECK(idle.reasons == std::vector<std::string>{"unwritten", "above_physical_limit"});
  JobReport untimed;
  untimed.status = Status::pass;
  untimed.fields = {{"attained_of_bound_pct", nullptr}, {"bound_by", nullptr}};
  judge_time(untimed);
  CHECK(untimed.status == Status::pass);
}

TEST_CASE("what an H200 answered, replayed: the host asks the same and agrees") {
  const auto path = std::filesystem::path(std::getenv("CHECKRIDE_SOURCE")) /
                    "tests/fixtures/h200/sdpa.forward.json";
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const json::array answers = json::parse(text).as_array();
  REQUIRE(answers.size() >= 10);
  std::set<std::string> kernels;
  for (const json::value& answer : answers) {
    const json::object& inputs = answer.at("inputs").as_object();
    const json::object& report = answer.at("report").as_object();
    const auto number = [&](const char* name) { return report.at(name).as_double(); };
    INFO(json::serialize(inputs));
    kernels.insert(std::string(report.at("impl_used").as_string()));
    // The guards of a procedure.
    CHECK(report.at("status").as_string() == "pass");
    CHECK(report.at("perf_valid").as_bool());
    CHECK(number("err_max") <= number("err_budget"));
    CHECK(report.at("nan_actual").as_int64() == 0);
    CHECK(report.at("unwritten").as_int64() == 0);
    CHECK(report.at("unique_hashes").as_int64() == 1);
    CHECK(number("err_over_model") <= e4m3_over_model_max);
    CHECK(number("latency_us_per_launch") > std::max(number("floor_us"), number("bound_us")));
    if (report.at("dtype").as_string() == "f16") CHECK(report.at("mismatch").as_int64() == 0);
    // The same question here, where it is small enough to ask.
    if (report.at("oracle").as_string() != "fp64") continue;
    json::object here = inputs;
    here["backend"] = "cpu";
    here["invariants"] = false;
    here["repeats"] = 1;
    here.erase("impl");
    const JobReport host = report_for(here);
    CHECK(host.inputs_sha256 == std::string(report.at("inputs_sha256").as_string()));
    CHECK(figure(host, "ref_rms") == Approx(number("ref_rms")).epsilon(1e-12));
    CHECK(figure(host, "err_budget") == Approx(number("err_budget")).epsilon(0.02));
    CHECK(figure(host, "rel_fro") == Approx(number("rel_fro")).epsilon(0.05));
  }
  CHECK(kernels == std::set<std::string>{"mma", "split", "split_e4m3", "stream"});
}
