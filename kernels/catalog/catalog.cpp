#include "kernels/catalog/catalog.h"

#include <algorithm>

#include "kernels/bandwidth/bandwidth_job.h"
#include "kernels/memtest/pattern_job.h"

namespace checkride::kernels {

std::span<const Job> jobs() {
  static const std::vector<Job> all = [] {
    std::vector<Job> list = {
        bandwidth_device_job(),
        memory_pattern_job(),
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
