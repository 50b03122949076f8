// The two tensors of a comparison in device memory. Their `data` stays theirs.
#pragma once

#include "kernels/compare/question.h"
#include "kernels/cuda/check.h"

namespace checkride::kernels::compare {

struct DeviceTensors {
  cuda::DeviceBuffer actual_memory, expected_memory;
  View actual, expected;
};

inline Result<DeviceTensors> device_tensors(ElementType actual, ElementType expected,
                                            std::uint64_t n) {
  DeviceTensors tensors;
  const auto bytes = [n](ElementType type) { return n == 0 ? 16 : n * bytes_of(type); };
  CR_TRY(tensors.actual_memory, cuda::DeviceBuffer::allocate(bytes(actual)));
  CR_TRY(tensors.expected_memory, cuda::DeviceBuffer::allocate(bytes(expected)));
  tensors.actual = {actual, tensors.actual_memory.data()};
  tensors.expected = {expected, tensors.expected_memory.data()};
  return tensors;
}

// Errors: no_space, unavailable.
inline Result<DeviceTensors> upload(const Tensor& actual, const Tensor& expected) {
  CR_TRY(DeviceTensors tensors, device_tensors(actual.type, expected.type, actual.elements()));
  if (actual.elements() == 0) return tensors;
  CR_CHECK(tensors.actual_memory.upload(actual.data.data()));
  CR_CHECK(tensors.expected_memory.upload(expected.data.data()));
  return tensors;
}

inline Result<DeviceTensors> samples_on_device(const Samples& samples) {
  CR_TRY(DeviceTensors tensors, device_tensors(samples.type, samples.type, samples.n));
  CR_CHECK(fill_samples(samples.type, tensors.actual_memory.data(), tensors.expected_memory.data(),
                        samples.n, samples.seed, samples.relation));
  return tensors;
}

}  // namespace checkride::kernels::compare
