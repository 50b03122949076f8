// Which attention kernel runs a problem, and with what grid; no GPU is asked.
#include <catch2/catch.hpp>
#include <limits>

#include "kernels/attention/attention.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::attention;

namespace {

ForwardProblem problem_of(int batch, int seq) {
  ForwardProblem problem;
  problem.batch = batch;
  problem.seq = seq;
  return problem;
}

constexpr std::uint32_t shared_bytes_max = 227 * 1024;  // of one block on compute capability 9.0

}  // namespace

TEST_CASE("one problem of 8 heads and 512 keys fills 128 multiprocessors once") {
  const auto plan = plan_forward(problem_of(1, 512), 90);
  REQUIRE(plan);
  CHECK(plan->variant == Variant::split);
  CHECK(plan->num_ctas() == 128);
  CHECK(plan->cluster == 2);
  CHECK(plan->splits() == 4);
  CHECK(plan->keys * plan->splits() == 512);
}

TEST_CASE("short problems are split within a block, large ones streamed") {
  CHECK(plan_forward(problem_of(1, 128), 90)->splits() == 2);
  CHECK(plan_forward(problem_of(1, 128), 90)->num_ctas() == 16);
  CHECK(plan_forward(problem_of(4, 512), 90)->variant == Variant::stream);
  CHECK(plan_forward(problem_of(4, 512), 90)->num_ctas() == 128);
  CHECK(plan_forward(problem_of(1, 2048), 90)->num_ctas() == 128);
  CHECK(plan_forward(problem_of(1, 2048), 90)->splits() == 1);
  CHECK(plan_forward(problem_of(1, 512), 80)->variant == Variant::mma);
}

TEST_CASE("every plan covers its rows and keys and fits a block") {
  for (const Variant variant : {Variant::automatic, Variant::mma, Variant::split, Variant::stream})
    for (const int seq : {1, 63, 64, 65, 128, 129, 300, 512, 513, 2048}) {
      const auto plan = plan_forward(problem_of(2, seq), 90, variant);
      if (!plan) {
        CHECK(variant == Variant::split);
        CHECK(seq > 512);
        CHECK(plan.error().code == ErrorCode::unsupported);
        continue;
      }
      const int rows = plan->variant == Variant::stream ? 128 : 64;
      CHECK(plan->grid_x % plan->cluster == 0);
      CHECK(plan->grid_x / plan->cluster * rows >= seq);
      CHECK((plan->grid_x / plan->cluster - 1) * rows < seq);
      CHECK(plan->grid_y == 16);
      CHECK(plan->shared_bytes <= shared_bytes_max);
      if (plan->variant == Variant::split) CHECK(plan->keys * plan->splits() >= seq);
    }
}

TEST_CASE("problems that cannot be run are refused with a reason") {
  ForwardProblem problem = problem_of(1, 0);
  CHECK(plan_forward(problem, 90).error().code == ErrorCode::invalid_argument);
  problem = problem_of(1 << 20, 64);
  CHECK(plan_forward(problem, 90).error().code == ErrorCode::invalid_argument);
  for (const float scale : {0.0f, -1.0f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    problem = problem_of(1, 512);
    problem.scale = scale;
    CHECK(plan_forward(problem, 90).error().code == ErrorCode::invalid_argument);
  }
  CHECK(plan_forward(problem_of(1, 512), 75).error().code == ErrorCode::unsupported);
  CHECK(plan_forward(problem_of(1, 512), 80, Variant::split).error().code ==
        ErrorCode::unsupported);
  CHECK_FALSE(parse_variant("fast"));
  for (const Variant variant : {Variant::automatic, Variant::mma, Variant::split, Variant::stream})
    CHECK(parse_variant(to_string(variant)).value() == variant);
}
