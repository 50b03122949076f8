#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "kernels/job/device.h"
#include "kernels/query/query_job.h"
#include "kernels/query/smoke_math.h"
#include "tests/unit/kernels/fake_nvml.h"
#include "tests/unit/kernels/recorded.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::query;
using tests::FakeNvml;

namespace {

constexpr const char* fake_uuid = "GPU-01234567-89ab-cdef-0123-456789abcdef";

std::string smi_path(const std::string& name) {
  const char* const source = std::getenv("CHECKRIDE_SOURCE");
  return (source == nullptr ? std::string(".") : std::string(source)) +
         "/tests/fixtures/nvidia_smi/" + name + ".csv";
}

std::string smi_text(const std::string& name) {
  std::ifstream file(smi_path(name));
  REQUIRE(file);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// A program in nvidia-smi's place for one test.
class FakeSmi {
 public:
  explicit FakeSmi(const std::string& script) {
    std::ofstream(path_) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
    setenv("CHECKRIDE_NVIDIA_SMI", path_.c_str(), 1);
  }
  FakeSmi(const FakeSmi&) = delete;
  FakeSmi& operator=(const FakeSmi&) = delete;
  ~FakeSmi() {
    unsetenv("CHECKRIDE_NVIDIA_SMI");
    std::filesystem::remove(path_);
  }

 private:
  const std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                      ("checkride_smi_" + std::to_string(getpid()) + ".sh");
};

// What CUDA tells of an H200.
Attributes h200() {
  Attributes cuda;
  cuda.name = "NVIDIA H200";
  cuda.uuid = fake_uuid;
  cuda.sm = 90;
  cuda.sm_count = 132;
  cuda.l2_bytes = 62914560;
  cuda.smem_optin_bytes = 232448;
  cuda.mem_total_bytes = 150109880320;
  cuda.mem_free_bytes = 149557477376;
  cuda.mem_bus_bits = 6016;
  cuda.sm_clock_mhz = 1980;
  cuda.mem_clock_mhz = 3201;
  cuda.cuda_driver = 13000;
  cuda.cuda_runtime = 13000;
  cuda.concurrent_managed = true;
  return cuda;
}

Gathered gathered_with(std::optional<DriverView> view) {
  Gathered gathered;
  gathered.host = host_facts();
  gathered.cuda = h200();
  gathered.smoke_kernel_ok = true;
  gathered.driver = std::move(view);
  gathered.kernel_log = "";
  return gathered;
}

DriverView view_of_case(const std::string& source, const std::string& name) {
  if (source == "nvml") {
    const FakeNvml fake(name);
    const FakeSmi none("exit 1");
    const auto view = driver_view(fake_uuid);
    REQUIRE(view);
    CHECK(view->sources == std::vector<std::string>{"nvml"});
    return *view;
  }
  const auto view = parse_smi(smi_text(name), fake_uuid);
  REQUIRE(view);
  return *view;
}

bool among(const json::object& fields, std::string_view name, std::string_view text) {
  return std::ranges::any_of(fields.at(name).as_array(),
                             [&](const json::value& item) { return item == json::value(text); });
}

using Reasons = std::vector<std::string>;

}  // namespace

TEST_CASE("a healthy device passes with every field told, by either source", "[query]") {
  const std::string source = GENERATE("nvml", "nvidia-smi");
  const JobReport report = report_of(gathered_with(view_of_case(source, "healthy")), {});
  CHECK(report.status == Status::pass);
  CHECK(report.perf_valid);
  CHECK(report.reasons.empty());
  const json::object& fields = report.fields;
  CHECK(fields.at("name") == "NVIDIA H200");
  CHECK(fields.at("uuid") == fake_uuid);
  CHECK(fields.at("sm") == 90);
  CHECK(fields.at("sm_clock_now_mhz") == 1980);
  CHECK(fields.at("mem_clock_max_mhz") == 3201);
  CHECK(fields.at("power_limit_w") == 700.0);
  CHECK(fields.at("throttle_reasons") == 0);
  CHECK(fields.at("pcie_gen_now") == 5);
  CHECK(fields.at("pcie_width_max") == 16);
  CHECK(fields.at("ecc_mode") == true);
  CHECK(fields.at("ecc_uncorrected_total") == 0);
  CHECK(fields.at("rows_remap_pending") == false);
  CHECK(fields.at("mig") == false);
  CHECK(fields.at("compute_mode") == "default");
  CHECK(fields.at("warnings").as_array().empty());
  CHECK(fields.at("sources").as_array().size() == 2);
  // Every field of the type is there.
  const std::string type(device_query_job().result);
  for (const std::string_view name :
       {"driver_version", "counters_permitted", "env", "xids", "temp_c", "power_w", "host"}) {
    CHECK(type.find(name) != std::string::npos);
    CHECK(fields.contains({name.data(), name.size()}));
  }
}

TEST_CASE("a row that waits to be replaced fails the device", "[query]") {
  const std::string source = GENERATE("nvml", "nvidia-smi");
  const JobReport report = report_of(gathered_with(view_of_case(source, "remap_pending")), {});
  CHECK(report.status == Status::fail);
  CHECK(report.reasons == Reasons{"remap_pending"});
  CHECK(report.message.find("reset") != std::string::npos);
}

TEST_CASE("a device that holds back for heat passes, and its figures count for nothing",
          "[query]") {
  const std::string source = GENERATE("nvml", "nvidia-smi");
  const JobReport report = report_of(gathered_with(view_of_case(source, "thermal_throttle")), {});
  CHECK(report.status == Status::pass);
  CHECK_FALSE(report.perf_valid);
  CHECK(among(report.fields, "warnings", "throttled"));
  CHECK(among(report.fields, "throttle_names", "hw_thermal_slowdown"));
}

TEST_CASE("a narrowed link and partitions are warned of", "[query]") {
  const std::string source = GENERATE("nvml", "nvidia-smi");
  const JobReport narrow = report_of(gathered_with(view_of_case(source, "pcie_downtrained")), {});
  CHECK(narrow.status == Status::pass);
  CHECK(narrow.fields.at("pcie_width_now") == 4);
  CHECK(among(narrow.fields, "warnings", "pcie_downtrained"));
  const JobReport parted = report_of(gathered_with(view_of_case(source, "mig_on")), {});
  CHECK(parted.fields.at("mig") == true);
  CHECK(among(parted.fields, "warnings", "mig_on"));
}

TEST_CASE("uncorrected errors since the driver was loaded fail, those of the past are told",
          "[query]") {
  DriverView view = view_of_case("nvml", "healthy");
  view.ecc.uncorrected_aggregate = 7;
  CHECK(report_of(gathered_with(view), {}).status == Status::pass);
  CHECK(report_of(gathered_with(view), {}).fields.at("ecc_uncorrected_total") == 7);
  view.ecc.uncorrected_volatile = 1;
  CHECK(report_of(gathered_with(view), {}).reasons == Reasons{"ecc_uncorrected"});
}

TEST_CASE("a row that could not be replaced fails the device", "[query]") {
  DriverView view = view_of_case("nvml", "healthy");
  view.facts.rows->failed = true;
  CHECK(report_of(gathered_with(view), {}).reasons == Reasons{"remap_failed"});
}

TEST_CASE("what is required is judged by capability", "[query]") {
  const auto reasons = [](const Required& required) {
    return report_of(gathered_with(view_of_case("nvml", "healthy")), required).reasons;
  };
  CHECK(reasons({90, 79000000000, 13000}).empty());
  CHECK(reasons({100, {}, {}}) == Reasons{"sm_too_low"});
  CHECK(reasons({{}, 200000000000, {}}) == Reasons{"memory_too_small"});
  CHECK(reasons({{}, {}, 13010}) == Reasons{"driver_too_old"});
  CHECK(reasons({100, 200000000000, 13010}).size() == 3);
}

TEST_CASE("wrong answers of a first kernel, or none, fail the device", "[query]") {
  Gathered gathered = gathered_with(view_of_case("nvml", "healthy"));
  gathered.smoke_kernel_ok = GENERATE(std::optional<bool>(false), std::optional<bool>());
  const JobReport report = report_of(gathered, {});
  CHECK(report.reasons == Reasons{"smoke_kernel_wrong"});
  CHECK(report.fields.at("smoke_kernel_ok") == false);
}

TEST_CASE("hardware errors in the kernel's log fail their own device alone", "[query]") {
  Gathered gathered = gathered_with(view_of_case("nvml", "healthy"));
  const std::string other = "[1.0] NVRM: Xid (PCI:0000:2c:00): 79, GPU has fallen off the bus.\n";
  const std::string program = "[2.0] NVRM: Xid (PCI:0000:1b:00): 31, pid=7, name=python, MMU\n";
  gathered.kernel_log = other + program + program;
  const JobReport healthy = report_of(gathered, {});
  CHECK(healthy.status == Status::pass);
  CHECK(healthy.fields.at("xids") == json::array{31});
  gathered.kernel_log =
      other + program + "[3.0] NVRM: Xid (PCI:0000:1b:00): 48, pid=7, DBE in row 3\n";
  const JobReport broken = report_of(gathered, {});
  CHECK(broken.reasons == Reasons{"xid"});
  CHECK(broken.message.find("48") != std::string::npos);
  CHECK(broken.fields.at("xids") == json::array{31, 48});
}

TEST_CASE("numbers in a log are read within bounds", "[query]") {
  CHECK(xids_in("", "00000000:1B:00.0").empty());
  CHECK(xids_in("NVRM: Xid (PCI:0000:1b:00", "00000000:1B:00.0").empty());
  CHECK(xids_in("NVRM: Xid (PCI:0000:1b:00): ", "00000000:1B:00.0").empty());
  CHECK(xids_in("NVRM: Xid (PCI:0000:1b:00): x", "00000000:1B:00.0").empty());
  CHECK(xids_in("Xid (PCI:0000:1b:00): 13, a", "") == std::vector<int>{13});
}

TEST_CASE("health that is not told is warned of, not taken for good", "[query]") {
  const JobReport consumer = report_of(gathered_with(view_of_case("nvidia-smi", "consumer")), {});
  CHECK(consumer.status == Status::pass);
  CHECK(consumer.fields.at("ecc_mode").is_null());
  CHECK(consumer.fields.at("rows_remap_pending").is_null());
  CHECK(consumer.fields.at("power_w").is_null());
  CHECK(among(consumer.fields, "warnings", "health_not_told"));
  Gathered silent = gathered_with(std::nullopt);
  silent.kernel_log.reset();
  const JobReport report = report_of(silent, {});
  CHECK(report.fields.at("driver_version").is_null());
  CHECK(report.fields.at("xids").is_null());
  CHECK(among(report.fields, "warnings", "health_not_told"));
  CHECK(among(report.fields, "warnings", "kernel_log_not_read"));
}

TEST_CASE("nvidia-smi completes what the library does not tell", "[query]") {
  const FakeNvml fake;
  fake.say(std::string("uuid ") + fake_uuid + "\ntemp_c 51\n");
  const FakeSmi smi("cat " + smi_path("healthy"));
  const auto view = driver_view(fake_uuid);
  REQUIRE(view);
  CHECK(view->sources == std::vector<std::string>{"nvml", "nvidia-smi"});
  CHECK(view->sample.temp_c == 51);
  CHECK(view->facts.ecc_mode == true);
  CHECK(view->facts.rows);
  CHECK(view->facts.driver == "580.159.04");
}

TEST_CASE("where nothing tells of a device, the view is unavailable", "[query]") {
  const FakeNvml fake("no_driver");
  SECTION("the program fails") {
    const FakeSmi smi("cat " + smi_path("no_driver") + "; exit 9");
    const auto view = driver_view("");
    REQUIRE_FALSE(view);
    CHECK(view.error().code == ErrorCode::unavailable);
    REQUIRE_FALSE(smi_query());
    CHECK(smi_query().error().text().find("exit code 9") != std::string::npos);
  }
  SECTION("there is no such program") {
    setenv("CHECKRIDE_NVIDIA_SMI", "/nowhere/nvidia-smi", 1);
    CHECK_FALSE(driver_view(""));
    unsetenv("CHECKRIDE_NVIDIA_SMI");
  }
}

TEST_CASE("texts that are not nvidia-smi's are refused, broken cells are absent", "[query]") {
  CHECK_FALSE(parse_smi("", ""));
  CHECK_FALSE(parse_smi(smi_text("no_driver"), ""));
  CHECK_FALSE(parse_smi("uuid, name\n", ""));
  CHECK_FALSE(parse_smi(smi_text("healthy"), "GPU-other"));
  const auto cut = parse_smi(smi_text("healthy").substr(0, 870), "");
  CHECK_FALSE(cut);
  const auto odd =
      parse_smi("uuid, temperature.gpu, clocks_event_reasons.active\nGPU-1, hot, 0xzz\n", "");
  REQUIRE(odd);
  CHECK_FALSE(odd->sample.temp_c);
  CHECK_FALSE(odd->sample.throttle_reasons);
  const auto older = parse_smi("uuid, clocks_throttle_reasons.active\r\nGPU-1, 0x4\r\n", "GPU-1");
  REQUIRE(older);
  CHECK(older->sample.throttle_reasons == 4U);
}

TEST_CASE("counters are permitted to all or to administrators", "[query]") {
  const std::string admin = "CapEff:\t000001ffffffffff\n";
  const std::string user = "CapEff:\t0000000000000000\n";
  CHECK(counters_permitted("RmProfilingAdminOnly: 0\n", user) == true);
  CHECK(counters_permitted("A: 1\nRmProfilingAdminOnly: 1\n", user) == false);
  CHECK(counters_permitted("RmProfilingAdminOnly: 1\n", admin) == true);
  CHECK_FALSE(counters_permitted("", admin));
  CHECK_FALSE(counters_permitted("RmProfilingAdminOnly: 1\n", ""));
}

TEST_CASE("of the environment only what is listed is told", "[query]") {
  setenv("CUDA_LAUNCH_BLOCKING", "1", 1);
  setenv("CHECKRIDE_TEST_SECRET", "hidden", 1);
  setenv("CHECKRIDE_TEST_MODE", "stage-1", 1);
  const auto told = environment({"CHECKRIDE_TEST_MODE", "CHECKRIDE_TEST_UNSET"});
  CHECK(told.at("CUDA_LAUNCH_BLOCKING") == "1");
  CHECK(told.at("CHECKRIDE_TEST_MODE") == "stage-1");
  CHECK(told.count("CHECKRIDE_TEST_SECRET") == 0);
  CHECK(told.count("CHECKRIDE_TEST_UNSET") == 0);
  unsetenv("CUDA_LAUNCH_BLOCKING");
  unsetenv("CHECKRIDE_TEST_SECRET");
  unsetenv("CHECKRIDE_TEST_MODE");
}

TEST_CASE("without a device device.query is unavailable and tells of the host", "[query]") {
  const FakeNvml fake("no_driver");
  const FakeSmi smi("exit 9");
  JobRequest request;
  request.where = JobRequest::Where::cpu;
  const auto report = device_query_job().run(request);
  REQUIRE(report);
  CHECK(report->status == Status::unavailable);
  CHECK(report->reasons == Reasons{"unavailable"});
  CHECK_FALSE(report->message.empty());
  const json::object& host = report->fields.at("host").as_object();
  CHECK(host.at("cores").as_int64() >= 1);
  CHECK(host.at("memory_bytes").as_int64() > 0);
  CHECK_FALSE(host.at("kernel").as_string().empty());
}

TEST_CASE("a driver that tells of a device no kernel can use is unavailable, with its facts",
          "[query]") {
  const FakeNvml fake("healthy");
  JobRequest request;
  request.where = JobRequest::Where::cpu;
  const auto report = device_query_job().run(request);
  REQUIRE(report);
  CHECK(report->status == Status::unavailable);
  CHECK(report->fields.at("name") == "NVIDIA H200");
  CHECK(report->fields.at("driver_version") == "580.95.05");
}

TEST_CASE("device.query refuses what it cannot mean", "[query]") {
  JobRequest request;
  request.inputs = {{"require_sm", -1}};
  const auto report = device_query_job().run(request);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("answers of the smoke kernel differ from thread to thread", "[query]") {
  std::vector<std::uint64_t> values;
  for (std::uint32_t thread = 0; thread < 10000; ++thread) values.push_back(smoke_value(thread));
  std::ranges::sort(values);
  CHECK(std::ranges::adjacent_find(values) == values.end());
}

// Rebuilt from its own report, through the verdict again.
TEST_CASE("the recorded report of an H200 is what its facts give, field by field", "[query]") {
  const json::object recorded = tests::recorded_h200("device.query");
  CHECK(recorded.at("status") == "pass");
  Gathered gathered = gathered_with(view_of_case("nvidia-smi", "healthy"));
  gathered.cuda->uuid = recorded.at("uuid").as_string().c_str();
  gathered.driver->sample.temp_c = recorded.at("temp_c").to_number<int>();
  gathered.driver->sample.power_w = recorded.at("power_w").to_number<double>();
  const JobReport report = report_of(gathered, {90, 79000000000, 13000});
  CHECK(report.status == Status::pass);
  for (const auto& [name, value] : report.fields) {
    INFO(std::string(name));
    REQUIRE(recorded.contains(name));
    if (name != "host" && name != "env" && name != "sources" && name != "counters_permitted")
      CHECK(recorded.at(name) == value);
  }
}

#ifdef CR_CUDA
TEST_CASE("a first kernel's answers are the host's", "[.gpu][small]") {
  REQUIRE(device());
  const auto right = smoke_kernel();
  REQUIRE(right);
  CHECK(*right);
}

TEST_CASE("this device is told and passes", "[.gpu]") {
  const auto report = device_query_job().run(JobRequest{});
  REQUIRE(report);
  INFO(report->message);
  CHECK(report->status == Status::pass);
  CHECK(report->fields.at("sm").as_int64() >= 80);
  CHECK(report->fields.at("mem_bus_bits").is_int64());
  JobRequest none;
  none.inputs = {{"device", 1023}};
  CHECK_FALSE(device_query_job().run(none));
}
#endif
