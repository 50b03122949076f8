#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "kernels/gemm/abft.h"
#include "kernels/gemm/freivalds.h"
#include "kernels/gemm/host_product.h"
#include "kernels/gemm/runs.h"
#include "tests/unit/kernels/run_catalog_job.h"
#ifdef CR_CUDA
#include <cuda_runtime_api.h>

#include "kernels/gemm/device_checks.h"
#include "kernels/gemm/operands.h"
#endif

namespace checkride::kernels::gemm {
namespace {

constexpr Element elements[] = {Element::bf16, Element::fp16, Element::e4m3, Element::tf32};

Problem small_problem(Element element = Element::bf16) {
  Problem problem{96, 80, 112, element};
  problem.integers = true;
  problem.wide_output = true;
  problem.seed = 7;
  return problem;
}

std::vector<float> exact_product(const Problem& problem) {
  std::vector<float> c;
  for (std::int64_t row = 0; row < problem.m; ++row)
    for (std::int64_t col = 0; col < problem.n; ++col)
      c.push_back(static_cast<float>(exact_element(problem, row, col)));
  return c;
}

Mismatch judged(const Problem& problem, const std::vector<float>& c) {
  const Suspects suspects = suspects_of(expected_sums(problem), observed_sums(problem, c));
  const auto mismatch = located(problem, suspects, [&](std::int64_t row, std::int64_t col) {
    return Result<float>(c[static_cast<std::size_t>(row * problem.n + col)]);
  });
  REQUIRE(mismatch);
  return *mismatch;
}

float flipped(float value, int bit) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) ^ (1u << bit));
}

TEST_CASE("whole numbers are told from what is none") {
  std::int64_t whole = 0;
  CHECK((whole_number(-37.0f, whole) && whole == -37));
  CHECK((whole_number(-0.0f, whole) && whole == 0));
  CHECK((whole_number(16777216.0f, whole) && whole == 16777216));
  for (const float none : {0.5f, 37.000004f, std::nanf(""), INFINITY, -INFINITY, 3e9f})
    CHECK_FALSE(whole_number(none, whole));
}

TEST_CASE("normal values have mean 0 and deviation 1; integers are -1, 0 and 1 alike") {
  Problem problem{512, 512, 512};
  const Generator g = generator_of(problem);
  double sum = 0.0, squares = 0.0;
  std::int64_t counts[3] = {};
  constexpr std::int64_t total = 512 * 512;
  for (std::int64_t i = 0; i < 512; ++i) {
    for (std::int64_t j = 0; j < 512; ++j) {
      const double value = static_cast<double>(normal_value(g, Matrix::a, i, j));
      sum += value;
      squares += value * value;
      ++counts[integer_value(g, Matrix::b, i, j) + 1];
    }
  }
  CHECK(sum / total == Approx(0.0).margin(0.01));
  CHECK(squares / total == Approx(1.0).margin(0.02));
  for (const std::int64_t count : counts) CHECK(count == Approx(total / 3.0).epsilon(0.02));
}

TEST_CASE("integer rows of e4m3 hold at most 4096 numbers other than zero") {
  for (const std::int64_t k : {std::int64_t{4096}, std::int64_t{8192}, std::int64_t{10000}}) {
    const Generator g = generator_of(Problem{16, 16, k, Element::e4m3});
    for (std::int64_t row = 0; row < 4; ++row) {
      std::int64_t count = 0;
      for (std::int64_t at = 0; at < k; ++at)
        count += integer_value(g, Matrix::a, row, at) != 0 ? 1 : 0;
      CHECK(count <= e4m3_terms_max);
      CHECK(count > 1000);
    }
  }
}

TEST_CASE("a correct product has no suspects; its host product is exact in every type") {
  for (const Element element : elements) {
    const Problem problem = small_problem(element);
    const std::vector<float> c = exact_product(problem);
    CHECK(judged(problem, c).count == 0);
    std::vector<std::int64_t> rows(96);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
    const HostProduct product(problem, rows);
    std::vector<float> computed(product.elements());
    product.compute(computed);
    CHECK(computed == c);
  }
}

