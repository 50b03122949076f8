// The arithmetic the attention kernels are made of, compiled for the host and judged against fp64.
#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/attention/forward_host.h"
#include "kernels/attention/reference.h"

using namespace checkride::kernels;
using namespace checkride::kernels::attention;

namespace {

constexpr int threads = 2;

ForwardProblem problem_of(int seq, Dtype dtype, bool causal) {
  ForwardProblem problem;
  problem.heads = 2;
  problem.seq = seq;
  problem.dtype = dtype;
  problem.causal = causal;
  return problem;
}

ErrorBudget judge(const ForwardProblem& problem, const HostTensors& tensors,
                  const std::vector<std::uint16_t>& actual) {
  return error_budget(problem, forward_reference(problem, tensors, threads).out,
                      forward_rounded(problem, tensors, threads), actual);
}

// 2% too much weight for the second partial.
Joined wrong_join(float m_a, float l_a, float m_b, float l_b) {
  Joined joined = join(m_a, l_a, m_b, l_b);
  joined.weight_b *= 1.02f;
  return joined;
}

void fill(std::vector<std::uint16_t>& values, Dtype dtype, float value) {
  std::fill(values.begin(), values.end(), bits_from_float(dtype, value));
}

}  // namespace

TEST_CASE("tiles, split or in turn, stay within the error budget") {
  for (const Dtype dtype : {Dtype::f16, Dtype::bf16})
    for (const bool causal : {false, true})
      for (const int seq : {1, 65, 130, 256}) {
        const ForwardProblem problem = problem_of(seq, dtype, causal);
        const HostTensors tensors = random_tensors(problem, 7);
        INFO(to_string(dtype) << " causal " << causal << " seq " << seq);
        for (const int parts : {2, 4}) {
          const auto budget =
              judge(problem, tensors, forward_host(problem, tensors, {128, parts}, threads));
          INFO("parts " << parts << " error " << budget.err_max << " budget " << budget.err_budget);
          CHECK(budget.passes());
        }
        CHECK(judge(problem, tensors, forward_host(problem, tensors, {64, 1}, threads)).passes());
      }
}

TEST_CASE("one wrong weight in a combination is over the budget") {
  for (const bool causal : {false, true}) {
    const ForwardProblem problem = problem_of(256, Dtype::f16, causal);
    const HostTensors tensors = random_tensors(problem, 7);
    CHECK(judge(problem, tensors, forward_host(problem, tensors, {64, 4}, threads)).passes());
    CHECK_FALSE(
        judge(problem, tensors, forward_host(problem, tensors, {64, 4, wrong_join}, threads))
            .passes());
  }
}

TEST_CASE("values of one give an output of one") {
  for (const Dtype dtype : {Dtype::f16, Dtype::bf16}) {
    const ForwardProblem problem = problem_of(200, dtype, false);
    HostTensors tensors = random_tensors(problem, 3);
    fill(tensors.v, dtype, 1.0f);
    const std::uint16_t one = bits_from_float(dtype, 1.0f);
    // The rounding of each probability is what may be left over.
    const float step = dtype == Dtype::f16 ? 0x1p-10f : 0x1p-7f;
    for (const std::uint16_t bits : forward_host(problem, tensors, {64, 4}, threads))
      REQUIRE((bits == one || std::fabs(float_from_bits(dtype, bits) - 1.0f) <= step));
  }
}

TEST_CASE("a causal first row is the first value, bit for bit") {
  const ForwardProblem problem = problem_of(256, Dtype::bf16, true);
  const HostTensors tensors = random_tensors(problem, 5);
  const auto out = forward_host(problem, tensors, {64, 4}, threads);
  const std::size_t head_elements = static_cast<std::size_t>(problem.seq) * 64;
  for (std::size_t head = 0; head < 2; ++head)
    for (std::size_t d = 0; d < 64; ++d)
      REQUIRE(out[head * head_elements + d] == tensors.v[head * head_elements + d]);
}

TEST_CASE("scores of plus and minus ten thousand stay finite and right") {
  ForwardProblem problem = problem_of(256, Dtype::f16, false);
  problem.scale = 1.0f;
  HostTensors tensors = random_tensors(problem, 11);
  // q = 12.5 everywhere, k = plus or minus 12.5 by key: every score is 64 * 156.25 = 10,000 or its
  // negative.
  fill(tensors.q, problem.dtype, 12.5f);
  for (std::size_t i = 0; i < tensors.k.size(); ++i)
    tensors.k[i] = bits_from_float(problem.dtype, i / 64 % 3 == 0 ? 12.5f : -12.5f);
  for (const int parts : {1, 4}) {
    const auto budget =
        judge(problem, tensors, forward_host(problem, tensors, {64, parts}, threads));
    CHECK(budget.nan == 0);
    CHECK(budget.passes());
  }
}

TEST_CASE("partials without a visible key weigh nothing") {
  const Joined left = join(no_score(), 0.0f, -300.0f, 2.0f);
  CHECK(left.m == -300.0f);
  CHECK(left.l == 2.0f);
  CHECK(left.weight_a == 0.0f);
  CHECK(left.weight_b == 1.0f);
  const Joined none = join(no_score(), 0.0f, no_score(), 0.0f);
  CHECK(none.m == no_score());
  CHECK(none.weight_a == 0.0f);
  CHECK(none.weight_b == 0.0f);
  CHECK(rescale(no_score(), folded_max(no_score(), 1.0f), -500.0f) == 0.0f);
}

TEST_CASE("key ranges that a tile of rows can see come first") {
  CHECK(active_parts(false, 0, 64, 512, 128, 4) == 4);
  CHECK(active_parts(false, 0, 64, 300, 128, 4) == 3);
  CHECK(active_parts(true, 0, 64, 512, 128, 4) == 1);
  CHECK(active_parts(true, 64, 64, 512, 128, 4) == 1);
  CHECK(active_parts(true, 128, 64, 512, 128, 4) == 2);
  CHECK(active_parts(true, 448, 64, 512, 128, 4) == 4);
}

TEST_CASE("the budget sees what was not written and what is not a number") {
  const ForwardProblem problem = problem_of(64, Dtype::f16, false);
  const HostTensors tensors = random_tensors(problem, 1);
  auto out = forward_host(problem, tensors, {64, 1}, threads);
  REQUIRE(judge(problem, tensors, out).passes());
  const std::uint16_t kept = out[5];
  out[5] = poison;
  CHECK(judge(problem, tensors, out).unwritten == 1);
  CHECK_FALSE(judge(problem, tensors, out).passes());
  out[5] = 0x7e00;
  CHECK(judge(problem, tensors, out).nan == 1);
  CHECK_FALSE(judge(problem, tensors, out).passes());
  out[5] = static_cast<std::uint16_t>(kept ^ 0x0400);  // the exponent's lowest bit
  CHECK_FALSE(judge(problem, tensors, out).passes());
  CHECK_FALSE(judge(problem, tensors, {}).passes());
}

TEST_CASE("the reference does not depend on the number of threads") {
  const ForwardProblem problem = problem_of(70, Dtype::f16, true);
  const HostTensors tensors = random_tensors(problem, 2);
  CHECK(forward_reference(problem, tensors, 1).out == forward_reference(problem, tensors, 3).out);
  CHECK(forward_host(problem, tensors, {64, 2}, 1) == forward_host(problem, tensors, {64, 2}, 3));
}
