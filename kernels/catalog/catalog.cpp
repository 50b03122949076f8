#include "kernels/catalog/catalog.h"

#include <algorithm>

#include "kernels/attention/sdpa_job.h"
#include "kernels/bandwidth/bandwidth_job.h"
#include "kernels/compare/compare_job.h"
#include "kernels/determinism/determinism_job.h"
#include "kernels/gemm/gemm_job.h"
#include "kernels/inspect/inspect_job.h"
#include "kernels/latency/latency_job.h"
#include "kernels/memtest/pattern_job.h"
#include "kernels/process/proc_measure_job.h"
#include "kernels/quant/quant_job.h"
#include "kernels/query/query_job.h"
#include "kernels/statistics/perf_compare_job.h"
#include "kernels/subjects/named.h"
#include "kernels/tools/ncu_job.h"
#include "kernels/tools/sanitizer_job.h"

namespace checkride::kernels {

std::span<const Job> jobs() {
  static const std::vector<Job> all = [] {
    std::vector<Job> list = {
        bandwidth_device_job(),      determinism_job(),  device_query_job(),
        gemm_tensor_job(),           inspect_job(),      latency_measure_job(),
        memory_pattern_job(),        ncu_parse_job(),    ncu_run_job(),
        process::proc_measure_job(), quant_e4m3_job(),   sanitizer_parse_job(),
        sanitizer_run_job(),         sdpa_forward_job(), statistics::perf_compare_job(),
        tensor_compare_job(),
    };
    set_job_finder(find_job);
    std::ranges::sort(list, {}, &Job::name);
    return list;
  }();
  return all;
}

const Job* find_job(std::string_view name) {
  const auto found = std::ranges::find(jobs(), name, &Job::name);
  return found == jobs().end() ? nullptr : &*found;
}

}  // namespace checkride::kernels