TEST_CASE("one flipped bit of C is found at its row and column") {
  const Problem problem = small_problem();
  const std::vector<float> right = exact_product(problem);
  for (int bit = 0; bit < 32; ++bit) {
    std::vector<float> c = right;
    const std::int64_t row = (bit * 37) % problem.m, col = (bit * 53) % problem.n;
    float& element = c[static_cast<std::size_t>(row * problem.n + col)];
    element = element == 0.0f ? 3.0f : element;  // a flipped sign of zero is no error
    const float before = right[static_cast<std::size_t>(row * problem.n + col)];
    if (before != 0.0f) element = flipped(before, bit);
    INFO("bit " << bit << " makes " << before << " " << element);
    const Mismatch mismatch = judged(problem, c);
    CHECK(mismatch.count == 1);
    CHECK(mismatch.row == row);
    CHECK(mismatch.column == col);
  }
}

TEST_CASE("NaN and infinity in C are found, counted and located") {
  const Problem problem = small_problem();
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    std::vector<float> c = exact_product(problem);
    c[static_cast<std::size_t>(5 * problem.n + 9)] = bad;
    const Observed observed = observed_sums(problem, c);
    CHECK(observed.nan_count + observed.inf_count == 1);
    const Mismatch mismatch = judged(problem, c);
    CHECK(mismatch.count == 1);
    CHECK(mismatch.row == 5);
    CHECK(mismatch.column == 9);
  }
}

TEST_CASE("several wrong elements are all seen, and so are two that cancel in a row") {
  const Problem problem = small_problem();
  std::vector<float> c = exact_product(problem);
  c[static_cast<std::size_t>(3 * problem.n + 4)] += 1.0f;
  c[static_cast<std::size_t>(60 * problem.n + 70)] -= 2.0f;
  Mismatch mismatch = judged(problem, c);
  CHECK(mismatch.count == 2);
  CHECK(mismatch.row == 3);
  CHECK(mismatch.column == 4);

  c = exact_product(problem);
  c[static_cast<std::size_t>(3 * problem.n + 4)] += 1.0f;
  c[static_cast<std::size_t>(3 * problem.n + 5)] -= 1.0f;
  mismatch = judged(problem, c);
  CHECK(mismatch.count == 2);  // the columns show it

  std::fill(c.begin(), c.end(), std::nanf(""));
  CHECK(judged(problem, c).count >= 64);
}

TEST_CASE("Freivalds' check passes rounding and finds one wrong element") {
  for (const Element element : elements) {
    Problem problem = small_problem(element);
    problem.integers = false;
    std::vector<std::int64_t> rows{0, 17, 95};
    const HostProduct product(problem, rows);
    std::vector<float> c(product.elements());
    product.compute(c);
    const std::vector<double> expected = products_expected(problem, rows);
    CHECK(largest_relative(products_of(problem, rows, c), expected) < 1e-5);
    std::vector<float> wrong = c;
    wrong[100] += 5.0f;
    CHECK(largest_relative(products_of(problem, rows, wrong), expected) > freivalds_limit(problem));
    wrong = c;
    wrong[100] = std::nanf("");
    CHECK(std::isinf(largest_relative(products_of(problem, rows, wrong), expected)));
    std::fill(wrong.begin(), wrong.end(), 0.0f);
    CHECK(std::isinf(largest_relative(products_of(problem, rows, wrong), expected)));
  }
}

TEST_CASE("judging on the host: a flipped bit in the second product is named") {
  Problem problem{64, 64, 64};
  const auto outcome = judge_on_host(problem, 0.0, [](void* c, std::int64_t iteration) {
    if (iteration == 1) static_cast<float*>(c)[12 * 64 + 34] += 4.0f;
    return Result<void>();
  });
  REQUIRE(outcome);
  CHECK(outcome->iterations == 2);
  CHECK(outcome->mismatch.count == 1);
  CHECK(outcome->mismatch.row == 12);
  CHECK(outcome->mismatch.column == 34);
  CHECK(outcome->mismatch_iteration == 1);
  CHECK(outcome->hash_changes == 1);
  CHECK(*outcome->freivalds < 1e-5);
}

