// attention_bench: judges and times the attention kernels on the device of this machine, one JSON
// object a line for each problem and kernel. Correctness is against the fp64 oracle with poisoned
// outputs; times are graph replays on random data. Exit code 0 when every result is within its
// error budget and repeats bit for bit, 1 otherwise, 2 for a wrong option, 4 without a usable
// device.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kernels/attention/attention.h"
#include "kernels/attention/reference.h"
#include "kernels/attention/tile_math.h"
#include "kernels/cuda/check.h"
#include "kernels/measure/floor.h"
#include "kernels/measure/graph_timer.h"

namespace checkride::kernels::attention {
namespace {

struct Options {
  bool check_only = false;  // no timing: for a memory checker
  bool small = false;       // only the smallest problems
  bool first = false;       // only 1 x 8 x 512 x 64
  int repeats = 100;        // runs compared bit for bit
  int samples = 200;
  std::uint64_t seed = 1;
  std::string variant = "auto";
};

struct OnDevice {
  cuda::DeviceBuffer q, k, v, o;
  ForwardTensors tensors() const { return {q.data(), k.data(), v.data(), o.data()}; }
};

Result<OnDevice> upload(const HostTensors& host) {
  OnDevice device;
  const std::size_t bytes = host.q.size() * 2;
  for (auto* buffer : {&device.q, &device.k, &device.v, &device.o}) {
    CR_TRY(*buffer, cuda::DeviceBuffer::allocate(bytes));
  }
  CR_CHECK(device.q.upload(host.q.data()));
  CR_CHECK(device.k.upload(host.k.data()));
  CR_CHECK(device.v.upload(host.v.data()));
  return device;
}

std::uint64_t hash(const std::vector<std::uint16_t>& values) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const std::uint16_t value : values) h = (h ^ value) * 0x100000001b3u;
  return h;
}

struct Facts {
  ErrorBudget budget;
  std::size_t unique_hashes = 0;
  measure::GraphTiming floor, hot20, hot100, cold;
};

Result<std::vector<std::uint16_t>> run_once(const ForwardProblem& problem, const ForwardPlan& plan,
                                            OnDevice& device) {
  CR_CHECK(device.o.fill(0xff));
  CR_CHECK(cuda::synchronize());
  CR_CHECK(launch_forward(problem, plan, device.tensors(), nullptr));
  CR_CHECK(cuda::synchronize());
  std::vector<std::uint16_t> out(element_count(problem));
  CR_CHECK(device.o.download(out.data()));
  return out;
}

// Input sets of more than twice the L2 cache in all, visited in turn, so that each launch reads
// from memory.
Result<measure::GraphTiming> time_cold(const ForwardProblem& problem, const ForwardPlan& plan,
                                       const HostTensors& host, const cuda::DeviceFacts& device,
                                       int samples) {
  const std::size_t set_bytes = element_count(problem) * 8;
  const std::size_t sets = std::min<std::size_t>(device.l2_bytes * 5 / 2 / set_bytes + 1, 512);
  std::vector<OnDevice> inputs;
  for (std::size_t i = 0; i < sets; ++i) {
    CR_TRY(OnDevice set, upload(host));
    inputs.push_back(std::move(set));
  }
  return measure::time_graph(
      [&](CUstream_st* stream, int node) {
        return launch_forward(problem, plan,
                              inputs[static_cast<std::size_t>(node) % sets].tensors(), stream);
      },
      static_cast<int>(sets), samples / 4 + 1);
}

Result<Facts> measure_problem(const ForwardProblem& problem, const ForwardPlan& plan,
                              const HostTensors& host, const std::vector<double>& reference,
                              const std::vector<float>& rounded, const cuda::DeviceFacts& device,
                              const Options& options) {
  Facts facts;
  CR_TRY(OnDevice on_device, upload(host));
  std::set<std::uint64_t> hashes;
  for (int run = 0; run < options.repeats; ++run) {
    CR_TRY(const auto out, run_once(problem, plan, on_device));
    if (run == 0) facts.budget = error_budget(problem, reference, rounded, out);
    hashes.insert(hash(out));
  }
  if (!options.check_only) {
    const auto ours = [&](CUstream_st* stream, int) {
      return launch_forward(problem, plan, on_device.tensors(), stream);
    };
    CR_TRY(measure::LaunchNodes queued, measure::nodes_of(ours));
    const measure::Launch empty = measure::empty_launch(std::move(queued.kernels));
    CR_TRY(facts.floor, measure::time_graph(empty, 100, options.samples));
    CR_TRY(facts.hot20, measure::time_graph(ours, 20, options.samples));
    CR_TRY(facts.hot100, measure::time_graph(ours, 100, options.samples));
    CR_TRY(facts.cold, time_cold(problem, plan, host, device, options.samples));
    // The timed launches wrote the same output as the judged one.
    std::vector<std::uint16_t> out(element_count(problem));
    CR_CHECK(on_device.o.download(out.data()));
    hashes.insert(hash(out));
  }
  facts.unique_hashes = hashes.size();
  return facts;
}

