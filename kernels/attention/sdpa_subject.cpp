#include "kernels/attention/sdpa_subject.h"

#include <algorithm>
#include <cstring>

#include "kernels/attention/sdpa_compute.h"
#include "kernels/attention/sdpa_timing.h"
#include "kernels/job/device.h"
#ifdef CR_CUDA
#include "kernels/attention/sdpa_device.h"
#endif

namespace checkride::kernels::attention {
namespace {

std::vector<std::byte> bytes_of(const std::vector<std::uint16_t>& values) {
  std::vector<std::byte> bytes(values.size() * 2);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

class HostSubject : public Subject {
 public:
  explicit HostSubject(SdpaCase sdpa)
      : sdpa_(std::move(sdpa)), out_(element_count(sdpa_.problem), poison_bits) {}
  Backend backend() const override { return Backend::cpu; }
  Result<void> launch(CUstream_st*, int) override {
    const auto computed = compute_on_host(sdpa_, sdpa_.tensors);
    std::ranges::copy(computed, out_.begin());
    return {};
  }
  std::size_t output_bytes() const override { return out_.size() * 2; }
  std::size_t element_bytes() const override { return 2; }
  Result<void> poison() override {
    std::ranges::fill(out_, poison_bits);
    return {};
  }
  Result<std::vector<std::byte>> output() override { return bytes_of(out_); }
  const void* output_address() const override { return out_.data(); }

 private:
  static constexpr std::uint16_t poison_bits = attention::poison;
  SdpaCase sdpa_;
  std::vector<std::uint16_t> out_;
};

#ifdef CR_CUDA
class DeviceSubject : public Subject {
 public:
  explicit DeviceSubject(DeviceForward forward) : forward_(std::move(forward)) {}
  Backend backend() const override { return Backend::cuda; }
  Result<void> launch(CUstream_st* stream, int set) override {
    return forward_.launch(stream, set);
  }
  int input_sets() const override { return forward_.sets(); }
  std::size_t output_bytes() const override { return forward_.output_bytes(); }
  std::size_t element_bytes() const override { return 2; }
  Result<void> poison() override { return forward_.poison(); }
  Result<std::vector<std::byte>> output() override {
    CR_TRY(const auto out, forward_.output());
    return bytes_of(out);
  }
  const void* output_address() const override { return forward_.output_address(); }

 private:
  DeviceForward forward_;
};
#endif

}  // namespace

Result<std::unique_ptr<Subject>> sdpa_subject(const JobRequest& request) {
  CR_TRY(SdpaCase sdpa, sdpa_case(request));
#ifdef CR_CUDA
  if (sdpa.backend == Backend::cuda) {
    CR_TRY(DeviceForward forward, DeviceForward::create(sdpa, cold_sets(sdpa, device()->l2_bytes)));
    return std::make_unique<DeviceSubject>(std::move(forward));
  }
#endif
  return std::make_unique<HostSubject>(std::move(sdpa));
}

}  // namespace checkride::kernels::attention
