#include "kernels/compare/compare_subject.h"

#include <cstring>

#include "kernels/compare/question.h"
#include "kernels/job/device.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#ifdef CR_CUDA
#include "kernels/compare/device_compare.h"
#include "kernels/compare/device_tensors.h"
#endif

namespace checkride::kernels::compare {

namespace {

constexpr std::size_t words_of_result = 18 + ulp_bins + 2 * worst_count;

std::vector<std::uint64_t> words_of(const Comparison& found) {
  std::vector<std::uint64_t> words = {
      found.n,
      found.mismatch,
      found.nan_actual,
      found.nan_expected,
      found.inf_actual,
      found.inf_expected,
      found.nan_position_mismatch,
      found.unwritten,
      found.ulp_max,
      found.hash_actual,
      found.hash_expected,
      bits_of(found.sum_d2),
      bits_of(found.sum_d1),
      bits_of(found.sum_a2),
      bits_of(found.sum_b2),
      bits_of(found.ref_max_abs),
      bits_of(found.max_rel),
      found.max_abs.index,
  };
  words.insert(words.end(), found.ulp_hist.begin(), found.ulp_hist.end());
  for (const Worst& pair : found.worst) words.insert(words.end(), {pair.key, pair.index});
  words.resize(words_of_result);
  return words;
}

class CompareSubject : public Subject {
 public:
  std::size_t output_bytes() const override { return words_of_result * sizeof(std::uint64_t); }
  std::size_t element_bytes() const override { return sizeof(std::uint64_t); }

 protected:
  static std::vector<std::byte> bytes_of(const std::vector<std::uint64_t>& words) {
    std::vector<std::byte> bytes(words.size() * sizeof words[0]);
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
  }
};

class HostSubject final : public CompareSubject {
 public:
  HostSubject(TensorPair pair, const Limits& limits) : pair_(std::move(pair)), limits_(limits) {}
  Backend backend() const override { return Backend::cpu; }
  Result<void> launch(CUstream_st*, int) override {
    const auto& [actual, expected] = pair_;
    CR_TRY(const Comparison found,
           compare_on_host({actual.type, actual.data.data()}, {expected.type, expected.data.data()},
                           actual.elements(), limits_, host_threads()));
    words_ = words_of(found);
    return {};
  }
  Result<void> poison() override {
    words_.assign(words_of_result, ~std::uint64_t{0});
    return {};
  }
  Result<std::vector<std::byte>> output() override { return bytes_of(words_); }

 private:
  TensorPair pair_;
  Limits limits_;
  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(words_of_result);
};

#ifdef CR_CUDA
class DeviceSubject final : public CompareSubject {
 public:
  DeviceSubject(DeviceTensors tensors, DeviceComparison plan)
      : tensors_(std::move(tensors)), plan_(std::move(plan)) {}
  Backend backend() const override { return Backend::cuda; }
  Result<void> launch(CUstream_st* stream, int) override { return plan_.launch(stream); }
  Result<void> poison() override { return plan_.poison(); }
  Result<std::vector<std::byte>> output() override {
    CR_TRY(const Comparison found, plan_.result());
    return bytes_of(words_of(found));
  }

 private:
  DeviceTensors tensors_;
  DeviceComparison plan_;
};

Result<std::unique_ptr<Subject>> device_subject(DeviceTensors tensors, std::uint64_t n,
                                                const Limits& limits) {
  CR_TRY(DeviceComparison plan,
         DeviceComparison::plan(tensors.actual, tensors.expected, n, limits));
  return std::make_unique<DeviceSubject>(std::move(tensors), std::move(plan));
}
#endif

}  // namespace

Result<std::unique_ptr<Subject>> compare_subject(const JobRequest& request) {
  CR_TRY(const Backend backend, choose_backend(request));
  if (has(request.inputs, "sample_elements")) {
    CR_TRY(const Samples samples, samples_of(request, backend));
    CR_TRY(const Question question, question_of(request.inputs, samples.type));
#ifdef CR_CUDA
    if (backend == Backend::cuda) {
      CR_TRY(DeviceTensors tensors, samples_on_device(samples));
      return device_subject(std::move(tensors), samples.n, question.limits);
    }
#endif
    return std::make_unique<HostSubject>(samples_on_host(samples), question.limits);
  }
  CR_TRY(TensorPair pair, tensors_of(request.inputs));
  CR_TRY(const Question question, question_of(request.inputs, pair.actual.type));
#ifdef CR_CUDA
  if (backend == Backend::cuda) {
    CR_TRY(DeviceTensors tensors, upload(pair.actual, pair.expected));
    return device_subject(std::move(tensors), pair.actual.elements(), question.limits);
  }
#endif
  return std::make_unique<HostSubject>(std::move(pair), question.limits);
}

}  // namespace checkride::kernels::compare
