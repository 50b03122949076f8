// The job as it is called, and on a device ([.gpu]): the same JSON as the host's, and its speed.
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "kernels/compare/compare_job.h"
#include "kernels/job/device.h"
#include "kernels/tensor/files.h"
#include "tests/unit/kernels/compare_cases.h"
#include "tests/unit/kernels/folder.h"
#ifdef CR_CUDA
#include "kernels/compare/device_compare.h"
#include "kernels/measure/graph_timer.h"
#endif

using namespace checkride;
using namespace checkride::kernels;
namespace fs = std::filesystem;

namespace {

using test::Folder;

JobReport report_of_run(json::object inputs, JobRequest::Where where = JobRequest::Where::cpu) {
  JobRequest request;
  request.inputs = std::move(inputs);
  request.where = where;
  auto report = tensor_compare_job().run(request);
  return report ? *report : report_of(report.error());
}

std::string fields_text(JobReport report) {
  report.fields.erase("read_GBps");
  return json::serialize(report.fields);
}

// What a device found for these samples, recorded (tests/fixtures/h200), replayed on the host.
json::object recorded_inputs(const std::string& type) {
  return {{"sample_elements", 200003}, {"sample_dtype", type}};
}

// A result a little off, its reference in f64 and a second result, in files.
struct Files {
  Folder folder;
  Tensor reference, actual, lowprec;
  Files() {
    RandomStream random(8);
    reference = generate(ElementType::f64, {8, 512, 64}, Distribution::normal, random);
    actual = zeros(ElementType::bf16, reference.shape);
    lowprec = actual;
    for (std::size_t i = 0; i < reference.elements(); ++i) {
      set_value(actual, i, value_at(reference, i) + 1e-3 * random.normal());
      set_value(lowprec, i, value_at(reference, i) + 1e-3 * random.normal());
    }
    write();
  }
  void write() const {
    REQUIRE(write_npy(folder.path / "reference.npy", reference));
    REQUIRE(write_safetensors(folder.path / "results.safetensors",
                              {{"actual", actual}, {"lowprec", lowprec}}));
  }
  json::object inputs() const {
    const std::string results = (folder.path / "results.safetensors").string();
    return {{"actual", results},
            {"actual_tensor", "actual"},
            {"expected", (folder.path / "reference.npy").string()},
            {"lowprec", results},
            {"lowprec_tensor", "lowprec"}};
  }
};

}  // namespace

TEST_CASE("tensor.compare: policies on files") {
  Files files;
  const JobReport budget = report_of_run(files.inputs());
  CAPTURE(budget.message);
  REQUIRE(budget.status == Status::pass);
  REQUIRE(budget.fields.at("policy") == "budget");
  REQUIRE(budget.fields.at("err_max").as_double() <= budget.fields.at("err_budget").as_double());
  REQUIRE(budget.fields.at("err_max").as_double() == budget.fields.at("max_abs").as_double());
  REQUIRE(budget.inputs_sha256.size() == 64);
  REQUIRE_FALSE(budget.perf_valid);
  json::object plain = files.inputs();
  plain.erase("lowprec");
  plain.erase("lowprec_tensor");
  const JobReport judged_by_type = report_of_run(plain);
  CAPTURE(judged_by_type.message);
  REQUIRE(judged_by_type.status == Status::pass);
  REQUIRE(judged_by_type.fields.at("policy") == "dtype");
  plain["rtol"] = 1e-3;
  plain["atol"] = 2e-3;
  const JobReport strict = report_of_run(plain);
  REQUIRE(strict.status == Status::fail);
  REQUIRE(strict.reasons == std::vector<std::string>{"mismatch"});
  plain["atol"] = 0.1;
  REQUIRE(report_of_run(plain).status == Status::pass);
}

TEST_CASE("tensor.compare: planted faults fail under every policy") {
  const auto reasons = [](const Files& files, const char* policy) {
    files.write();
    json::object inputs = files.inputs();
    inputs["policy"] = policy;
    if (std::string_view(policy) == "tolerance") inputs["atol"] = 1;
    const JobReport report = report_of_run(inputs);
    REQUIRE(report.status == Status::fail);
    REQUIRE_FALSE(report.message.empty());
    return report.reasons;
  };
  for (const auto* policy : {"budget", "dtype", "torch", "tolerance"}) {
    CAPTURE(policy);
    Files nan;
    set_value(nan.actual, 77, std::nan(""));
    reasons(nan, policy);
    Files unwritten;
    unwritten.actual.data[200] = unwritten.actual.data[201] = std::byte{0xff};
    const auto found = reasons(unwritten, policy);
    REQUIRE(std::find(found.begin(), found.end(), "unwritten") != found.end());
    Files infinite;
    set_value(infinite.actual, 5, -INFINITY);
    reasons(infinite, policy);
    Files flipped;  // the top bit of an exponent
    flipped.actual.data[2 * 1234 + 1] ^= std::byte{0x40};
    reasons(flipped, policy);
  }
  Files scaled;  // one part in fifty: no single element shows it
  for (std::size_t i = 0; i < scaled.actual.elements(); ++i)
    set_value(scaled.actual, i, value_at(scaled.reference, i) * 1.02);
  REQUIRE(reasons(scaled, "dtype") == std::vector<std::string>{"rel_fro_above_limit"});
}

