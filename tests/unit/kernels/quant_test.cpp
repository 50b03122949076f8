#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>

#include "engine/base/digest.h"
#include "kernels/job/device.h"
#include "kernels/quant/quant_job.h"
#include "kernels/quant/quantize.h"
#include "kernels/tensor/files.h"
#include "kernels/tensor/generate.h"
#include "tests/unit/kernels/folder.h"
#ifdef CR_CUDA
#include "kernels/measure/graph_timer.h"
#include "kernels/quant/device_quantize.h"
#endif

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::quant;
namespace fs = std::filesystem;

namespace {

using test::Folder;

JobReport report_of_run(json::object inputs, const fs::path& folder = {},
                        JobRequest::Where where = JobRequest::Where::cpu) {
  JobRequest request;
  request.inputs = std::move(inputs);
  request.where = where;
  request.folder = folder;
  auto report = quant_e4m3_job().run(request);
  return report ? *report : report_of(report.error());
}

Tensor of(ElementType type, const std::vector<double>& values) {
  Tensor tensor = zeros(type, {static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) set_value(tensor, i, values[i]);
  return tensor;
}

Plan plan_of(const Tensor& tensor, Granularity granularity = Granularity::tensor) {
  Plan plan;
  std::copy_backward(tensor.shape.begin(), tensor.shape.end(), plan.shape.end());
  plan.granularity = granularity;
  return plan;
}

Quantized quantized(const Tensor& tensor, const Plan& plan, int threads = 2) {
  return *quantize_on_host(plan, tensor, threads);
}
Quantized quantized(const Tensor& tensor) {
  return quantized(tensor, plan_of(tensor));
}

// The code of a value by looking through the table of all codes for the nearest, in double.
std::uint8_t from_table(double value) {
  if (std::isnan(value)) return 0x7f;
  const double size = std::min(std::fabs(value), 448.0);
  unsigned best = 0;
  for (unsigned code = 1; code < 0x7f; ++code) {
    const double far = std::fabs(size - float_from_e4m3(static_cast<std::uint8_t>(code)));
    const double near = std::fabs(size - float_from_e4m3(static_cast<std::uint8_t>(best)));
    if (far < near || (far == near && code % 2 == 0)) best = code;
  }
  return static_cast<std::uint8_t>(best | (std::signbit(value) ? 0x80u : 0u));
}

// What a device found for these inputs, recorded (tests/fixtures/h200), replayed on the host.
const char* const granularities[] = {"tensor", "head", "block"};
json::object recorded_inputs(const std::string& granularity) {
  return {{"granularity", granularity}, {"distribution", "outliers"}, {"transpose", true}};
}
std::string fields_text(JobReport report) {
  report.fields.erase("latency_us_per_launch");
  report.fields.erase("moved_GBps");
  return json::serialize(report.fields);
}

}  // namespace

TEST_CASE("quant.e4m3: the host finds what a device found, byte for byte") {
  for (const std::string granularity : granularities) {
    REQUIRE(std::getenv("CHECKRIDE_SOURCE") != nullptr);
    const fs::path path = fs::path(std::getenv("CHECKRIDE_SOURCE")) / "tests/fixtures/h200" /
                          ("quant.e4m3." + granularity + ".json");
    std::ifstream file(path);
    CAPTURE(path);
    REQUIRE(file);
    std::stringstream recorded;
    recorded << file.rdbuf();
    REQUIRE(fields_text(report_of_run(recorded_inputs(granularity))) + "\n" == recorded.str());
  }
}

TEST_CASE("quant: all 65,536 f16 values at many scales, against the table") {
  RandomStream random(6);
  std::vector<double> middles;  // the table's search, as intervals, for speed
  for (unsigned code = 0; code < 0x7e; ++code)
    middles.push_back((double{float_from_e4m3(static_cast<std::uint8_t>(code))} +
                       double{float_from_e4m3(static_cast<std::uint8_t>(code + 1))}) /
                      2);
  for (int round = 0; round < 40; ++round) {
    const float amax = round == 0
                           ? 448.0f
                           : static_cast<float>(std::ldexp(1.0 + random.uniform(), round * 2 - 40));
    const float inverse = inverse_of(scale_of(amax, Code::e4m3, 0));
    for (unsigned bits = 0; bits < 65536; ++bits) {
      const float y = float_from_f16(static_cast<std::uint16_t>(bits)) * inverse;
      const std::uint8_t code = encode(y, Code::e4m3);
      if (std::isnan(y)) {
        REQUIRE(code == 0x7f);
        continue;
      }
      const double size = std::fabs(double{y});
      const auto above = std::upper_bound(middles.begin(), middles.end(), size);
      auto expected = static_cast<unsigned>(above - middles.begin());
      // A value in the middle of two codes goes to the even one.
      if (expected > 0 && middles[expected - 1] == size && expected % 2 == 1) --expected;
      expected |= std::signbit(y) ? 0x80u : 0u;
      if (code != expected) {
        CAPTURE(bits, amax, y);
        REQUIRE(unsigned{code} == expected);
      }
      if (bits % 997 == 0) REQUIRE(code == from_table(double{y}));
    }
  }
}

TEST_CASE("quant: the scale of a group of zeros is 1, of a tiny one is not, of none too small") {
  REQUIRE(scale_of(0.0f, Code::e4m3, 0) == 1.0f);
  REQUIRE(scale_of(448.0f, Code::e4m3, 0) == 1.0f);
  REQUIRE(scale_of(448.0f, Code::e4m3, 3) == 8.0f);
  REQUIRE(scale_of(INFINITY, Code::e4m3, 0) == 1.0f);
  REQUIRE(scale_of(1e-7f, Code::e4m3, 0) == 1e-7f / 448.0f);
  REQUIRE(scale_of(1e-40f, Code::e4m3, 0) == 0x1p-126f);
  REQUIRE(scale_of(3e38f, Code::linear_u8, 64) == std::numeric_limits<float>::max());
  REQUIRE(scale_of(127.0f, Code::linear_u8, 0) == 1.0f);

  const Quantized zero = quantized(zeros(ElementType::f16, {2, 3, 8, 16}));
  REQUIRE(zero.scale == std::vector<float>{1.0f});
  REQUIRE(std::ranges::count(zero.codes, 0) == 768);
  REQUIRE(zero.underflow_to_zero == 0);
  REQUIRE_FALSE(zero.rel_fro);

  // A tensor of numbers about 1e-7 keeps its shape.
  RandomStream random(1);
  Tensor tiny = generate(ElementType::f32, {1, 2, 64, 64}, Distribution::normal, random);
  for (std::size_t i = 0; i < tiny.elements(); ++i) set_value(tiny, i, value_at(tiny, i) * 1e-7);
  REQUIRE(*quantized(tiny).rel_fro < 0.04);
}

TEST_CASE("quant: NaN and infinities are counted, and go where they cannot be mistaken") {
  const Tensor strange = of(ElementType::f16, {1.0, std::nan(""), INFINITY, -INFINITY, -2.0});
  const Quantized q = quantized(strange);
  REQUIRE(q.nan_in == 1);
  REQUIRE(q.inf_in == 2);
  REQUIRE(q.saturated == 0);
  REQUIRE(q.scale[0] == 1.0f);
  REQUIRE(q.codes == std::vector<std::uint8_t>{0x38, 0x7f, 0x7e, 0xfe, 0xc0});
  REQUIRE(*q.rel_fro == 0.0);
  const Quantized nan_only = quantized(of(ElementType::f32, {std::nan(""), 3.0}));
  REQUIRE(nan_only.amax[0] == 3.0f);
  Plan linear = plan_of(strange);
  linear.code = Code::linear_u8;
  REQUIRE(quantized(strange, linear).codes == std::vector<std::uint8_t>{129, 0, 255, 1, 126});
}

TEST_CASE("quant: error on normal data and with outliers, for both codes") {
  RandomStream random(3);
  for (const ElementType type : {ElementType::f16, ElementType::bf16, ElementType::f32}) {
    const Tensor normal = generate(type, {1, 8, 128, 64}, Distribution::normal, random);
    const Tensor outliers = generate(type, {1, 8, 128, 64}, Distribution::outliers, random);
    Plan linear = plan_of(normal);
    linear.code = Code::linear_u8;
    const double e4m3 = *quantized(normal).rel_fro;
    REQUIRE((e4m3 > 0.02 && e4m3 < 0.03));  // relative steps of 1/8 to 1/16
    REQUIRE(*quantized(normal, linear).rel_fro < e4m3);
    REQUIRE(*quantized(outliers, linear).rel_fro > *quantized(outliers).rel_fro);
  }
}

TEST_CASE("quant: groups are where they should be, whatever does not divide") {
  RandomStream random(4);
  for (const std::int64_t seq : {1, 63, 64, 130})
    for (const std::int64_t dim : {1, 5, 64, 200}) {
      const Tensor tensor =
          generate(ElementType::f32, {2, 3, seq, dim}, Distribution::normal, random);
      for (const Granularity granularity :
           {Granularity::tensor, Granularity::head, Granularity::block}) {
        const Plan plan = plan_of(tensor, granularity);
        const Quantized q = quantized(tensor, plan);
        REQUIRE(q.amax.size() == plan.groups());
        const auto of_head = static_cast<std::size_t>((seq + 63) / 64);
        std::vector<float> amax(granularity == Granularity::tensor ? 1
                                : granularity == Granularity::head ? 6
                                                                   : 6 * of_head);
        for (std::size_t i = 0; i < tensor.elements(); ++i) {
          const std::size_t row = i / static_cast<std::size_t>(dim);
          const std::size_t head = row / static_cast<std::size_t>(seq);
          const std::size_t block = head * of_head + row % static_cast<std::size_t>(seq) / 64;
          float& most = amax[granularity == Granularity::tensor ? 0
                             : granularity == Granularity::head ? head
                                                                : block];
          most = std::max(most, static_cast<float>(std::fabs(value_at(tensor, i))));
        }
        REQUIRE(q.amax == amax);
        const Quantized again = quantized(tensor, plan, 5);
        REQUIRE(again.codes == q.codes);
        REQUIRE(again.rel_fro == q.rel_fro);
        Plan turned = plan;
        turned.transpose = true;
        const Quantized t = quantized(tensor, turned);
        for (std::size_t i = 0; i < q.codes.size(); ++i) {
          const std::size_t in_head = i % static_cast<std::size_t>(seq * dim);
          const std::size_t row = in_head / static_cast<std::size_t>(dim);
          const std::size_t column = in_head % static_cast<std::size_t>(dim);
          if (t.codes[i - in_head + column * static_cast<std::size_t>(seq) + row] != q.codes[i])
            FAIL("a code is not where its row and column say");
        }
      }
    }
}

TEST_CASE("quant.e4m3: the job, its artifact, and candidates judged") {
  const Folder folder;
  const JobReport report = report_of_run(
      {{"granularity", "head"}, {"write_codes", true}, {"transpose", true}}, folder.path);
  CAPTURE(report.message);
  REQUIRE(report.status == Status::pass);
  REQUIRE(report.fields.at("groups") == 8);
  REQUIRE(report.fields.at("codes_sha256").as_string().size() == 64);
  REQUIRE(report.artifacts == std::vector<std::string>{"codes.safetensors"});
  const auto codes = read_tensor(folder.path / "codes.safetensors", "codes");
  REQUIRE(codes);
  REQUIRE(codes->shape == std::vector<std::int64_t>{1, 8, 64, 512});
  REQUIRE(to_hex(sha256(std::span<const std::byte>(codes->data))) ==
          report.fields.at("codes_sha256").as_string());

  // The right codes pass, one flipped bit fails.
  const std::string file = (folder.path / "candidate.safetensors").string();
  json::object judged = {{"granularity", "head"}, {"transpose", true}, {"codes", file}};
  REQUIRE(write_safetensors(file, {{"codes", *codes}}));
  REQUIRE(report_of_run(judged).status == Status::pass);
  Tensor flipped = *codes;
  flipped.data[12345] ^= std::byte{1};
  REQUIRE(write_safetensors(file, {{"codes", flipped}}));
  const JobReport wrong = report_of_run(judged);
  REQUIRE(wrong.status == Status::fail);
  REQUIRE(wrong.reasons == std::vector<std::string>{"codes_mismatch"});
  REQUIRE(wrong.fields.at("codes_mismatch") == 1);
}

TEST_CASE("quant.e4m3: a scale of 0.0022 for zeros is found") {
  const Folder folder;
  REQUIRE(write_npy(folder.path / "zeros.npy", zeros(ElementType::f16, {1, 2, 8, 64})));
  const auto with_scale = [&](double scale) {
    REQUIRE(write_npy(folder.path / "scale.npy", of(ElementType::f32, {scale, 1.0})));
    return report_of_run({{"tensor", (folder.path / "zeros.npy").string()},
                          {"granularity", "head"},
                          {"scales", (folder.path / "scale.npy").string()}});
  };
  const JobReport bug = with_scale(0.0022);
  REQUIRE(bug.status == Status::fail);
  REQUIRE(bug.reasons == std::vector<std::string>{"scale_wrong"});
  REQUIRE(bug.fields.at("scales_wrong") == 1);
  REQUIRE(bug.fields.at("zero_groups") == 2);
  REQUIRE(bug.fields.at("scale_zero_groups").as_array()[0].as_double() == Approx(0.0022));
  REQUIRE(with_scale(1.0).status == Status::pass);
  REQUIRE(with_scale(0.0).status == Status::fail);
  REQUIRE(with_scale(std::nan("")).status == Status::fail);
  // A tensor that is not zero: off by one part in a thousand is found too.
  REQUIRE(wrong_scales(Plan{}, {448.0f}, {1.001}) == 1);
  REQUIRE(wrong_scales(Plan{}, {448.0f}, {1.0}) == 0);
}

TEST_CASE("quant.e4m3: what cannot be quantised is an error") {
  const Folder folder;
  const auto reason = [&](json::object inputs) {
    const JobReport report = report_of_run(std::move(inputs));
    REQUIRE(report.status == Status::error);
    REQUIRE_FALSE(report.message.empty());
    return report.reasons.at(0);
  };
  REQUIRE(reason({{"shape", {0, 1}}}) == "invalid_input");
  REQUIRE(reason({{"shape", {1 << 20, 1 << 20}}}) == "invalid_input");
  REQUIRE(reason({{"shape", {1, 1, 1, 1, 1}}}) == "invalid_input");
  REQUIRE(reason({{"shape", {1, 1, 70000, 1}}, {"granularity", "block"}, {"block_rows", 1}}) ==
          "invalid_input");
  REQUIRE(reason({{"code", "e5m2"}}) == "invalid_input");
  REQUIRE(reason({{"margin", 65}}) == "invalid_input");
  REQUIRE(reason({{"tensor", "/none.npy"}}) == "not_found");
  REQUIRE(write_npy(folder.path / "f64.npy", zeros(ElementType::f64, {4})));
  REQUIRE(reason({{"tensor", (folder.path / "f64.npy").string()}}) == "invalid_input");
  REQUIRE(write_npy(folder.path / "empty.npy", zeros(ElementType::f32, {4, 0})));
  REQUIRE(reason({{"tensor", (folder.path / "empty.npy").string()}}) == "invalid_input");
  REQUIRE(reason({{"scales", (folder.path / "empty.npy").string()}}) == "invalid_input");
  if (!device())
    REQUIRE(report_of_run({}, {}, JobRequest::Where::cuda).status == Status::unavailable);
}

#ifdef CR_CUDA
namespace {

// Every f16 bit pattern times a factor for each head, as f32; NaN and infinities in the first only.
Tensor all_halves(std::int64_t heads) {
  Tensor tensor = zeros(ElementType::f32, {1, heads, 1024, 64});
  RandomStream random(2);
  for (std::int64_t head = 0; head < heads; ++head) {
    const double factor =
        head == 0 ? 1.0 : std::ldexp(1.0 + random.uniform(), static_cast<int>(head * 7 % 61) - 30);
    for (std::size_t bits = 0; bits < 65536; ++bits) {
      const auto value = static_cast<double>(float_from_f16(static_cast<std::uint16_t>(bits)));
      set_value(tensor, static_cast<std::size_t>(head) * 65536 + bits,
                head != 0 && !std::isfinite(value) ? 0.0 : value * factor);
    }
  }
  return tensor;
}

void require_same(const Tensor& tensor, const Plan& plan) {
  auto data = cuda::DeviceBuffer::allocate(tensor.data.size());
  REQUIRE((data && data->upload(tensor.data.data())));
  const auto quantizer = DeviceQuantizer::plan(plan, tensor.type, data->data());
  REQUIRE(quantizer);
  const Quantized host = quantized(tensor, plan, 8);
  for (int run = 0; run < 2; ++run) {
    REQUIRE(quantizer->launch(nullptr));
    const auto result = quantizer->result();
    REQUIRE(result);
    CHECK(result->codes == host.codes);
    CHECK(result->amax == host.amax);
    CHECK(result->scale == host.scale);
    CHECK(result->nan_in == host.nan_in);
    CHECK(result->inf_in == host.inf_in);
    CHECK(result->saturated == host.saturated);
    CHECK(result->underflow_to_zero == host.underflow_to_zero);
    CHECK(result->rel_fro == host.rel_fro);
  }
}
}  // namespace

TEST_CASE("quant.e4m3: the device's codes are the host's, all f16 values at 64 scales", "[.gpu]") {
  REQUIRE(device());
  const Tensor halves = all_halves(64);
  for (const Code code : {Code::e4m3, Code::linear_u8})
    for (const Granularity granularity :
         {Granularity::tensor, Granularity::head, Granularity::block}) {
      Plan plan = plan_of(halves, granularity);
      plan.code = code;
      require_same(halves, plan);
    }
}

TEST_CASE("quant.e4m3: the device's codes are the host's for every shape and type", "[.gpu]") {
  REQUIRE(device());
  RandomStream random(4);
  for (const ElementType type : {ElementType::f16, ElementType::bf16, ElementType::f32})
    for (const std::int64_t seq : {1, 63, 130, 700})
      for (const std::int64_t dim : {1, 5, 64, 200})
        for (const Granularity granularity :
             {Granularity::tensor, Granularity::head, Granularity::block}) {
          Tensor tensor = generate(type, {2, 3, seq, dim}, Distribution::outliers, random);
          set_value(tensor, 0, 0.0);
          if (seq == 130) set_value(tensor, 1, std::nan(""));
          if (dim == 5) set_value(tensor, tensor.elements() - 1, -INFINITY);
          Plan plan = plan_of(tensor, granularity);
          plan.transpose = dim != 64;
          CAPTURE(to_string(type), seq, dim);
          require_same(tensor, plan);
        }
}

TEST_CASE("quant.e4m3: one small case for the sanitizers", "[.gpu][small]") {
  REQUIRE(device());
  const JobReport report =
      report_of_run({{"granularity", "block"}, {"transpose", true}}, {}, JobRequest::Where::cuda);
  CAPTURE(report.message);
  REQUIRE(report.status == Status::pass);
}

TEST_CASE("quant.e4m3: the job's JSON is the same on the device, byte for byte", "[.gpu]") {
  REQUIRE(device());
  for (const auto* granularity : {"tensor", "head", "block"}) {
    const json::object inputs = {{"granularity", granularity}, {"distribution", "outliers"}};
    JobReport there = report_of_run(inputs, {}, JobRequest::Where::cuda);
    JobReport here = report_of_run(inputs);
    CAPTURE(there.message);
    REQUIRE(there.status == Status::pass);
    REQUIRE(fields_text(there) == fields_text(here));
  }
}

TEST_CASE("quant.e4m3: records what the device finds", "[.gpu-record]") {
  const char* const folder = std::getenv("CHECKRIDE_RECORD");
  REQUIRE((device() && folder != nullptr));
  for (const std::string granularity : granularities)
    std::ofstream(fs::path(folder) / ("quant.e4m3." + granularity + ".json"))
        << fields_text(report_of_run(recorded_inputs(granularity), {}, JobRequest::Where::cuda))
        << "\n";
}

TEST_CASE("quant.e4m3: figures", "[.gpu]") {
  REQUIRE(device());
  // 1 GiB of f16, and the attention shape, which stays in L2.
  for (const std::int64_t heads : {8, 16384})
    for (const ElementType type : {ElementType::f16, ElementType::bf16}) {
      RandomStream random(1);
      const Tensor piece = generate(type, {1, 8, 512, 64}, Distribution::normal, random);
      Tensor tensor = zeros(type, {1, heads, 512, 64});
      for (std::size_t at = 0; at < tensor.data.size(); at += piece.data.size())
        std::memcpy(tensor.data.data() + at, piece.data.data(), piece.data.size());
      auto data = cuda::DeviceBuffer::allocate(tensor.data.size());
      REQUIRE((data && data->upload(tensor.data.data())));
      const auto quantizer =
          DeviceQuantizer::plan(plan_of(tensor, Granularity::head), type, data->data());
      REQUIRE(quantizer);
      const auto timing = measure::time_graph(
          [&](CUstream_st* stream, int) { return quantizer->launch(stream); }, 4, 20);
      REQUIRE(timing);
      std::cout << "quant " << to_string(type) << " bytes " << tensor.data.size() << " us "
                << timing->us_per_launch << " moved_GBps "
                << static_cast<double>(tensor.data.size()) * 2.5 / timing->us_per_launch * 1e-3
                << std::endl;
    }
}
#endif
