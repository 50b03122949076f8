#include "kernels/query/query_job.h"

#include <algorithm>

#include "kernels/job/device.h"
#include "kernels/job/inputs.h"

namespace checkride::kernels {

namespace query {

namespace {

template <class T>
json::value told(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}
json::value told(const std::optional<std::uint64_t>& value) {
  return value ? json::value(static_cast<std::int64_t>(*value)) : json::value(nullptr);
}
json::value told_above_0(int value) {
  return value > 0 ? json::value(value) : json::value(nullptr);
}
json::value told(const std::string& value) {
  return value.empty() ? json::value(nullptr) : json::value(value);
}

json::value mode_name(const std::optional<int>& mode) {
  if (!mode) return nullptr;
  return *mode == 2 ? "prohibited" : *mode == 3 ? "exclusive_process" : "default";
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

void write_host(const Gathered& gathered, json::object& fields) {
  json::object host;
  host["cpu_model"] = gathered.host.cpu_model;
  host["cores"] = gathered.host.cores;
  host["memory_bytes"] = static_cast<std::int64_t>(gathered.host.memory_bytes);
  host["kernel"] = gathered.host.kernel;
  fields["host"] = std::move(host);
  json::object env;
  for (const auto& [name, value] : gathered.env) env[name] = value;
  fields["env"] = std::move(env);
  fields["counters_permitted"] = told(gathered.counters_permitted);
}

void write_cuda(const Attributes& cuda, json::object& fields) {
  fields["name"] = cuda.name;
  fields["uuid"] = cuda.uuid;
  fields["sm"] = cuda.sm;
  fields["sm_count"] = cuda.sm_count;
  fields["l2_bytes"] = static_cast<std::int64_t>(cuda.l2_bytes);
  fields["smem_optin_bytes"] = static_cast<std::int64_t>(cuda.smem_optin_bytes);
  fields["mem_total_bytes"] = static_cast<std::int64_t>(cuda.mem_total_bytes);
  fields["mem_free_bytes"] = static_cast<std::int64_t>(cuda.mem_free_bytes);
  fields["mem_bus_bits"] = told_above_0(cuda.mem_bus_bits);
  fields["sm_clock_max_mhz"] = told_above_0(cuda.sm_clock_mhz);
  fields["mem_clock_max_mhz"] = told_above_0(cuda.mem_clock_mhz);
  fields["compute_mode"] = mode_name(cuda.compute_mode);
  fields["cuda_driver"] = cuda.cuda_driver;
  fields["cuda_runtime"] = cuda.cuda_runtime;
  fields["pageable_access"] = cuda.pageable_access;
  fields["pageable_uses_host_tables"] = cuda.pageable_uses_host_tables;
  fields["concurrent_managed"] = cuda.concurrent_managed;
}

// What CUDA has already told is kept.
void write_driver(const DriverView& view, json::object& fields) {
  const nvml::Facts& facts = view.facts;
  const auto unless_told = [&](std::string_view name, json::value value) {
    json::value& field = fields[name];
    if (field.is_null()) field = std::move(value);
  };
  unless_told("name", told(facts.name));
  unless_told("uuid", told(facts.uuid));
  unless_told("mem_total_bytes", told(facts.mem_total_bytes));
  unless_told("mem_free_bytes", told(view.sample.memory_free_bytes));
  unless_told("mem_bus_bits", told(facts.mem_bus_bits));
  unless_told("sm_clock_max_mhz", told(facts.sm_clock_max_mhz));
  unless_told("mem_clock_max_mhz", told(facts.mem_clock_max_mhz));
  unless_told("compute_mode", mode_name(facts.compute_mode));
  unless_told("cuda_driver", told(facts.cuda_driver));
  fields["driver_version"] = told(facts.driver);
  fields["power_limit_w"] = told(facts.power_limit_w);
  fields["sm_clock_now_mhz"] = told(view.sample.sm_clock_mhz);
  fields["temp_c"] = told(view.sample.temp_c);
  fields["power_w"] = told(view.sample.power_w);
  fields["throttle_reasons"] = told(view.sample.throttle_reasons);
  fields["throttle_names"] =
      array_of(nvml::throttle_names(view.sample.throttle_reasons.value_or(0)));
  fields["pcie_gen_now"] = told(facts.pcie_gen_now);
  fields["pcie_gen_max"] = told(facts.pcie_gen_max);
  fields["pcie_width_now"] = told(facts.pcie_width_now);
  fields["pcie_width_max"] = told(facts.pcie_width_max);
  fields["ecc_mode"] = told(facts.ecc_mode);
  fields["ecc_uncorrected_total"] = told(view.ecc.uncorrected_aggregate);
  fields["ecc_uncorrected_since_load"] = told(view.ecc.uncorrected_volatile);
  fields["rows_remap_pending"] =
      facts.rows ? json::value(facts.rows->pending) : json::value(nullptr);
  fields["rows_remap_failed"] = facts.rows ? json::value(facts.rows->failed) : json::value(nullptr);
  fields["mig"] = told(facts.mig);
}

// What makes no verdict and yet should be seen.
std::vector<std::string> warnings_of(const DriverView& view, bool log_read) {
  std::vector<std::string> warnings;
  const nvml::Facts& facts = view.facts;
  // The generation falls while a device idles, the width does not.
  if (facts.pcie_width_now && facts.pcie_width_max && *facts.pcie_width_now < *facts.pcie_width_max)
    warnings.emplace_back("pcie_downtrained");
  if ((view.sample.throttle_reasons.value_or(0) & nvml::unhealthy_throttle) != 0)
    warnings.emplace_back("throttled");
  if (facts.mig.value_or(false)) warnings.emplace_back("mig_on");
  if (facts.ecc_mode == false) warnings.emplace_back("ecc_off");
  if (!facts.rows || !view.ecc.uncorrected_volatile) warnings.emplace_back("health_not_told");
  if (!log_read) warnings.emplace_back("kernel_log_not_read");
  return warnings;
}

void judge(const Gathered& gathered, const std::vector<int>& xids, const Required& required,
           JobReport& report) {
  const auto add = [&](std::string reason, std::string sentence) {
    report.fail_with(std::move(reason));
    if (report.message.empty()) report.message = std::move(sentence);
  };
  const Attributes& cuda = *gathered.cuda;
  if (required.sm && cuda.sm < *required.sm)
    add("sm_too_low", "compute capability is " + std::to_string(cuda.sm) + ", below the " +
                          std::to_string(*required.sm) + " required; use another device");
  if (required.memory_bytes && cuda.mem_total_bytes < *required.memory_bytes)
    add("memory_too_small", "memory is " + std::to_string(cuda.mem_total_bytes) +
                                " bytes, below the " + std::to_string(*required.memory_bytes) +
                                " required; use another device");
  if (required.driver && cuda.cuda_driver < *required.driver)
    add("driver_too_old", "the driver's CUDA version is " + std::to_string(cuda.cuda_driver) +
                              ", below the " + std::to_string(*required.driver) +
                              " required; install a newer driver");
  if (gathered.smoke_kernel_ok != true)
    add("smoke_kernel_wrong", "a small kernel gave wrong answers; take the device out of use");
  if (gathered.driver) {
    const auto& rows = gathered.driver->facts.rows;
    if (rows && rows->pending)
      add("remap_pending", "a row of memory waits to be replaced; reset the device");
    if (rows && rows->failed)
      add("remap_failed", "a broken row of memory could not be replaced; exchange the device");
    if (gathered.driver->ecc.uncorrected_volatile.value_or(0) > 0)
      add("ecc_uncorrected",
          "memory errors that ECC could not correct since the driver was loaded; run mem.pattern");
  }
  if (const auto broken = std::ranges::find_if(xids, of_hardware); broken != xids.end())
    add("xid", "the kernel's log reports hardware error Xid " + std::to_string(*broken) +
                   " of this device; look it up and reset or exchange the device");
}

// Every field of the result that may be null, so that each is there whatever is told.
constexpr std::string_view may_be_null[] = {"mem_bus_bits",
                                            "sm_clock_max_mhz",
                                            "mem_clock_max_mhz",
                                            "sm_clock_now_mhz",
                                            "temp_c",
                                            "power_w",
                                            "power_limit_w",
                                            "throttle_reasons",
                                            "pcie_gen_now",
                                            "pcie_gen_max",
                                            "pcie_width_now",
                                            "pcie_width_max",
                                            "ecc_mode",
                                            "rows_remap_failed",
                                            "ecc_uncorrected_total",
                                            "ecc_uncorrected_since_load",
                                            "compute_mode",
                                            "mig",
                                            "rows_remap_pending",
                                            "driver_version",
                                            "counters_permitted",
                                            "xids"};

}  // namespace

JobReport report_of(const Gathered& gathered, const Required& required) {
  JobReport report;
  json::object& fields = report.fields;
  for (const std::string_view name : may_be_null) fields[name] = nullptr;
  write_host(gathered, fields);
  fields["throttle_names"] = json::array();
  const DriverView none;
  const DriverView& view = gathered.driver ? *gathered.driver : none;
  std::vector<std::string> sources;
  if (gathered.cuda) {
    write_cuda(*gathered.cuda, fields);
    sources.emplace_back("cuda");
  }
  if (gathered.driver) write_driver(view, fields);
  sources.insert(sources.end(), view.sources.begin(), view.sources.end());
  fields["sources"] = array_of(sources);
  fields["warnings"] = array_of(warnings_of(view, gathered.kernel_log.has_value()));
  std::vector<int> xids;
  if (gathered.kernel_log) {
    xids = xids_in(*gathered.kernel_log, view.facts.pci_bus_id);
    fields["xids"] = json::array(xids.begin(), xids.end());
  }
  if (!gathered.cuda) {
    report.status = Status::unavailable;
    report.reasons = {"unavailable"};
    return report;
  }
  fields["smoke_kernel_ok"] = gathered.smoke_kernel_ok.value_or(false);
  report.status = Status::pass;
  report.backend = Backend::cuda;
  report.perf_valid = (view.sample.throttle_reasons.value_or(0) & nvml::unhealthy_throttle) == 0;
  judge(gathered, xids, required, report);
  return report;
}

}  // namespace query

namespace {

// Makes the device asked for the one in use, and says what CUDA tells of it.
Result<query::Attributes> attributes_of([[maybe_unused]] const JobRequest& request) {
#ifdef CR_CUDA
  CR_TRY(const std::int64_t index, whole_within(request.inputs, "device", 0, 0, 1023));
  CR_CHECK(query::use_device(static_cast<int>(index)));
  return query::attributes();
#else
  return tl::unexpected(device().error());
#endif
}

Result<JobReport> run(const JobRequest& request) {
  CR_TRY(const std::int64_t sm, whole_within(request.inputs, "require_sm", 0, 0, 999));
  CR_TRY(const std::int64_t bytes,
         whole_within(request.inputs, "require_memory_bytes", 0, 0, INT64_MAX));
  CR_TRY(const std::int64_t version, whole_within(request.inputs, "require_driver", 0, 0, 1000000));
  query::Required required;
  if (sm > 0) required.sm = static_cast<int>(sm);
  if (bytes > 0) required.memory_bytes = static_cast<std::uint64_t>(bytes);
  if (version > 0) required.driver = static_cast<int>(version);

  query::Gathered gathered;
  gathered.host = query::host_facts();
  gathered.env = query::environment(texts(request.inputs, "env"));
  gathered.counters_permitted = query::counters_permitted();
  std::string missing;
  if (request.where == JobRequest::Where::cpu) {
    missing = "the host alone was asked for";
  } else if (auto cuda = attributes_of(request)) {
    gathered.cuda = std::move(*cuda);
  } else if (cuda.error().code == ErrorCode::unavailable) {
    missing = cuda.error().text();
  } else {
    return tl::unexpected(cuda.error());
  }
  if (auto view = query::driver_view(gathered.cuda ? gathered.cuda->uuid : ""))
    gathered.driver = std::move(*view);
  if (gathered.cuda || gathered.driver) gathered.kernel_log = query::kernel_log();
#ifdef CR_CUDA
  if (gathered.cuda) {
    CR_TRY(gathered.smoke_kernel_ok, query::smoke_kernel());
  }
#endif
  JobReport report = query::report_of(gathered, required);
  if (!gathered.cuda) report.message = missing;
  return report;
}

}  // namespace

Job device_query_job() {
  Job job;
  job.name = "device.query";
  job.version = 1;
  job.title = "the device's facts and health, judged by capability";
  job.inputs =
      "{device?: int, require_sm?: int, require_memory_bytes?: int, require_driver?: int, "
      "env?: list<string>}";
  job.result =
      "{name: string, uuid: string, sm_count: int, l2_bytes: int, smem_optin_bytes: int, "
      "mem_total_bytes: int, mem_free_bytes: int, mem_bus_bits?: int, sm_clock_max_mhz?: int, "
      "mem_clock_max_mhz?: int, sm_clock_now_mhz?: int, temp_c?: int, power_w?: double, "
      "power_limit_w?: double, throttle_reasons?: int, throttle_names: list<string>, "
      "pcie_gen_now?: int, pcie_gen_max?: int, pcie_width_now?: int, pcie_width_max?: int, "
      "ecc_mode?: bool, ecc_uncorrected_total?: int, ecc_uncorrected_since_load?: int, "
      "rows_remap_pending?: bool, rows_remap_failed?: bool, xids?: list<int>, mig?: bool, "
      "compute_mode?: string, driver_version?: string, cuda_driver: int, cuda_runtime: int, "
      "pageable_access: bool, pageable_uses_host_tables: bool, concurrent_managed: bool, "
      "counters_permitted?: bool, env: map<string, string>, smoke_kernel_ok: bool, "
      "warnings: list<string>, sources: list<string>, "
      "host: {cpu_model: string, cores: int, memory_bytes: int, kernel: string}}";
  job.timeout = std::chrono::seconds(60);
  job.run = run;
  return job;
}

}  // namespace checkride::kernels
