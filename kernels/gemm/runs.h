// What the job does with a product for some seconds: timing it, or judging every one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "kernels/gemm/abft.h"
#include "kernels/gemm/problem.h"

namespace checkride::kernels::gemm {

struct Outcome {
  std::int64_t iterations = 0;
  std::vector<double> tflops;  // of each timed product
  std::optional<double> sm_clock_mhz{};
  std::optional<double> power_w{};
  std::optional<std::uint64_t> throttle_reasons{};  // bits of NVML seen while it was timed
  bool throttled = false;              // one of them makes figures of speed meaningless
  std::uint64_t hash_first = 0;
  std::int64_t hash_changes = 0;  // products whose C differs from the first one of its inputs
  std::int64_t nan_count = 0;
  std::int64_t inf_count = 0;
  // Of the judging run alone.
  std::int64_t rows_checked = 0;
  Mismatch mismatch;  // over all products; place and product of the first
  std::optional<std::int64_t> mismatch_iteration{};
  std::optional<double> freivalds{};
  std::size_t library_version = 0;  // of cuBLASLt; 0 on the host
};

// Faults for tests: called with C (on the device or the host) after each product, before checks.
using Fault = std::function<Result<void>(void* c, std::int64_t iteration)>;

// Products of normally distributed numbers, after up to a second of warm-up; each one's C is
// hashed. At least three.
Result<Outcome> time_on_device(const Problem& problem, double seconds);
Result<Outcome> time_on_host(const Problem& problem, double seconds);

// Products of whole numbers, each judged by its sums and hashed, then one of normally distributed
// numbers judged by Freivalds' check, both in fp32. At least two of the first; the run ends early
// after 8 wrong ones.
Result<Outcome> judge_on_device(const Problem& problem, double seconds, const Fault& fault = {});
Result<Outcome> judge_on_host(const Problem& problem, double seconds, const Fault& fault = {});

inline constexpr int wrong_products_max = 8;
inline constexpr std::int64_t iterations_max = 1'000'000;

}  // namespace checkride::kernels::gemm
