#include "kernels/compare/compare_job.h"

#include <chrono>

#include "engine/base/digest.h"
#include "kernels/compare/compare_subject.h"
#include "kernels/compare/question.h"
#include "kernels/compare/types.h"
#include "kernels/job/device.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#include "kernels/tensor/files.h"
#ifdef CR_CUDA
#include "kernels/compare/device_compare.h"
#include "kernels/compare/device_tensors.h"
#include "kernels/measure/graph_timer.h"
#endif

namespace checkride::kernels {

namespace {

using namespace compare;

constexpr std::string_view inputs_text =
    "{actual?: path, expected?: path, actual_tensor?: string, expected_tensor?: string, "
    "lowprec?: path, lowprec_tensor?: string, policy?: string, rtol?: double, atol?: double, "
    "equal_nan?: bool, rel_floor?: double, sample_elements?: int, sample_dtype?: string, "
    "sample_relation?: string}";

const std::string& result_text() {
  static const std::string text = "{" + std::string(compare_fields) +
                                  ", dtype: string, dtype_expected: string, policy: string, "
                                  "rtol: double, atol: double, rel_floor: double, "
                                  "rel_fro_limit?: double, err_max?: double, err_budget?: double, "
                                  "read_GBps?: double}";
  return text;
}

struct Answer {
  Comparison comparison;
  std::vector<PairValues> worst;
  json::value read_GBps = nullptr;
};

double gigabytes_per_second(double bytes, double seconds) {
  return seconds > 0.0 ? bytes / seconds * 1e-9 : 0.0;
}

Result<Answer> answer_on_host(const Tensor& actual, const Tensor& expected, const Limits& limits) {
  Answer answer;
  const auto start = std::chrono::steady_clock::now();
  CR_TRY(answer.comparison,
         compare_on_host({actual.type, actual.data.data()}, {expected.type, expected.data.data()},
                         actual.elements(), limits, host_threads()));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  answer.read_GBps = gigabytes_per_second(
      static_cast<double>(actual.data.size() + expected.data.size()), took.count());
  for (const Worst& pair : answer.comparison.worst)
    answer.worst.push_back({value_at(actual, pair.index), value_at(expected, pair.index)});
  return answer;
}

// Tensors made up where they are compared; the comparison is timed.
Result<Answer> answer_on_samples_on_host(const Samples& samples, const Limits& limits) {
  const TensorPair pair = samples_on_host(samples);
  return answer_on_host(pair.actual, pair.expected, limits);
}

#ifdef CR_CUDA
Result<Answer> answer_on_device(const Tensor& actual, const Tensor& expected,
                                const Limits& limits) {
  Answer answer;
  CR_TRY(const DeviceTensors tensors, upload(actual, expected));
  CR_TRY(const DeviceComparison plan,
         DeviceComparison::plan(tensors.actual, tensors.expected, actual.elements(), limits));
  CR_CHECK(plan.launch(nullptr));
  CR_TRY(answer.comparison, plan.result());
  for (const Worst& pair : answer.comparison.worst)
    answer.worst.push_back({value_at(actual, pair.index), value_at(expected, pair.index)});
  return answer;
}

PairValues sample_pair(const Samples& samples, std::uint64_t index) {
  PairValues pair;
  with_types(samples.type, samples.type, [&]<class A, class>() {
    pair = {static_cast<double>(A::real(sample_actual<A>(samples.seed, index, samples.relation))),
            static_cast<double>(A::real(sample_expected<A>(samples.seed, index)))};
  });
  return pair;
}

Result<Answer> answer_on_samples_on_device(const Samples& samples, const Limits& limits) {
  Answer answer;
  CR_TRY(const DeviceTensors tensors, samples_on_device(samples));
  CR_TRY(const DeviceComparison plan,
         DeviceComparison::plan(tensors.actual, tensors.expected, samples.n, limits));
  const auto launch = [&](CUstream_st* stream, int) { return plan.launch(stream); };
  CR_TRY(const measure::GraphTiming timing, measure::time_graph(launch, 1, 20));
  CR_CHECK(plan.launch(nullptr));
  CR_TRY(answer.comparison, plan.result());
  answer.read_GBps = gigabytes_per_second(
      2.0 * static_cast<double>(samples.n * bytes_of(samples.type)), timing.us_per_launch * 1e-6);
  for (const Worst& pair : answer.comparison.worst)
    answer.worst.push_back(sample_pair(samples, pair.index));
  return answer;
}
#else
// Without CUDA choose_backend() gives the host, and neither is reached.
constexpr auto answer_on_device = answer_on_host;
constexpr auto answer_on_samples_on_device = answer_on_samples_on_host;
#endif

void put_question(json::object& fields, const Question& question, ElementType actual,
                  ElementType expected) {
  fields["dtype"] = std::string(to_string(actual));
  fields["dtype_expected"] = std::string(to_string(expected));
  fields["policy"] = std::string(to_string(question.policy));
  fields["rtol"] = question.tolerance.rtol;
  fields["atol"] = question.tolerance.atol;
  fields["rel_floor"] = question.limits.rel_floor;
  fields["rel_fro_limit"] =
      question.policy == Policy::dtype ? json::value(rel_fro_limit(actual)) : json::value(nullptr);
}

Result<JobReport> run_on_samples(const JobRequest& request) {
  JobReport report;
  CR_TRY(report.backend, choose_backend(request));
  CR_TRY(const Samples samples, samples_of(request, report.backend));
  CR_TRY(const Question question, question_of(request.inputs, samples.type));
  if (question.policy == Policy::budget)
    return fail(ErrorCode::invalid_argument, "the policy budget needs tensors in files");
  const auto answer_on_samples =
      report.backend == Backend::cuda ? answer_on_samples_on_device : answer_on_samples_on_host;
  CR_TRY(const Answer answer, answer_on_samples(samples, question.limits));
  put_fields(report.fields, answer.comparison, answer.worst);
  put_question(report.fields, question, samples.type, samples.type);
  report.fields["err_max"] = nullptr;
  report.fields["err_budget"] = nullptr;
  report.fields["read_GBps"] = answer.read_GBps;
  report.perf_valid = report.backend == Backend::cuda;
  judge(report, answer.comparison, question.policy, samples.type, std::nullopt);
  return report;
}

std::string digest_of(const Tensor& actual, const Tensor& expected) {
  Sha256 digest;
  for (const Tensor* tensor : {&actual, &expected}) {
    digest.update(std::string(to_string(tensor->type)) + shape_text(tensor->shape));
    digest.update(std::span<const std::byte>(tensor->data));
  }
  return to_hex(digest.finish());
}

Result<JobReport> run_on_files(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  JobReport report;
  CR_TRY(const TensorPair pair, tensors_of(inputs));
  const auto& [actual, expected] = pair;
  CR_TRY(const Question question, question_of(inputs, actual.type));
  std::optional<Budget> budget;
  if (has(inputs, "lowprec")) {
    CR_TRY(const Tensor lowprec,
           read_tensor(text(inputs, "lowprec"), text(inputs, "lowprec_tensor")));
    if (lowprec.shape != actual.shape || lowprec.type != actual.type)
      return fail(ErrorCode::invalid_argument,
                  "lowprec is " + std::string(to_string(lowprec.type)) + shape_text(lowprec.shape) +
                      "; it must be of the type and shape of actual, " +
                      std::string(to_string(actual.type)) + shape_text(actual.shape));
    budget = error_budget(actual, expected, lowprec, host_threads());
  }
  // Files are in the host's memory: it is the quicker place, unless the device is asked for.
  if (request.where == JobRequest::Where::cuda) {
    CR_TRY(report.backend, choose_backend(request));
  }
  const auto answer_on = report.backend == Backend::cuda ? answer_on_device : answer_on_host;
  CR_TRY(const Answer answer, answer_on(actual, expected, question.limits));
  report.inputs_sha256 = digest_of(actual, expected);
  put_fields(report.fields, answer.comparison, answer.worst);
  put_question(report.fields, question, actual.type, expected.type);
  report.fields["err_max"] = budget ? finite(budget->err_max) : json::value(nullptr);
  report.fields["err_budget"] = budget ? finite(budget->err_budget) : json::value(nullptr);
  report.fields["read_GBps"] = answer.read_GBps;
  judge(report, answer.comparison, question.policy, actual.type, budget);
  return report;
}

Result<JobReport> run(const JobRequest& request) {
  return has(request.inputs, "sample_elements") ? run_on_samples(request) : run_on_files(request);
}

}  // namespace

Job tensor_compare_job() {
  Job job;
  job.name = "tensor.compare";
  job.version = 2;  // 2: another hash
  job.title = "two tensors compared in one pass: errors, ULPs, NaN and infinities, worst elements";
  job.inputs = inputs_text;
  job.result = result_text();
  job.run = run;
  job.subject = compare_subject;
  return job;
}

}  // namespace checkride::kernels
