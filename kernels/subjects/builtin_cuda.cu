#include <cuda_runtime.h>

#include <algorithm>

#include "kernels/cuda/check.h"
#include "kernels/hash/position_hash.h"
#include "kernels/measure/floor.h"
#include "kernels/subjects/builtin.h"

namespace checkride::kernels {
namespace {

using cuda::check;

constexpr int threads = 256;

__global__ void __launch_bounds__(threads)
    subject_copy_kernel(const uint4* from, uint4* to, std::size_t count) {
  const std::size_t stride = std::size_t{gridDim.x} * threads;
  std::size_t i = std::size_t{blockIdx.x} * threads + threadIdx.x;
  for (; i + 3 * stride < count; i += 4 * stride) {
    uint4 value[4];
    CR_UNROLL
    for (int j = 0; j < 4; ++j) value[j] = from[i + j * stride];
    CR_UNROLL
    for (int j = 0; j < 4; ++j) to[i + j * stride] = value[j];
  }
  for (; i < count; i += stride) to[i] = from[i];
}

__global__ void subject_words_kernel(std::uint32_t* to, std::size_t count, std::uint64_t seed,
                                     std::uint64_t period, std::int64_t wrong) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += stride)
    to[i] = static_cast<std::uint32_t>(mixed_word(seed, i % period)) ^
            (static_cast<std::int64_t>(i) == wrong ? 1u : 0u);
}

class DeviceSubject : public Subject {
 public:
  Backend backend() const override { return Backend::cuda; }
  std::size_t output_bytes() const override { return output_.bytes(); }
  std::size_t element_bytes() const override { return 4; }
  Result<void> poison() override {
    if (output_.bytes() == 0) return {};
    return output_.fill(0xff);
  }
  Result<std::vector<std::byte>> output() override {
    CR_CHECK(cuda::synchronize());
    std::vector<std::byte> bytes(output_.bytes());
    if (!bytes.empty()) CR_CHECK(output_.download(bytes.data()));
    return bytes;
  }
  const void* output_address() const override { return output_.data(); }

 protected:
  cuda::DeviceBuffer output_;
};

class EmptyOnDevice final : public DeviceSubject {
 public:
  explicit EmptyOnDevice(const measure::LaunchShape& shape) : shape_(shape) {}
  Result<void> launch(CUstream_st* stream, int) override {
    return measure::launch_empty(shape_, stream);
  }

 private:
  measure::LaunchShape shape_;
};

class CopyOnDevice final : public DeviceSubject {
 public:
  static Result<std::unique_ptr<Subject>> make(std::size_t bytes, std::uint64_t seed) {
    auto subject = std::make_unique<CopyOnDevice>();
    CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
    // Sets lie one after the other, together above twice the L2 cache.
    const std::size_t sets = std::max<std::size_t>(2, facts.l2_bytes * 5 / 2 / bytes + 1);
    subject->bytes_ = bytes;
    subject->sets_ = static_cast<int>(sets);
    subject->blocks_ = static_cast<int>(std::clamp<std::size_t>(
        bytes / 16 / threads / 4, 1, static_cast<std::size_t>(facts.multiprocessors) * 8));
    CR_TRY(subject->input_, cuda::DeviceBuffer::allocate(sets * bytes));
    CR_TRY(subject->output_, cuda::DeviceBuffer::allocate(bytes));
    subject_words_kernel<<<1024, threads>>>(static_cast<std::uint32_t*>(subject->input_.data()),
                                            sets * bytes / 4, seed, bytes / 4, -1);
    CR_CHECK(check(cudaGetLastError(), "queue the inputs of a copy"));
    CR_CHECK(cuda::synchronize());
    return subject;
  }
  Result<void> launch(CUstream_st* stream, int set) override {
    const auto* from = static_cast<const std::byte*>(input_.data());
    return queue_copy(from + static_cast<std::size_t>(set) * bytes_, output_.data(), bytes_,
                      blocks_, stream);
  }
  int input_sets() const override { return sets_; }

 private:
  cuda::DeviceBuffer input_;
  std::size_t bytes_ = 0;
  int sets_ = 1;
  int blocks_ = 1;
};

class FlakyOnDevice final : public DeviceSubject {
 public:
  FlakyOnDevice(cuda::DeviceBuffer output, std::uint64_t seed, double rate)
      : faults_(seed, rate, output.bytes() / 4) {
    output_ = std::move(output);
  }
  Result<void> launch(CUstream_st* stream, int) override {
    const std::size_t count = output_.bytes() / 4;
    subject_words_kernel<<<64, threads, 0, stream>>>(static_cast<std::uint32_t*>(output_.data()),
                                                     count, 0, count, faults_.next());
    return check(cudaGetLastError(), "queue the flaky kernel");
  }

 private:
  FlakyFaults faults_;
};

}  // namespace

Result<std::unique_ptr<Subject>> empty_on_device(const measure::LaunchShape& shape) {
  return std::make_unique<EmptyOnDevice>(shape);
}

Result<std::unique_ptr<Subject>> copy_on_device(std::size_t bytes, std::uint64_t seed) {
  return CopyOnDevice::make(bytes, seed);
}

Result<std::unique_ptr<Subject>> flaky_on_device(std::size_t bytes, std::uint64_t seed,
                                                 double rate) {
  CR_TRY(cuda::DeviceBuffer output, cuda::DeviceBuffer::allocate(bytes));
  return std::make_unique<FlakyOnDevice>(std::move(output), seed, rate);
}

Result<void> queue_copy(const void* from, void* to, std::size_t bytes, int blocks,
                        CUstream_st* stream) {
  subject_copy_kernel<<<static_cast<unsigned>(blocks), threads, 0, stream>>>(
      static_cast<const uint4*>(from), static_cast<uint4*>(to), bytes / 16);
  return check(cudaGetLastError(), "queue a copy");
}

}  // namespace checkride::kernels
