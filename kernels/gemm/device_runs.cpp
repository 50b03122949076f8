#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "kernels/gemm/operands.h"
#include "kernels/gemm/runs.h"
#include "kernels/hash/device_hash.h"
#include "kernels/hash/position_hash.h"
#include "kernels/measure/clock_stamps.h"
#include "kernels/nvml/sampler.h"

namespace checkride::kernels::gemm {
namespace {

using cuda::check;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// A few products at a time are queued, so that the device does not wait for the host.
constexpr int batch = 8;
constexpr double warm_up_seconds_max = 1.0;  // until clocks and power have settled

struct Batch {
  std::array<cudaEvent_t, batch> begins{}, ends{};
  cuda::DeviceBuffer sums;  // [batch] of the hashes
  measure::ClockStamps clocks;

  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  ~Batch() {
    for (auto* events : {&begins, &ends})
      for (cudaEvent_t event : *events)
        if (event != nullptr) cudaEventDestroy(event);
  }
  Result<void> prepare() {
    for (auto* events : {&begins, &ends})
      for (cudaEvent_t& event : *events)
        CR_CHECK(check(cudaEventCreate(&event), "create an event"));
    CR_TRY(sums, cuda::DeviceBuffer::allocate(batch * sizeof(std::uint64_t)));
    CR_TRY(clocks, measure::ClockStamps::prepare());
    return {};
  }
};

struct BatchResult {
  std::array<double, batch> us{};
  std::array<std::uint64_t, batch> hashes{};
  std::optional<double> sm_clock_mhz{};
};

Result<BatchResult> run_batch(Operands& operands, Batch& events) {
  const std::size_t bytes = operands.c.bytes();
  auto* sums = static_cast<std::uint64_t*>(events.sums.data());
  CR_CHECK(events.clocks.begin(nullptr));
  for (std::size_t i = 0; i < batch; ++i) {
    CR_CHECK(check(cudaMemsetAsync(operands.c.data(), 0xff, bytes, nullptr), "poison C"));
    CR_CHECK(check(cudaEventRecord(events.begins[i], nullptr), "record an event"));
    CR_CHECK(operands.multiply(nullptr));
    CR_CHECK(check(cudaEventRecord(events.ends[i], nullptr), "record an event"));
    CR_CHECK(queue_device_hash(operands.c.data(), bytes, sums + i, nullptr));
  }
  CR_CHECK(events.clocks.end(nullptr));
  CR_CHECK(cuda::synchronize());
  BatchResult result;
  CR_CHECK(events.sums.download(result.hashes.data()));
  for (std::size_t i = 0; i < batch; ++i) {
    float ms = 0.0f;
    CR_CHECK(check(cudaEventElapsedTime(&ms, events.begins[i], events.ends[i]), "read a time"));
    result.us[i] = static_cast<double>(ms) * 1000.0;
    result.hashes[i] = finished_hash(result.hashes[i], bytes);
  }
  CR_TRY(result.sm_clock_mhz, events.clocks.sm_clock_mhz());
  return result;
}

double median(std::vector<double> values) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

Result<float> element_on_device(const void* c, std::int64_t index) {
  float value = 0.0f;
  CR_CHECK(check(cudaMemcpy(&value, static_cast<const float*>(c) + index, sizeof value,
                            cudaMemcpyDeviceToHost),
                 "read an element of C"));
  return value;
}

Result<void> judge_exact(const Problem& problem, double seconds, const Fault& fault,
                         Outcome& outcome) {
  CR_TRY(Operands operands, Operands::make(problem));
  CR_TRY(DeviceAbft abft, DeviceAbft::prepare(problem));
  outcome.library_version = operands.product->library_version();
  const auto begin = Clock::now();
  int wrong = 0;
  for (std::int64_t i = 0; i < 2 || (seconds_since(begin) < seconds && i < iterations_max); ++i) {
    CR_CHECK(operands.c.fill(0xff));
    CR_CHECK(operands.multiply(nullptr));
    CR_CHECK(cuda::synchronize());
    if (fault) CR_CHECK(fault(operands.c.data(), i));
    CR_TRY(const std::uint64_t hash, device_hash(operands.c.data(), operands.c.bytes(), nullptr));
    if (i == 0) outcome.hash_first = hash;
    if (hash != outcome.hash_first) ++outcome.hash_changes;
    CR_TRY(const DeviceAbft::Found found, abft.check(static_cast<const float*>(operands.c.data())));
    outcome.nan_count += found.nan_count;
    outcome.inf_count += found.inf_count;
    ++outcome.iterations;
    if (found.suspects.none()) continue;
    CR_TRY(const Mismatch mismatch,
           located(problem, found.suspects, [&](std::int64_t row, std::int64_t col) {
             return element_on_device(operands.c.data(), row * problem.n + col);
           }));
    if (!outcome.mismatch_iteration) {
      outcome.mismatch = mismatch;
      outcome.mismatch_iteration = i;
    } else {
      outcome.mismatch.count += mismatch.count;
    }
    if (++wrong >= wrong_products_max) break;
  }
  outcome.rows_checked = problem.m;
  return {};
}

Result<void> judge_real(const Problem& problem, const Fault& fault, Outcome& outcome) {
  CR_TRY(Operands operands, Operands::make(problem));
  CR_CHECK(operands.c.fill(0xff));
  CR_CHECK(operands.multiply(nullptr));
  CR_CHECK(cuda::synchronize());
  if (fault) CR_CHECK(fault(operands.c.data(), outcome.iterations));
  CR_TRY(const std::vector<double> expected, products_expected_on_device(problem));
  CR_TRY(const RowProducts products,
         products_on_device(problem, static_cast<const float*>(operands.c.data())));
  outcome.freivalds = largest_relative(products, expected);
  outcome.nan_count += products.nan_count;
  outcome.inf_count += products.inf_count;
  return {};
}

}  // namespace

Result<Operands> Operands::make(const Problem& problem) {
  Operands operands;
  CR_TRY(operands.product, Product::plan(problem));
  CR_TRY(operands.a, cuda::DeviceBuffer::allocate(problem.a_bytes()));
  CR_TRY(operands.b, cuda::DeviceBuffer::allocate(problem.b_bytes()));
  CR_TRY(operands.c, cuda::DeviceBuffer::allocate(problem.c_bytes()));
  CR_CHECK(operands.c.fill(0xff));
  CR_CHECK(fill_matrix(problem, Matrix::a, operands.a.data()));
  CR_CHECK(fill_matrix(problem, Matrix::b, operands.b.data()));
  CR_CHECK(cuda::synchronize());
  return operands;
}

Result<Outcome> time_on_device(const Problem& problem, double seconds) {
  CR_TRY(Operands operands, Operands::make(problem));
  Batch events;
  CR_CHECK(events.prepare());
  Outcome outcome;
  outcome.library_version = operands.product->library_version();
  CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
  const Result<nvml::Device> device = nvml::Device::open(facts.uuid);
  const auto warming = Clock::now();
  do CR_CHECK(run_batch(operands, events));
  while (seconds_since(warming) < std::min(warm_up_seconds_max, seconds / 4.0));

  std::optional<nvml::Sampler> sampler;
  if (device) sampler.emplace(*device);
  std::vector<double> clocks;
  const auto begin = Clock::now();
  do {
    CR_TRY(const BatchResult result, run_batch(operands, events));
    if (outcome.iterations == 0) outcome.hash_first = result.hashes[0];
    for (std::size_t i = 0; i < batch; ++i) {
      outcome.tflops.push_back(problem.operations() / result.us[i] * 1e-6);
      if (result.hashes[i] != outcome.hash_first) ++outcome.hash_changes;
      ++outcome.iterations;
    }
    if (result.sm_clock_mhz) clocks.push_back(*result.sm_clock_mhz);
  } while (seconds_since(begin) < seconds && outcome.iterations < iterations_max);
  if (sampler) {
    const nvml::Summary seen = nvml::summary_of(sampler->stop());
    outcome.power_w = seen.power_w_mean;
    outcome.throttle_reasons = seen.throttle_reasons;
    outcome.throttled = seen.throttled;
  }
  if (!clocks.empty()) outcome.sm_clock_mhz = median(clocks);
  CR_TRY(const NotFinite last, not_finite_in(problem, operands.c.data()));
  outcome.nan_count = last.nan_count;
  outcome.inf_count = last.inf_count;
  return outcome;
}

Result<Outcome> judge_on_device(const Problem& problem, double seconds, const Fault& fault) {
  Problem judged = problem;
  judged.wide_output = true;
  judged.integers = true;
  Outcome outcome;
  CR_CHECK(judge_exact(judged, seconds, fault, outcome));
  judged.integers = false;
  CR_CHECK(judge_real(judged, fault, outcome));
  return outcome;
}

}  // namespace checkride::kernels::gemm