void print_timing(const char* name, const measure::GraphTiming& t) {
  std::printf(
      ",\"%s\":{\"latency_us_per_launch\":%.3f,\"p05_us\":%.3f,\"p95_us\":%.3f,\"nodes\":%d,"
      "\"samples\":%d}",
      name, t.us_per_launch, t.p05_us, t.p95_us, t.nodes, t.samples);
}

void print_facts(const ForwardProblem& p, const ForwardPlan& plan, const Facts& f,
                 const cuda::DeviceFacts& device, const Options& options) {
  const ErrorBudget& b = f.budget;
  std::printf(
      "{\"batch\":%d,\"heads\":%d,\"seq\":%d,\"head_dim\":%d,\"dtype\":\"%s\",\"causal\":%s,"
      "\"impl_used\":\"%s\",\"num_ctas\":%d,\"splits\":%d,\"cluster\":%d,\"threads\":%d,"
      "\"shared_bytes\":%u,\"device\":\"%s\",\"sm\":%d,\"driver\":%d,\"runtime\":%d,\"seed\":%llu",
      p.batch, p.heads, p.seq, head_dim, to_string(p.dtype), p.causal ? "true" : "false",
      std::string(to_string(plan.variant)).c_str(), plan.num_ctas(), plan.splits(), plan.cluster,
      plan.threads, plan.shared_bytes, device.name.c_str(), device.sm, device.driver,
      device.runtime, static_cast<unsigned long long>(options.seed));
  std::printf(
      ",\"err_max\":%.4e,\"err_budget\":%.4e,\"rel_fro\":%.3e,\"nan\":%zu,\"unwritten\":%zu,"
      "\"mismatch\":%zu,\"runs\":%d,\"unique_hashes\":%zu,\"pass\":%s",
      b.err_max, b.err_budget, b.rel_fro, b.nan, b.unwritten, b.mismatch_1e3_2e3, options.repeats,
      f.unique_hashes, b.passes() && f.unique_hashes == 1 ? "true" : "false");
  if (!options.check_only) {
    std::printf(",\"pdl\":false,\"floor_us\":%.3f,\"body_us\":%.3f", f.floor.us_per_launch,
                f.hot100.us_per_launch - f.floor.us_per_launch);
    print_timing("graph_hot_20", f.hot20);
    print_timing("graph_hot", f.hot100);
    print_timing("graph_cold", f.cold);
  }
  std::printf("}\n");
  std::fflush(stdout);
}

std::vector<ForwardProblem> problems(const Options& options) {
  std::vector<ForwardProblem> list;
  for (const bool causal : {false, true})
    for (const Dtype dtype : {Dtype::f16, Dtype::bf16}) {
      const auto add = [&](int batch, int seq) {
        ForwardProblem problem;
        problem.batch = batch;
        problem.seq = seq;
        problem.dtype = dtype;
        problem.causal = causal;
        list.push_back(problem);
      };
      if (options.small) {
        add(1, 128);
        add(1, 200);
        continue;
      }
      add(1, 512);
      if (options.first) continue;
      add(1, 128);
      add(4, 512);
      add(1, 2048);
      add(1, 300);
    }
  return list;
}

Result<bool> run(const Options& options) {
  CR_TRY(const auto device, cuda::device_facts());
  CR_TRY(const Variant variant, parse_variant(options.variant));
  const int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  bool all_pass = true;
  for (const ForwardProblem& problem : problems(options)) {
    const auto plan = plan_forward(problem, device.sm, variant);
    if (!plan && plan.error().code == ErrorCode::unsupported) continue;
    if (!plan) return tl::unexpected(plan.error());
    const HostTensors host = random_tensors(problem, options.seed);
    const auto reference = forward_reference(problem, host, threads).out;
    const auto rounded = forward_rounded(problem, host, threads);
    CR_TRY(const Facts facts,
           measure_problem(problem, *plan, host, reference, rounded, device, options));
    print_facts(problem, *plan, facts, device, options);
    all_pass = all_pass && facts.budget.passes() && facts.unique_hashes == 1;
  }
  return all_pass;
}

}  // namespace
}  // namespace checkride::kernels::attention

int main(int argc, char** argv) {
  checkride::kernels::attention::Options options;
  CLI::App app("Judges and times the attention kernels; one JSON object a line.");
  app.add_flag("--check-only", options.check_only, "no timing (for a memory checker)");
  app.add_flag("--small", options.small, "only the smallest problems");
  app.add_flag("--first", options.first, "only 1 x 8 x 512 x 64");
  app.add_option("--repeats", options.repeats, "runs compared bit for bit")
      ->check(CLI::Range(1, 100000));
  app.add_option("--samples", options.samples, "graph replays timed")->check(CLI::Range(1, 100000));
  app.add_option("--seed", options.seed, "seed of the random inputs");
  app.add_option("--variant", options.variant, "auto, mma, split or stream");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto passed = checkride::kernels::attention::run(options);
  if (!passed) {
    std::fprintf(stderr, "attention_bench: %s\n", passed.error().text().c_str());
    return passed.error().code == checkride::ErrorCode::invalid_argument ? 2 : 4;
  }
  return *passed ? 0 : 1;
}
