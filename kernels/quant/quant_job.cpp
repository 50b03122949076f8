#include "kernels/quant/quant_job.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <cmath>

#include "engine/base/digest.h"
#include "kernels/job/device.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#include "kernels/quant/quant_case.h"
#include "kernels/quant/quant_subject.h"
#include "kernels/tensor/files.h"
#ifdef CR_CUDA
#include "kernels/measure/graph_timer.h"
#include "kernels/quant/device_quantize.h"
#endif

namespace checkride::kernels {

namespace {

using namespace quant;

constexpr std::string_view inputs_text =
    "{tensor?: path, tensor_name?: string, shape?: list<int>, dtype?: string, "
    "distribution?: string, granularity?: string, block_rows?: int, margin?: int, code?: string, "
    "transpose?: bool, write_codes?: bool, scales?: path, codes?: path, codes_name?: string}";

constexpr std::string_view result_text =
    "{shape: list<int>, dtype: string, code: string, granularity: string, groups: int, "
    "scale: list<dyn>, amax: list<dyn>, zero_groups: int, scale_zero_groups: list<dyn>, "
    "saturated: int, underflow_to_zero: int, nan_in: int, inf_in: int, "
    "rel_fro_roundtrip?: double, codes_sha256: string, scales_wrong: int, codes_mismatch: int, "
    "bytes_moved: int, latency_us_per_launch?: double, moved_GBps?: double}";

struct Answer {
  Quantized quantized;
  json::value latency_us = nullptr;
  json::value moved_GBps = nullptr;
};

// What one launch reads and writes: the input twice, the codes once, and once more each way to turn
// them.
std::int64_t bytes_moved(const Plan& plan, const Tensor& input) {
  const auto elements = static_cast<std::int64_t>(plan.elements());
  return 2 * static_cast<std::int64_t>(input.data.size()) + elements +
         (plan.transpose ? 2 * elements : 0);
}

#ifdef CR_CUDA
bool same_bits(const Quantized& x, const Quantized& y) {
  return x.codes == y.codes && x.scale == y.scale && x.amax == y.amax && x.nan_in == y.nan_in &&
         x.inf_in == y.inf_in && x.saturated == y.saturated &&
         x.underflow_to_zero == y.underflow_to_zero && x.rel_fro == y.rel_fro;
}

Result<Answer> answer_on_device(const Plan& plan, const Tensor& input) {
  Answer answer;
  CR_TRY(cuda::DeviceBuffer data, cuda::DeviceBuffer::allocate(input.data.size()));
  CR_CHECK(data.upload(input.data.data()));
  CR_TRY(DeviceQuantizer quantizer, DeviceQuantizer::plan(plan, input.type, data.data()));
  const auto launch = [&](CUstream_st* stream, int) { return quantizer.launch(stream); };
  CR_TRY(const measure::GraphTiming timing, measure::time_graph(launch, 4, 20));
  CR_CHECK(quantizer.poison());
  CR_CHECK(quantizer.launch(nullptr));
  CR_TRY(answer.quantized, quantizer.result());
  answer.latency_us = timing.us_per_launch;
  answer.moved_GBps = static_cast<double>(bytes_moved(plan, input)) / timing.us_per_launch * 1e-3;
  return answer;
}
#endif

// The scales and codes of another quantiser, where they are given.
struct Candidate {
  std::vector<double> scale;  // of each group
  std::optional<std::uint64_t> codes_mismatch;
};
Result<Candidate> candidate_of(const json::object& inputs, const Quantized& ours) {
  Candidate candidate;
  candidate.scale.assign(ours.scale.begin(), ours.scale.end());
  if (has(inputs, "scales")) {
    CR_TRY(const Tensor scales, read_tensor(text(inputs, "scales")));
    if (!is_floating(scales.type) || scales.elements() != ours.scale.size())
      return fail(ErrorCode::invalid_argument, "scales has shape " + shape_text(scales.shape) +
                                                   "; give one number for each of " +
                                                   std::to_string(ours.scale.size()) + " groups");
    for (std::size_t i = 0; i < scales.elements(); ++i) candidate.scale[i] = value_at(scales, i);
  }
  if (has(inputs, "codes")) {
    CR_TRY(const Tensor codes, read_tensor(text(inputs, "codes"), text(inputs, "codes_name")));
    if (bytes_of(codes.type) != 1 || codes.elements() != ours.codes.size())
      return fail(ErrorCode::invalid_argument,
                  "codes has shape " + shape_text(codes.shape) +
                      "; give one byte for each element of the tensor");
    std::uint64_t mismatch = 0;
    for (std::size_t i = 0; i < ours.codes.size(); ++i)
      if (codes.data[i] != static_cast<std::byte>(ours.codes[i])) ++mismatch;
    candidate.codes_mismatch = mismatch;
  }
  return candidate;
}

Result<void> write_codes(JobReport& report, const JobRequest& request, const Plan& plan,
                         const Quantized& quantized) {
  Tensor codes = zeros(plan.code == Code::e4m3 ? ElementType::e4m3 : ElementType::u8,
                       {plan.shape[0], plan.shape[1], plan.shape[plan.transpose ? 3 : 2],
                        plan.shape[plan.transpose ? 2 : 3]});
  std::ranges::transform(quantized.codes, codes.data.begin(),
                         [](std::uint8_t code) { return static_cast<std::byte>(code); });
  Tensor scale = zeros(ElementType::f32, {static_cast<std::int64_t>(quantized.scale.size())});
  for (std::size_t i = 0; i < quantized.scale.size(); ++i)
    set_value(scale, i, static_cast<double>(quantized.scale[i]));
  report.artifacts.emplace_back("codes.safetensors");
  return write_safetensors(request.folder / report.artifacts.back(),
                           {{"codes", std::move(codes)}, {"scale", std::move(scale)}});
}

template <class T>
json::array whole_numbers(const T& values) {
  json::array array;
  for (const auto value : values) array.emplace_back(static_cast<std::int64_t>(value));
  return array;
}

void put_fields(json::object& fields, const Plan& plan, const Tensor& input, const Answer& answer,
                const Candidate& candidate) {
  const Quantized& q = answer.quantized;
  json::array scale, amax, scale_of_zeros;
  std::int64_t zero_groups = 0;
  for (std::size_t i = 0; i < q.scale.size(); ++i) {
    scale.emplace_back(finite(candidate.scale[i]));
    amax.emplace_back(finite(static_cast<double>(q.amax[i])));
    if (q.amax[i] == 0.0f) {
      ++zero_groups;
      scale_of_zeros.emplace_back(finite(candidate.scale[i]));
    }
  }
  constexpr std::array<std::string_view, 3> granularities = {"tensor", "head", "block"};
  fields["shape"] = whole_numbers(input.shape);
  fields["dtype"] = std::string(to_string(input.type));
  fields["code"] = plan.code == Code::e4m3 ? "e4m3" : "linear_u8";
  fields["granularity"] = std::string(granularities[static_cast<std::size_t>(plan.granularity)]);
  fields["groups"] = static_cast<std::int64_t>(q.scale.size());
  fields["scale"] = std::move(scale);
  fields["amax"] = std::move(amax);
  fields["zero_groups"] = zero_groups;
  fields["scale_zero_groups"] = std::move(scale_of_zeros);
  fields["saturated"] = static_cast<std::int64_t>(q.saturated);
  fields["underflow_to_zero"] = static_cast<std::int64_t>(q.underflow_to_zero);
  fields["nan_in"] = static_cast<std::int64_t>(q.nan_in);
  fields["inf_in"] = static_cast<std::int64_t>(q.inf_in);
  fields["rel_fro_roundtrip"] = q.rel_fro ? finite(*q.rel_fro) : json::value(nullptr);
  fields["codes_sha256"] = to_hex(sha256(std::as_bytes(std::span(q.codes))));
  fields["bytes_moved"] = bytes_moved(plan, input);
  fields["latency_us_per_launch"] = answer.latency_us;
  fields["moved_GBps"] = answer.moved_GBps;
}

Result<JobReport> run(const JobRequest& request) {
  JobReport report;
  CR_TRY(report.backend, choose_backend(request));
  CR_TRY(const Tensor input, input_of(request));
  CR_TRY(const Plan plan, plan_of(request.inputs, input));
  Answer answer;
  CR_TRY(answer.quantized, quantize_on_host(plan, input, host_threads()));
  report.status = Status::pass;
#ifdef CR_CUDA
  if (report.backend == Backend::cuda) {
    CR_TRY(Answer on_device, answer_on_device(plan, input));
    if (!same_bits(on_device.quantized, answer.quantized)) {
      report.fail_with("differs_from_host");
      report.message = "the device's codes, scales or counts are not the host's";
    }
    answer = std::move(on_device);
    report.perf_valid = true;
  }
#endif
  CR_TRY(const Candidate candidate, candidate_of(request.inputs, answer.quantized));
  put_fields(report.fields, plan, input, answer, candidate);
  const std::uint64_t scales_wrong = wrong_scales(plan, answer.quantized.amax, candidate.scale);
  const std::uint64_t codes_mismatch = candidate.codes_mismatch.value_or(0);
  report.fields["scales_wrong"] = static_cast<std::int64_t>(scales_wrong);
  report.fields["codes_mismatch"] = static_cast<std::int64_t>(codes_mismatch);
  const auto against = [&](const std::string& reason, const std::string& words) {
    report.fail_with(reason);
    report.message += (report.message.empty() ? "" : "; ") + words;
  };
  if (scales_wrong != 0)
    against("scale_wrong", std::to_string(scales_wrong) + " of " +
                               std::to_string(answer.quantized.scale.size()) +
                               " scales break the rule (amax / the largest code, 1 for zeros)");
  if (codes_mismatch != 0)
    against("codes_mismatch", std::to_string(codes_mismatch) + " of " +
                                  std::to_string(answer.quantized.codes.size()) +
                                  " codes are not the right ones");
  Sha256 digest;
  digest.update(std::string(to_string(input.type)) + shape_text(input.shape));
  digest.update(std::span<const std::byte>(input.data));
  report.inputs_sha256 = to_hex(digest.finish());
  if (flag(request.inputs, "write_codes", false))
    CR_CHECK(write_codes(report, request, plan, answer.quantized));
  return report;
}

}  // namespace

Job quant_e4m3_job() {
  Job job;
  job.name = "quant.e4m3";
  job.title = "8-bit codes and scales of a tensor, or a judgement of those of another";
  job.inputs = inputs_text;
  job.result = result_text;
  job.run = run;
  job.subject = quant_subject;
  return job;
}

}  // namespace checkride::kernels