TEST_CASE("judging on the host: many wrong elements of one product are one wrong product") {
  const Problem problem{64, 64, 64};
  const auto outcome = judge_on_host(problem, 0.0, [](void* c, std::int64_t iteration) {
    for (int i = 0; i < 20 && iteration == 0; ++i) static_cast<float*>(c)[i] += 4.0f;
    return Result<void>();
  });
  REQUIRE(outcome);
  CHECK(outcome->iterations == 2);
  CHECK(outcome->mismatch.count == 20);
  CHECK(outcome->mismatch_iteration == 0);
}

TEST_CASE("gemm.tensor on the host, both modes, every type") {
  for (const Element element : elements) {
    const std::string dtype(to_string(element));
    const JobReport sdc =
        test::run_job("gemm.tensor", R"({"backend": "cpu", "mode": "sdc", "m": 64, "n": 48, "k": 80,
                           "seconds": 0, "dtype": ")" +
                                         dtype + "\"}");
    INFO(sdc.message << boost::json::serialize(sdc.fields));
    CHECK(sdc.status == Status::pass);
    CHECK(sdc.fields.at("sdc_mismatch") == 0);
    CHECK(sdc.fields.at("rows_checked") == 64);
    CHECK(sdc.fields.at("sdc_row").is_null());
    CHECK(sdc.fields.at("TFLOPs_median").is_null());
    CHECK(sdc.fields.at("freivalds_max_rel").is_number());
  }
  const JobReport timed = test::run_job(
      "gemm.tensor", R"({"backend": "cpu", "m": 64, "n": 64, "k": 64, "seconds": 0.05})");
  CHECK(timed.status == Status::pass);
  CHECK_FALSE(timed.perf_valid);
  CHECK(timed.fields.at("TFLOPs_median").as_double() > 0.0);
  CHECK(timed.fields.at("sdc_mismatch").is_null());  // nothing was judged
  CHECK(timed.fields.at("hash_changes") == 0);
}

TEST_CASE("gemm.tensor on the host samples rows of a larger product") {
  const JobReport report = test::run_job(
      "gemm.tensor", R"({"backend": "cpu", "mode": "sdc", "m": 1024, "n": 128, "k": 528,
                         "seconds": 0})");
  CHECK(report.status == Status::pass);
  CHECK(report.fields.at("rows_checked") == 64);
}

TEST_CASE("gemm.tensor refuses sizes and types it does not know, and fails below its baseline") {
  const auto message = [](const std::string& inputs) {
    const JobReport report = test::run_job("gemm.tensor", inputs);
    CHECK(report.status == Status::error);
    return report.message;
  };
  using Catch::Contains;
  CHECK_THAT(message(R"({"backend": "cpu", "m": 100})"), Contains("multiples of 16"));
  CHECK_THAT(message(R"({"backend": "cpu", "dtype": "f64"})"), Contains("bf16, fp16, e4m3, tf32"));
  CHECK_THAT(message(R"({"backend": "cpu", "mode": "fast"})"), Contains("throughput, sdc"));
  CHECK_THAT(message(R"({"backend": "cpu", "baseline_TFLOPs": 0})"), Contains("not above 0"));
  CHECK_THAT(message(R"({"backend": "cpu", "mode": "sdc", "baseline_TFLOPs": 700})"),
             Contains("throughput only"));
  const JobReport slow = test::run_job(
      "gemm.tensor",
      R"({"backend": "cpu", "m": 32, "n": 32, "k": 32, "seconds": 0, "baseline_TFLOPs": 1000})");
  CHECK(slow.status == Status::fail);
  CHECK(slow.reasons == std::vector<std::string>{"below_baseline"});
}

