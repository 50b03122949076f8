#include "kernels/quant/quant_subject.h"

#include <algorithm>
#include <span>

#include "kernels/job/device.h"
#include "kernels/job/host_threads.h"
#include "kernels/quant/quant_case.h"
#ifdef CR_CUDA
#include "kernels/quant/device_quantize.h"
#endif

namespace checkride::kernels::quant {

namespace {

class HostSubject final : public Subject {
 public:
  HostSubject(const Plan& plan, Tensor input)
      : plan_(plan), input_(std::move(input)), codes_(plan.elements()) {}
  Backend backend() const override { return Backend::cpu; }
  Result<void> launch(CUstream_st*, int) override {
    CR_TRY(const Quantized quantized, quantize_on_host(plan_, input_, host_threads()));
    std::ranges::copy(quantized.codes, codes_.begin());
    return {};
  }
  std::size_t output_bytes() const override { return codes_.size(); }
  std::size_t element_bytes() const override { return 1; }
  Result<void> poison() override {
    std::ranges::fill(codes_, std::uint8_t{0xff});
    return {};
  }
  Result<std::vector<std::byte>> output() override {
    const auto bytes = std::as_bytes(std::span(codes_));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
  const void* output_address() const override { return codes_.data(); }

 private:
  Plan plan_;
  Tensor input_;
  std::vector<std::uint8_t> codes_;
};

#ifdef CR_CUDA
class DeviceSubject final : public Subject {
 public:
  DeviceSubject(cuda::DeviceBuffer input, DeviceQuantizer quantizer)
      : input_(std::move(input)), quantizer_(std::move(quantizer)) {}
  Backend backend() const override { return Backend::cuda; }
  Result<void> launch(CUstream_st* stream, int) override { return quantizer_.launch(stream); }
  std::size_t output_bytes() const override { return quantizer_.codes().bytes(); }
  std::size_t element_bytes() const override { return 1; }
  Result<void> poison() override { return quantizer_.poison(); }
  Result<std::vector<std::byte>> output() override {
    CR_CHECK(cuda::synchronize());
    std::vector<std::byte> bytes(output_bytes());
    CR_CHECK(quantizer_.codes().download(bytes.data()));
    return bytes;
  }
  const void* output_address() const override { return quantizer_.codes().data(); }

 private:
  cuda::DeviceBuffer input_;
  DeviceQuantizer quantizer_;
};
#endif

}  // namespace

Result<std::unique_ptr<Subject>> quant_subject(const JobRequest& request) {
  CR_TRY(const Backend backend, choose_backend(request));
  CR_TRY(Tensor input, input_of(request));
  CR_TRY(const Plan plan, plan_of(request.inputs, input));
#ifdef CR_CUDA
  if (backend == Backend::cuda) {
    CR_TRY(cuda::DeviceBuffer data, cuda::DeviceBuffer::allocate(input.data.size()));
    CR_CHECK(data.upload(input.data.data()));
    CR_TRY(DeviceQuantizer quantizer, DeviceQuantizer::plan(plan, input.type, data.data()));
    return std::make_unique<DeviceSubject>(std::move(data), std::move(quantizer));
  }
#endif
  static_cast<void>(backend);
  return std::make_unique<HostSubject>(plan, std::move(input));
}

}  // namespace checkride::kernels::quant
