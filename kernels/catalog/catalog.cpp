#include "kernels/catalog/catalog.h"

#include <algorithm>

#include "kernels/attention/sdpa_job.h"
#include "kernels/compare/compare_job.h"
#include "kernels/quant/quant_job.h"
#include "kernels/statistics/perf_compare_job.h"

namespace checkride::kernels {

std::span<const Job> jobs() {
  static const std::vector<Job> all = [] {
    std::vector<Job> list = {
        statistics::perf_compare_job(),
        sdpa_forward_job(),
        tensor_compare_job(),
        quant_e4m3_job(),
    };
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