TEST_CASE("figures recorded on an H200 are within what the device can do") {
  std::size_t timed = 0, judged_count = 0;
  for (const json::object& report : test::recorded_reports("gemm.tensor")) {
    const json::object& fields = report.at("fields").as_object();
    INFO(boost::json::serialize(fields));
    CHECK(report.at("status") == "pass");
    CHECK(fields.at("hash_changes") == 0);
    const auto element = element_named(std::string(fields.at("dtype").as_string()));
    REQUIRE(element);
    if (fields.at("mode") == "sdc") {
      ++judged_count;
      CHECK(report.at("perf_valid") == false);
      CHECK(fields.at("sdc_mismatch") == 0);
      CHECK(fields.at("freivalds_max_rel").as_double() <
            freivalds_limit(Problem{8192, 8192, 8192, *element}));
      continue;
    }
    ++timed;
    CHECK(report.at("perf_valid") == true);
    const double tflops = fields.at("TFLOPs_median").as_double();
    CHECK(tflops < *peak_tflops(*element, 90, 132));
    CHECK(tflops <
          *peak_tflops_at(*element, 90, 132, fields.at("sm_clock_mhz_median").as_double()));
    CHECK(fields.at("pct_of_peak").as_double() ==
          Approx(100.0 * tflops / *peak_tflops(*element, 90, 132)));
    CHECK(fields.at("sdc_mismatch").is_null());
  }
  CHECK(timed >= 4);
  CHECK(judged_count >= 4);
}

TEST_CASE("the product is a subject: it repeats bit for bit and can be timed") {
  const JobReport repeated =
      test::run_job("determinism", R"({"backend": "cpu", "subject": "gemm.tensor", "runs": 6,
                         "subject_inputs": {"m": 64, "n": 64, "k": 64}})");
  INFO(repeated.message);
  CHECK(repeated.status == Status::pass);
  CHECK(repeated.fields.at("elements") == 64 * 64);
  const JobReport timed = test::run_job(
      "latency.measure", R"({"backend": "cpu", "subject": "gemm.tensor", "criterion": "count",
                             "subject_inputs": {"m": 32, "n": 32, "k": 32}})");
  CHECK(timed.status == Status::pass);
}

#ifdef CR_CUDA

TEST_CASE("sums and products on the device are the host's", "[.gpu][small]") {
  for (const Element element : elements) {
    Problem problem = small_problem(element);
    const auto sums = expected_sums_on_device(problem);
    REQUIRE(sums);
    CHECK(sums->rows == expected_sums(problem).rows);
    CHECK(sums->columns == expected_sums(problem).columns);

    problem.integers = false;
    std::vector<std::int64_t> rows(96);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
    const auto expected = products_expected_on_device(problem);
    REQUIRE(expected);
    const std::vector<double> host = products_expected(problem, rows);
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK((*expected)[i] == Approx(host[i]));
  }
}

TEST_CASE("products on the device are exact, and one flipped bit is found there", "[.gpu]") {
  for (const Element element : elements) {
    Problem problem{512, 768, 1024, element};
    INFO(to_string(element));
    const auto clean = judge_on_device(problem, 0.2);
    REQUIRE(clean);
    CHECK(clean->mismatch.count == 0);
    CHECK(clean->hash_changes == 0);
    CHECK(clean->nan_count + clean->inf_count == 0);
    WARN(to_string(element) << " freivalds " << *clean->freivalds << " iterations "
                            << clean->iterations);
    CHECK(*clean->freivalds < freivalds_limit(problem));

    for (const int bit : {0, 12, 23, 30, 31}) {
      const auto faulty =
          judge_on_device(problem, 0.0, [&](void* c, std::int64_t iteration) -> Result<void> {
            if (iteration != 1) return Result<void>();
            std::uint32_t word = 0;
            auto* at = static_cast<std::uint32_t*>(c) + 345 * 768 + 678;
            CR_CHECK(cuda::check(cudaMemcpy(&word, at, 4, cudaMemcpyDeviceToHost), "read"));
            word = word == 0 ? 0x40400000u : word ^ (1u << bit);
            return cuda::check(cudaMemcpy(at, &word, 4, cudaMemcpyHostToDevice), "write");
          });
      REQUIRE(faulty);
      CHECK(faulty->mismatch.count == 1);
      CHECK(faulty->mismatch.row == 345);
      CHECK(faulty->mismatch.column == 678);
      CHECK(faulty->mismatch_iteration == 1);
    }
  }
}

