#include "kernels/attention/sdpa_device.h"

namespace checkride::kernels::attention {
namespace {

// Into memory that is already there if it is of the right size.
template <class Value>
Result<void> store(cuda::DeviceBuffer& buffer, const std::vector<Value>& values) {
  const std::size_t bytes = values.size() * sizeof(Value);
  if (buffer.bytes() != bytes) {
    CR_TRY(buffer, cuda::DeviceBuffer::allocate(bytes));
  }
  return buffer.upload(values.data());
}

}  // namespace

Result<DeviceForward> DeviceForward::create(const SdpaCase& sdpa, int sets) {
  DeviceForward forward(sdpa.problem, sdpa.plan, sdpa.e4m3);
  CR_TRY(forward.o_, cuda::DeviceBuffer::allocate(element_count(sdpa.problem) * 2));
  for (int i = 0; i < sets; ++i) {
    Inputs inputs;
    CR_CHECK(forward.fill(inputs, sdpa.tensors, {}));
    forward.sets_.push_back(std::move(inputs));
  }
  CR_CHECK(forward.poison());
  return forward;
}

Result<void> DeviceForward::fill(Inputs& inputs, const HostTensors& tensors,
                                 const std::vector<float>& v_scale) {
  if (!e4m3_) {
    CR_CHECK(store(inputs.q, tensors.q));
    CR_CHECK(store(inputs.k, tensors.k));
    return store(inputs.v, tensors.v);
  }
  const E4m3Host host = quantise(problem_, tensors, v_scale);
  CR_CHECK(store(inputs.q, padded_rows(host.q, problem_.seq, problem_.dim)));
  CR_CHECK(store(inputs.k, padded_rows(host.k, problem_.seq, problem_.dim)));
  CR_CHECK(store(inputs.v, padded_transposed(host.v, problem_.seq, problem_.dim)));
  CR_CHECK(store(inputs.q_scale, host.q_scale));
  CR_CHECK(store(inputs.k_scale, host.k_scale));
  return store(inputs.v_scale, host.v_scale);
}

Result<void> DeviceForward::set_inputs(const HostTensors& tensors,
                                       const std::vector<float>& v_scale) {
  return fill(sets_.front(), tensors, v_scale);
}

Result<void> DeviceForward::launch(CUstream_st* stream, int set) const {
  const Inputs& in = sets_[static_cast<std::size_t>(set)];
  if (!e4m3_)
    return launch_forward(problem_, plan_, {in.q.data(), in.k.data(), in.v.data(), o_.data()},
                          stream);
  const auto scale = [](const cuda::DeviceBuffer& buffer) {
    return static_cast<const float*>(buffer.data());
  };
  return launch_e4m3(problem_, plan_,
                     {in.q.data(), in.k.data(), in.v.data(), scale(in.q_scale), scale(in.k_scale),
                      scale(in.v_scale), o_.data()},
                     stream);
}

Result<void> DeviceForward::poison() {
  return o_.fill(0xff);
}

Result<std::vector<std::uint16_t>> DeviceForward::output() const {
  CR_CHECK(cuda::synchronize());
  std::vector<std::uint16_t> out(o_.bytes() / 2);
  CR_CHECK(o_.download(out.data()));
  return out;
}

}  // namespace checkride::kernels::attention
