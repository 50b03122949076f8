#include "kernels/compare/compare_job.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "engine/base/digest.h"
#include "kernels/compare/sample.h"
#include "kernels/compare/types.h"
#include "kernels/compare/verdict.h"
#include "kernels/job/device.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#include "kernels/tensor/files.h"
#ifdef CR_CUDA
#include "kernels/compare/device_compare.h"
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

// What is asked of the comparison, apart from the tensors.
struct Question {
  Policy policy = Policy::dtype;
  Tolerance tolerance;
  Limits limits;
};

Result<Question> question_of(const json::object& inputs, ElementType type) {
  Question question;
  CR_TRY(const std::string word,
         choice(inputs, "policy", "auto", {"auto", "tolerance", "torch", "dtype", "budget"}));
  const bool given = has(inputs, "rtol") || has(inputs, "atol");
  if (word == "tolerance" || (word == "auto" && given && !has(inputs, "lowprec")))
    question.policy = Policy::tolerance;
  else if (word == "torch")
    question.policy = Policy::torch;
  else if (word == "budget" || (word == "auto" && has(inputs, "lowprec")))
    question.policy = Policy::budget;
  if (question.policy == Policy::budget && !has(inputs, "lowprec"))
    return fail(ErrorCode::invalid_argument,
                "the policy budget needs lowprec, a second result in the type of actual");
  if (question.policy == Policy::torch && given)
    return fail(ErrorCode::invalid_argument,
                "the policy torch brings its own rtol and atol; leave them out");
  // Under a policy that does not judge elements one by one, these only count mismatches.
  question.tolerance = torch_tolerance(type);
  if (question.policy == Policy::tolerance || given)
    question.tolerance = {number(inputs, "rtol", 0.0), number(inputs, "atol", 0.0)};
  const double floor = number(inputs, "rel_floor", 1e-3);
  for (const double value : {question.tolerance.rtol, question.tolerance.atol, floor})
    if (!std::isfinite(value) || value < 0.0 || value > 1e30)
      return fail(ErrorCode::invalid_argument, "rtol, atol and rel_floor are from 0 to 1e30");
  question.limits = limits_of(question.tolerance.rtol, question.tolerance.atol, floor,
                              flag(inputs, "equal_nan", false));
  return question;
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

Relation relation_of(const std::string& word) {
  return word == "equal"       ? Relation::equal
         : word == "unrelated" ? Relation::unrelated
                               : Relation::near;
}

// Tensors made up where they are compared; the comparison is timed.
Result<Answer> answer_on_samples_on_host(ElementType type, std::uint64_t n, std::uint64_t seed,
                                         Relation relation, const Limits& limits) {
  Tensor actual = zeros(type, {static_cast<std::int64_t>(n)});
  Tensor expected = actual;
  with_types(type, type, [&]<class A, class>() {
    auto* a = reinterpret_cast<typename A::Bits*>(actual.data.data());
    auto* b = reinterpret_cast<typename A::Bits*>(expected.data.data());
    for (std::uint64_t i = 0; i < n; ++i) {
      a[i] = sample_actual<A>(seed, i, relation);
      b[i] = sample_expected<A>(seed, i);
    }
  });
  return answer_on_host(actual, expected, limits);
}

#ifdef CR_CUDA
Result<cuda::DeviceBuffer> uploaded(const Tensor& tensor) {
  if (tensor.data.empty()) return cuda::DeviceBuffer::allocate(16);
  CR_TRY(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::allocate(tensor.data.size()));
  CR_CHECK(buffer.upload(tensor.data.data()));
  return buffer;
}

Result<Answer> answer_on_device(const Tensor& actual, const Tensor& expected,
                                const Limits& limits) {
  Answer answer;
  CR_TRY(const cuda::DeviceBuffer a, uploaded(actual));
  CR_TRY(const cuda::DeviceBuffer b, uploaded(expected));
  CR_TRY(const DeviceComparison plan,
         DeviceComparison::plan({actual.type, a.data()}, {expected.type, b.data()},
                                actual.elements(), limits));
  CR_CHECK(plan.launch(nullptr));
  CR_TRY(answer.comparison, plan.result());
  for (const Worst& pair : answer.comparison.worst)
    answer.worst.push_back({value_at(actual, pair.index), value_at(expected, pair.index)});
  return answer;
}

PairValues sample_pair(ElementType type, std::uint64_t seed, std::uint64_t index,
                       Relation relation) {
  PairValues pair;
  with_types(type, type, [&]<class A, class>() {
    pair = {static_cast<double>(A::real(sample_actual<A>(seed, index, relation))),
            static_cast<double>(A::real(sample_expected<A>(seed, index)))};
  });
  return pair;
}

Result<Answer> answer_on_samples_on_device(ElementType type, std::uint64_t n, std::uint64_t seed,
                                           Relation relation, const Limits& limits) {
  Answer answer;
  const auto bytes = static_cast<std::size_t>(n * bytes_of(type));
  CR_TRY(const cuda::DeviceBuffer a, cuda::DeviceBuffer::allocate(bytes));
  CR_TRY(const cuda::DeviceBuffer b, cuda::DeviceBuffer::allocate(bytes));
  CR_CHECK(fill_samples(type, a.data(), b.data(), n, seed, relation));
  CR_TRY(const DeviceComparison plan,
         DeviceComparison::plan({type, a.data()}, {type, b.data()}, n, limits));
  const auto launch = [&](CUstream_st* stream, int) { return plan.launch(stream); };
  CR_TRY(const measure::GraphTiming timing, measure::time_graph(launch, 1, 20));
  CR_CHECK(plan.launch(nullptr));
  CR_TRY(answer.comparison, plan.result());
  answer.read_GBps =
      gigabytes_per_second(2.0 * static_cast<double>(bytes), timing.us_per_launch * 1e-6);
  for (const Worst& pair : answer.comparison.worst)
    answer.worst.push_back(sample_pair(type, seed, pair.index, relation));
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
  const json::object& inputs = request.inputs;
  JobReport report;
  CR_TRY(report.backend, choose_backend(request));
  // Two tensors of 32 GiB at most on a device, of 1 GiB on the host.
  CR_TRY(const std::string name,
         choice(inputs, "sample_dtype", "f16", {"f64", "f32", "f16", "bf16", "e4m3"}));
  const ElementType type = *element_type_from(name);
  const std::int64_t bytes_max = std::int64_t{1} << (report.backend == Backend::cpu ? 30 : 35);
  CR_TRY(const std::int64_t n, whole_within(inputs, "sample_elements", 1, 1,
                                            bytes_max / static_cast<std::int64_t>(bytes_of(type))));
  CR_TRY(const std::string relation,
         choice(inputs, "sample_relation", "near", {"near", "unrelated", "equal"}));
  CR_TRY(const Question question, question_of(inputs, type));
  if (question.policy == Policy::budget)
    return fail(ErrorCode::invalid_argument, "the policy budget needs tensors in files");
  const auto answer_on_samples =
      report.backend == Backend::cuda ? answer_on_samples_on_device : answer_on_samples_on_host;
  CR_TRY(const Answer answer, answer_on_samples(type, static_cast<std::uint64_t>(n), request.seed,
                                                relation_of(relation), question.limits));
  put_fields(report.fields, answer.comparison, answer.worst);
  put_question(report.fields, question, type, type);
  report.fields["err_max"] = nullptr;
  report.fields["err_budget"] = nullptr;
  report.fields["read_GBps"] = answer.read_GBps;
  report.perf_valid = report.backend == Backend::cuda;
  judge(report, answer.comparison, question.policy, type, std::nullopt);
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
  if (!has(inputs, "actual") || !has(inputs, "expected"))
    return fail(ErrorCode::invalid_argument,
                "give actual and expected, two tensor files, or sample_elements");
  CR_TRY(const Tensor actual, read_tensor(text(inputs, "actual"), text(inputs, "actual_tensor")));
  CR_TRY(const Tensor expected,
         read_tensor(text(inputs, "expected"), text(inputs, "expected_tensor")));
  CR_CHECK(check_types(actual.type, expected.type));
  if (actual.shape != expected.shape)
    return fail(ErrorCode::invalid_argument, "actual has shape " + shape_text(actual.shape) +
                                                 ", expected has " + shape_text(expected.shape));
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
  job.title = "compares two tensors in one pass: errors, ULPs, NaN and infinities, worst elements";
  job.inputs = inputs_text;
  job.result = result_text();
  job.run = run;
  return job;
}

}  // namespace checkride::kernels
