// device.query: what device this is, whether it is healthy, and whether it is what is asked for, by
// capability and never by name. Units stand in the field names. Gathered facts and the verdict
// over them are apart, so that recorded devices test the verdict.
#pragma once

#include <optional>

#include "kernels/job/job.h"
#include "kernels/query/attributes.h"
#include "kernels/query/driver_view.h"
#include "kernels/query/host_facts.h"

namespace checkride::kernels {

Job device_query_job();

namespace query {

struct Gathered {
  HostFacts host;
  std::map<std::string, std::string> env;
  std::optional<Attributes> cuda;  // none: no device can be used
  std::optional<bool> smoke_kernel_ok;
  std::optional<DriverView> driver;
  std::optional<bool> counters_permitted;
  std::optional<std::string> kernel_log;
};

// Each absent: not asked for.
struct Required {
  std::optional<int> sm;                      // at least
  std::optional<std::uint64_t> memory_bytes;  // in all, at least
  std::optional<int> driver;                  // CUDA version of the driver, at least: 13000
};

JobReport report_of(const Gathered& gathered, const Required& required);

}  // namespace query
}  // namespace checkride::kernels