TEST_CASE("tensor.compare: what has no place in an error is judged beside it") {
  const char* const policy = GENERATE("budget", "dtype");
  CAPTURE(policy);
  const auto reasons = [&](const Files& files) {
    files.write();
    json::object inputs = files.inputs();
    inputs["policy"] = policy;
    return report_of_run(inputs).reasons;
  };
  Files elsewhere;  // as many infinities as expected, at other places
  set_value(elsewhere.actual, 5, INFINITY);
  set_value(elsewhere.reference, 6, INFINITY);
  CHECK(reasons(elsewhere) == std::vector<std::string>{"infinite"});
  Files other_sign;
  set_value(other_sign.actual, 5, -INFINITY);
  set_value(other_sign.reference, 5, INFINITY);
  CHECK(reasons(other_sign) == std::vector<std::string>{"infinite"});
  Files same;
  set_value(same.actual, 5, INFINITY);
  set_value(same.reference, 5, INFINITY);
  CHECK(reasons(same).empty());
  Files no_number;
  set_value(no_number.reference, 5, std::nan(""));
  CHECK(reasons(no_number) == std::vector<std::string>{"nan_in_expected"});
}

TEST_CASE("tensor.compare: what cannot be compared is an error") {
  const auto code = [](json::object inputs) {
    const JobReport report = report_of_run(std::move(inputs));
    REQUIRE(report.status == Status::error);
    REQUIRE_FALSE(report.message.empty());
    return report.reasons.at(0);
  };
  Files files;
  json::object inputs = files.inputs();
  REQUIRE(code({}) == "invalid_input");
  REQUIRE(code({{"actual", "/none.npy"}, {"expected", "/none.npy"}}) == "not_found");
  inputs["policy"] = "best";
  REQUIRE(code(inputs) == "invalid_input");
  inputs["policy"] = "torch";
  inputs["rtol"] = 1;
  REQUIRE(code(inputs) == "invalid_input");
  inputs = files.inputs();
  inputs["atol"] = -1;
  REQUIRE(code(inputs) == "invalid_input");
  inputs = files.inputs();
  std::swap(inputs["actual"], inputs["expected"]);
  inputs["expected_tensor"] = "actual";
  inputs.erase("actual_tensor");
  REQUIRE(code(inputs) == "invalid_input");  // expected is the narrower one
  REQUIRE(write_npy(files.folder.path / "reference.npy", zeros(ElementType::f64, {8, 64, 512})));
  REQUIRE(code(files.inputs()) == "invalid_input");  // the shapes differ
  REQUIRE(code({{"sample_elements", 0}}) == "invalid_input");
  const std::string later = (files.folder.path / "later.npy").string();
  std::ofstream(later, std::ios::binary) << std::string("\x93NUMPY\x09\x00\x10\x00xxxx", 14);
  REQUIRE(code({{"actual", later}, {"expected", later}}) == "unsupported");  // .npy version 9
  REQUIRE(write_npy(files.folder.path / "empty.npy", zeros(ElementType::f32, {0})));
  const std::string empty = (files.folder.path / "empty.npy").string();
  const JobReport nothing = report_of_run({{"actual", empty}, {"expected", empty}});
  REQUIRE(nothing.status == Status::fail);
  REQUIRE(nothing.reasons.at(0) == "empty");
}

TEST_CASE("tensor.compare: samples") {
  for (const auto* type : {"f64", "f32", "f16", "bf16", "e4m3"}) {
    json::object inputs = {{"sample_elements", 150000}, {"sample_dtype", type}};
    const JobReport near = report_of_run(inputs);
    CAPTURE(type, json::serialize(near.fields), near.message);
    REQUIRE(near.status == Status::pass);
    REQUIRE(near.fields.at("ulp_max") == 2);
    REQUIRE(near.fields.at("ref_rms").as_double() == Approx(1.0).epsilon(0.02));
    inputs["sample_relation"] = "equal";
    REQUIRE(report_of_run(inputs).fields.at("rel_fro") == 0.0);
    inputs["sample_relation"] = "unrelated";
    const JobReport unrelated = report_of_run(inputs);
    REQUIRE(unrelated.status == Status::fail);
    REQUIRE(std::fabs(unrelated.fields.at("cosine").as_double()) < 0.02);
  }
}

TEST_CASE("tensor.compare: the host finds what a device found, byte for byte") {
  for (const auto* type : {"f64", "f32", "f16", "bf16", "e4m3"}) {
    REQUIRE(std::getenv("CHECKRIDE_SOURCE") != nullptr);
    const fs::path path = fs::path(std::getenv("CHECKRIDE_SOURCE")) / "tests/fixtures/h200" /
                          (std::string("tensor.compare.") + type + ".json");
    std::ifstream file(path);
    CAPTURE(path);
    REQUIRE(file);
    std::stringstream recorded;
    recorded << file.rdbuf();
    REQUIRE(fields_text(report_of_run(recorded_inputs(type))) + "\n" == recorded.str());
  }
}

