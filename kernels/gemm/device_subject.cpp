#include <algorithm>

#include "kernels/gemm/gemm_subject.h"
#include "kernels/gemm/operands.h"

namespace checkride::kernels::gemm {
namespace {

constexpr std::size_t sets_max = 512;

class DeviceSubject final : public Subject {
 public:
  Result<void> prepare(const Problem& problem) {
    element_bytes_ = problem.c_element_bytes();
    CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
    CR_TRY(operands_, Operands::make(problem));
    // The first set is the operands'; more only while all together leave the cache.
    const std::size_t set_bytes = problem.a_bytes() + problem.b_bytes();
    const std::size_t wanted = std::max<std::size_t>(2, facts.l2_bytes * 5 / 2 / set_bytes + 1);
    if (wanted > sets_max) return {};
    for (std::size_t i = 1; i < wanted; ++i) {
      Inputs inputs;
      CR_TRY(inputs.a, cuda::DeviceBuffer::allocate(problem.a_bytes()));
      CR_TRY(inputs.b, cuda::DeviceBuffer::allocate(problem.b_bytes()));
      CR_CHECK(fill_matrix(problem, Matrix::a, inputs.a.data()));
      CR_CHECK(fill_matrix(problem, Matrix::b, inputs.b.data()));
      others_.push_back(std::move(inputs));
    }
    return cuda::synchronize();
  }

  Backend backend() const override { return Backend::cuda; }
  Result<void> launch(CUstream_st* stream, int set) override {
    const Inputs* other = set == 0 ? nullptr : &others_[static_cast<std::size_t>(set - 1)];
    return operands_.product->launch(other == nullptr ? operands_.a.data() : other->a.data(),
                                     other == nullptr ? operands_.b.data() : other->b.data(),
                                     operands_.c.data(), stream);
  }
  int input_sets() const override { return static_cast<int>(others_.size()) + 1; }
  std::size_t output_bytes() const override { return operands_.c.bytes(); }
  std::size_t element_bytes() const override { return element_bytes_; }
  Result<void> poison() override { return operands_.c.fill(0xff); }
  Result<std::vector<std::byte>> output() override {
    CR_CHECK(cuda::synchronize());
    std::vector<std::byte> bytes(operands_.c.bytes());
    CR_CHECK(operands_.c.download(bytes.data()));
    return bytes;
  }
  const void* output_address() const override { return operands_.c.data(); }

 private:
  struct Inputs {
    cuda::DeviceBuffer a, b;
  };
  Operands operands_;
  std::vector<Inputs> others_;
  std::size_t element_bytes_ = 2;
};

}  // namespace

Result<std::unique_ptr<Subject>> subject_on_device(const Problem& problem) {
  auto subject = std::make_unique<DeviceSubject>();
  CR_CHECK(subject->prepare(problem));
  return subject;
}

}  // namespace checkride::kernels::gemm