TEST_CASE("sums over C on the device find NaN, infinity and a wrong number", "[.gpu][small]") {
  const Problem problem = small_problem();
  std::vector<float> c = exact_product(problem);
  auto abft = DeviceAbft::prepare(problem);
  auto buffer = cuda::DeviceBuffer::allocate(c.size() * 4);
  REQUIRE(abft);
  REQUIRE(buffer);
  const auto found_in = [&](std::int64_t row, std::int64_t col, float value) {
    std::vector<float> wrong = c;
    wrong[static_cast<std::size_t>(row * problem.n + col)] = value;
    REQUIRE(buffer->upload(wrong.data()));
    const auto found = abft->check(static_cast<const float*>(buffer->data()));
    REQUIRE(found);
    CHECK(found->suspects.rows == std::vector<std::int64_t>{row});
    CHECK(found->suspects.columns == std::vector<std::int64_t>{col});
    return *found;
  };
  CHECK(found_in(95, 79, std::nanf("")).nan_count == 1);
  CHECK(found_in(0, 0, INFINITY).inf_count == 1);
  CHECK(found_in(31, 63, 1e6f).nan_count == 0);
  REQUIRE(buffer->upload(c.data()));
  CHECK(abft->check(static_cast<const float*>(buffer->data()))->suspects.none());

  // Freivalds' sums over the same C, and what is not finite in it.
  const auto products = products_on_device(problem, static_cast<const float*>(buffer->data()));
  REQUIRE(products);
  std::vector<std::int64_t> rows(96);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i);
  CHECK(products->from_c == products_of(problem, rows, c).from_c);  // whole numbers: exact
  const auto finite = not_finite_in(problem, buffer->data());
  REQUIRE(finite);
  CHECK(finite->nan_count + finite->inf_count == 0);
}

TEST_CASE("gemm.tensor on the device", "[.gpu]") {
  // From idle: 16 products, before the power limit is felt.
  const JobReport burst = test::run_job("gemm.tensor", R"({"backend": "cuda", "seconds": 0})");
  WARN(boost::json::serialize(burst.fields) << " " << burst.message);
  CHECK(burst.status == Status::pass);
  for (const Element element : elements) {
    const JobReport report =
        test::run_job("gemm.tensor", R"({"backend": "cuda", "seconds": 2, "dtype": ")" +
                                         std::string(to_string(element)) + "\"}");
    WARN(boost::json::serialize(report.fields) << " " << report.message);
    CHECK(report.status == Status::pass);
    CHECK(report.perf_valid);
    const JobReport sdc = test::run_job(
        "gemm.tensor", R"({"backend": "cuda", "mode": "sdc", "seconds": 0.3, "dtype": ")" +
                           std::string(to_string(element)) + "\"}");
    WARN(boost::json::serialize(sdc.fields) << " " << sdc.message);
    CHECK(sdc.status == Status::pass);
  }
  const JobReport sdc =
      test::run_job("gemm.tensor", R"({"backend": "cuda", "mode": "sdc", "seconds": 1})");
  WARN(boost::json::serialize(sdc.fields) << " " << sdc.message);
  CHECK(sdc.status == Status::pass);
}

TEST_CASE("gemm.tensor on the device as a subject", "[.gpu]") {
  const JobReport repeated =
      test::run_job("determinism", R"({"backend": "cuda", "subject": "gemm.tensor", "runs": 20,
                         "cross_process": false, "subject_inputs": {"m": 2048, "n": 2048}})");
  WARN(boost::json::serialize(repeated.fields) << " " << repeated.message);
  CHECK(repeated.status == Status::pass);
  for (const char* mode : {"graph_hot", "graph_cold"}) {
    const JobReport timed = test::run_job(
        "latency.measure", R"({"backend": "cuda", "subject": "gemm.tensor", "timeout_s": 3,
            "criterion": "stdrel", "subject_inputs": {"m": 512, "n": 512, "k": 512},
            "timing_mode": ")" +
                               std::string(mode) + "\"}");
    WARN(mode << " " << boost::json::serialize(timed.fields) << " " << timed.message);
    CHECK(timed.fields.contains("latency_us_per_launch"));
  }
}

#endif

}  // namespace
}  // namespace checkride::kernels::gemm
