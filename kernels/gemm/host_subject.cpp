#include <algorithm>
#include <cstring>
#include <numeric>

#include "kernels/gemm/gemm_subject.h"
#include "kernels/gemm/host_product.h"

namespace checkride::kernels::gemm {
namespace {

std::vector<std::int64_t> all_rows(const Problem& problem) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(problem.m));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

class HostSubject final : public Subject {
 public:
  explicit HostSubject(const Problem& problem)
      : product_(problem, all_rows(problem)), c_(product_.elements()) {}
  Backend backend() const override { return Backend::cpu; }
  Result<void> launch(CUstream_st*, int) override {
    product_.compute(c_);
    return {};
  }
  std::size_t output_bytes() const override { return c_.size() * sizeof(float); }
  std::size_t element_bytes() const override { return sizeof(float); }
  Result<void> poison() override {
    std::memset(c_.data(), 0xff, output_bytes());
    return {};
  }
  Result<std::vector<std::byte>> output() override {
    const auto bytes = std::as_bytes(std::span(c_));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  }
  const void* output_address() const override { return c_.data(); }

 private:
  HostProduct product_;
  std::vector<float> c_;
};

}  // namespace

Result<std::unique_ptr<Subject>> subject_on_host(const Problem& problem) {
  return std::make_unique<HostSubject>(problem);
}

}  // namespace checkride::kernels::gemm
