#include "kernels/measure/floor.h"

#include <catch2/catch.hpp>

#include "kernels/cuda/check.h"
#include "kernels/measure/graph_timer.h"
#include "tests/unit/kernels/run_catalog_job.h"
#include "tests/unit/kernels/spin.h"

namespace checkride::kernels {
namespace {

using measure::LaunchShape;

LaunchShape clustered() {
  LaunchShape shape{16, 8, 2, 384, 48 * 1024};
  shape.grid_z = 3;
  return shape;
}

TEST_CASE("a launch on a machine that has no device is an error, not a shape") {
  const bool usable = cuda::device_facts().has_value();
  const auto nodes = measure::nodes_of(
      [](CUstream_st* stream, int) { return measure::launch_empty(LaunchShape{}, stream); });
  CHECK(nodes.has_value() == usable);
}

TEST_CASE("the shapes of what a launch queues are read back", "[.gpu][small]") {
  const std::vector<LaunchShape> queued{LaunchShape{}, clustered(), LaunchShape{7, 1, 1, 96, 0}};
  const auto nodes = measure::nodes_of(measure::empty_launch(queued));
  REQUIRE(nodes);
  CHECK(nodes->others == 0);
  CHECK(nodes->kernels == queued);
}

TEST_CASE("a launch that fails is not captured", "[.gpu][small]") {
  const auto nodes = measure::nodes_of(
      [](CUstream_st*, int) -> Result<void> { return fail(ErrorCode::unsupported, "this one"); });
  REQUIRE_FALSE(nodes);
  CHECK(nodes.error().code == ErrorCode::unsupported);
}

// Not [small]: a sanitizer counts the error that is wanted here.
TEST_CASE("after a capture that failed the next launch is not taken for it", "[.gpu]") {
  // Waiting for the device ends a capture with an error.
  const auto nodes =
      measure::nodes_of([](CUstream_st*, int) -> Result<void> { return cuda::synchronize(); });
  REQUIRE_FALSE(nodes);
  CHECK(measure::nodes_of(measure::empty_launch({LaunchShape{}})));
}

TEST_CASE("launches that overlap are told from those that wait", "[.gpu][small]") {
  const auto overlaps = [](const measure::Launch& launch, measure::Replay replay) {
    const auto timer = measure::LaunchTimer::prepare(launch, 2, replay);
    REQUIRE(timer);
    return timer->programmatic_launch();
  };
  using measure::Replay;
  const auto early = [](CUstream_st* stream, int) { return launch_overlapping(stream); };
  const auto waiting = measure::empty_launch({LaunchShape{}});
  for (const Replay replay : {Replay::one_graph, Replay::eager}) {
    CHECK(overlaps(early, replay));
    CHECK_FALSE(overlaps(waiting, replay));
  }
  // Between graphs nothing overlaps.
  CHECK_FALSE(overlaps(early, Replay::single_graphs));
}

TEST_CASE("two kernels a launch have the floor of two", "[.gpu]") {
  const auto us = [](const std::vector<LaunchShape>& shapes) {
    const auto timing = measure::time_graph(measure::empty_launch(shapes), 100, 50);
    REQUIRE(timing);
    return timing->us_per_launch;
  };
  const LaunchShape shape{128, 1, 1, 256, 0};
  const double one = us({shape}), two = us({shape, shape});
  INFO(one << " and " << two << " us");
  CHECK(two > 1.8 * one);
  CHECK(two < 2.2 * one);
}

TEST_CASE("a launch takes the same time in graphs of 20 and of 100", "[.gpu]") {
  const auto us = [](int nodes) {
    const auto spin = [](CUstream_st* stream, int) { return launch_spin(5000, stream); };
    const auto timing = measure::time_graph(spin, nodes, 100);
    REQUIRE(timing);
    return timing->us_per_launch;
  };
  const double few = us(20), many = us(100);
  INFO(few << " and " << many << " us");
  CHECK(few == Approx(many).epsilon(0.02));
}

TEST_CASE("a later timer reads what an earlier one did", "[.gpu]") {
  const auto us = [] {
    const auto timing =
        measure::time_graph(measure::empty_launch({LaunchShape{128, 1, 1, 256, 0}}), 100, 50);
    REQUIRE(timing);
    return timing->us_per_launch;
  };
  const double first = us();
  for (int i = 0; i < 4; ++i) CHECK(us() == Approx(first).epsilon(0.05));
}

TEST_CASE("the floor of a library's kernel is known", "[.gpu]") {
  const JobReport report = test::run_job(
      "latency.measure", R"({"backend": "cuda", "subject": "gemm.tensor", "criterion": "count",
                             "subject_inputs": {"m": 512, "n": 512, "k": 512}})");
  INFO(report.message);
  REQUIRE(report.status == Status::pass);
  CHECK(report.fields.at("floor_shape_known").as_bool());
  CHECK(report.fields.at("body_us").as_double() > 0.0);
}

}  // namespace
}  // namespace checkride::kernels
