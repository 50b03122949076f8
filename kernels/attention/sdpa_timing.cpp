#include "kernels/attention/sdpa_timing.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention/host_rows.h"
#include "kernels/job/device.h"
#include "kernels/job/inputs.h"
#ifdef CR_CUDA
#include "kernels/attention/sdpa_device.h"
#include "kernels/measure/floor.h"
#include "kernels/measure/graph_timer.h"
#endif

namespace checkride::kernels::attention {

Work work_of(const SdpaCase& sdpa) {
  const HostShape shape(sdpa.problem);
  const auto rows = static_cast<double>(shape.rows), dim = static_cast<double>(shape.dim);
  const auto keys = static_cast<double>(shape.keys);
  Work work;
  work.pairs = rows * (sdpa.problem.causal ? (keys + 1.0) / 2.0 : keys);
  work.flop = 4.0 * work.pairs * dim;
  const double element = sdpa.e4m3 ? 1.0 : 2.0;
  work.bytes = static_cast<double>(element_count(sdpa.problem)) * (element + 2.0) +
               2.0 * static_cast<double>(key_element_count(sdpa.problem)) * element;
  return work;
}

Bound bound_of(const SdpaCase& sdpa) {
  const Work work = work_of(sdpa);
  const double matrix = work.flop / (sdpa.e4m3 ? 1979e6 : 989e6);
  const double exponentials = work.pairs / (132.0 * 16.0 * 1980.0);
  const double memory = work.bytes / 4.8e6;
  if (matrix >= exponentials && matrix >= memory) return {matrix, "matrix"};
  return exponentials >= memory ? Bound{exponentials, "exponentials"} : Bound{memory, "memory"};
}

int cold_sets(const SdpaCase& sdpa, std::size_t l2_bytes) {
  const std::size_t set_bytes =
      (element_count(sdpa.problem) + 2 * key_element_count(sdpa.problem)) * (sdpa.e4m3 ? 1 : 2);
  return static_cast<int>(std::min<std::size_t>(l2_bytes * 5 / 2 / set_bytes + 1, 512));
}

Result<json::object> timing_fields(const SdpaCase& sdpa, bool timed) {
  json::object fields;
  for (const char* name :
       {"latency_us_per_launch", "latency_cold_us_per_launch", "p05_us", "p95_us", "floor_us",
        "body_us", "TFLOPs", "bound_us", "bound_by", "attained_of_bound_pct", "nodes"})
    fields[name] = nullptr;
#ifdef CR_CUDA
  if (!timed || sdpa.backend != Backend::cuda) return fields;
  const int sets = cold_sets(sdpa, device()->l2_bytes);
  CR_TRY(const DeviceForward forward, DeviceForward::create(sdpa, sets));
  const auto hot = [&](CUstream_st* stream, int) { return forward.launch(stream); };
  const auto cold = [&](CUstream_st* stream, int node) {
    return forward.launch(stream, node % sets);
  };
  CR_TRY(measure::LaunchNodes queued, measure::nodes_of(hot));
  const measure::Launch empty = measure::empty_launch(std::move(queued.kernels));
  // A replay of a millisecond or 100 launches, a second in all.
  CR_TRY(const measure::GraphTiming first, measure::time_graph(hot, 4, 5));
  const double guess = std::max(first.us_per_launch, 1.0);
  const int nodes = static_cast<int>(std::clamp(1000.0 / guess, 4.0, 100.0));
  const int samples = static_cast<int>(std::clamp(1e6 / (guess * nodes), 10.0, 200.0));
  CR_TRY(const measure::GraphTiming timing, measure::time_graph(hot, nodes, samples));
  CR_TRY(const measure::GraphTiming floor, measure::time_graph(empty, 100, samples));
  if (sets > 1) {
    CR_TRY(const measure::GraphTiming apart, measure::time_graph(cold, sets, samples / 4 + 1));
    fields["latency_cold_us_per_launch"] = finite(apart.us_per_launch);
  }
  fields["latency_us_per_launch"] = finite(timing.us_per_launch);
  fields["p05_us"] = finite(timing.p05_us);
  fields["p95_us"] = finite(timing.p95_us);
  fields["floor_us"] = finite(floor.us_per_launch);
  fields["body_us"] = finite(timing.us_per_launch - floor.us_per_launch);
  fields["TFLOPs"] = finite(work_of(sdpa).flop / timing.us_per_launch * 1e-6);
  fields["nodes"] = nodes;
  if (device()->sm == 90) {
    const Bound bound = bound_of(sdpa);
    fields["bound_us"] = finite(bound.us);
    fields["bound_by"] = bound.by;
    fields["attained_of_bound_pct"] = finite(100.0 * bound.us / timing.us_per_launch);
  }
#else
  static_cast<void>(sdpa);
  static_cast<void>(timed);
#endif
  return fields;
}

}  // namespace checkride::kernels::attention