TEST_CASE("tensor.compare: without a device, asking for one is unavailable") {
  if (device()) return;
  REQUIRE(report_of_run({{"sample_elements", 1000}}, JobRequest::Where::cuda).status ==
          Status::unavailable);
}

#ifdef CR_CUDA
TEST_CASE("tensor.compare: the device's bits are the host's", "[.gpu]") {
  REQUIRE(device());
  for (const std::int64_t n : {1, 17, 65536, 70001, 2000003}) {
    for (const auto& c : compare_cases::all_cases(n)) {
      if (n > 100000 && c.actual.type == ElementType::f64) continue;
      CAPTURE(c.name, n);
      auto a = cuda::DeviceBuffer::allocate(c.actual.data.size());
      auto b = cuda::DeviceBuffer::allocate(c.expected.data.size());
      REQUIRE((a && b && a->upload(c.actual.data.data()) && b->upload(c.expected.data.data())));
      const auto plan = compare::DeviceComparison::plan(
          {c.actual.type, a->data()}, {c.expected.type, b->data()}, c.actual.elements(), c.limits);
      REQUIRE(plan);
      const std::string host = compare_cases::text_of(compare_cases::on_host(c, 8));
      for (int run = 0; run < 2; ++run) {
        REQUIRE(plan->launch(nullptr));
        const auto result = plan->result();
        REQUIRE(result);
        CHECK(compare_cases::text_of(*result) == host);
      }
    }
  }
}

TEST_CASE("tensor.compare: one small case for the sanitizers", "[.gpu][small]") {
  REQUIRE(device());
  for (const auto& c : compare_cases::all_cases(70001)) {
    if (c.name != "f16 f16 strange" && c.name != "f32 f32 near") continue;
    CAPTURE(c.name);
    auto a = cuda::DeviceBuffer::allocate(c.actual.data.size());
    auto b = cuda::DeviceBuffer::allocate(c.expected.data.size());
    REQUIRE((a && b && a->upload(c.actual.data.data()) && b->upload(c.expected.data.data())));
    const auto plan = compare::DeviceComparison::plan(
        {c.actual.type, a->data()}, {c.expected.type, b->data()}, c.actual.elements(), c.limits);
    REQUIRE(plan);
    REQUIRE(plan->launch(nullptr));
    const auto result = plan->result();
    REQUIRE(result);
    REQUIRE(compare_cases::text_of(*result) ==
            compare_cases::text_of(compare_cases::on_host(c, 2)));
  }
}

TEST_CASE("tensor.compare: the job's JSON is the same on the device, byte for byte", "[.gpu]") {
  REQUIRE(device());
  Files files;
  REQUIRE(fields_text(report_of_run(files.inputs(), JobRequest::Where::cuda)) ==
          fields_text(report_of_run(files.inputs())));
  for (const auto* type : {"f64", "f32", "f16", "bf16", "e4m3"})
    for (const auto* relation : {"near", "unrelated", "equal"}) {
      const json::object inputs = {
          {"sample_elements", 3000001}, {"sample_dtype", type}, {"sample_relation", relation}};
      CAPTURE(type, relation);
      REQUIRE(fields_text(report_of_run(inputs, JobRequest::Where::cuda)) ==
              fields_text(report_of_run(inputs)));
    }
}

TEST_CASE("tensor.compare: records what the device finds", "[.gpu-record]") {
  const char* const folder = std::getenv("CHECKRIDE_RECORD");
  REQUIRE((device() && folder != nullptr));
  for (const auto* type : {"f64", "f32", "f16", "bf16", "e4m3"})
    std::ofstream(fs::path(folder) / (std::string("tensor.compare.") + type + ".json"))
        << fields_text(report_of_run(recorded_inputs(type), JobRequest::Where::cuda)) << "\n";
}

TEST_CASE("tensor.compare: figures", "[.gpu]") {
  REQUIRE(device());
  // Bytes of both tensors; the goal is 3600 GB/s for near f16, bf16 and f32.
  for (const auto* type : {"f16", "bf16", "f32", "e4m3", "f64"})
    for (const auto* relation : {"near", "unrelated", "equal"}) {
      // Types without a quick way take long.
      const bool quick = std::string_view(type) != "e4m3" && std::string_view(type) != "f64";
      const std::int64_t bytes = std::int64_t{1} << (quick ? 32 : 28);
      const auto width = static_cast<std::int64_t>(bytes_of(*element_type_from(type)));
      const JobReport report = report_of_run({{"sample_elements", bytes / width},
                                              {"sample_dtype", type},
                                              {"sample_relation", relation}},
                                             JobRequest::Where::cuda);
      CAPTURE(report.message);
      REQUIRE(report.fields.contains("read_GBps"));
      std::cout << "compare " << type << " " << relation << " read_GBps "
                << report.fields.at("read_GBps").as_double() << std::endl;
    }
}
#endif
