#include "kernels/subjects/builtin.h"

#include <cstring>

#include "kernels/hash/position_hash.h"
#include "kernels/job/device.h"
#include "kernels/job/inputs.h"

namespace checkride::kernels {

namespace {

constexpr std::int64_t bytes_max = std::int64_t{1} << 30;

class HostSubject : public Subject {
 public:
  explicit HostSubject(std::size_t bytes) : output_(bytes) {}
  Backend backend() const override { return Backend::cpu; }
  std::size_t output_bytes() const override { return output_.size(); }
  std::size_t element_bytes() const override { return 4; }
  Result<void> poison() override {
    std::fill(output_.begin(), output_.end(), std::byte{0xff});
    return {};
  }
  Result<std::vector<std::byte>> output() override { return output_; }
  const void* output_address() const override { return output_.data(); }

 protected:
  std::vector<std::byte> output_;
};

class EmptyOnHost final : public HostSubject {
 public:
  EmptyOnHost() : HostSubject(0) {}
  Result<void> launch(CUstream_st*, int) override { return {}; }
};

class CopyOnHost final : public HostSubject {
 public:
  CopyOnHost(std::size_t bytes, std::uint64_t seed) : HostSubject(bytes), input_(bytes) {
    for (std::size_t i = 0; i + 4 <= bytes; i += 4) {
      const auto word = static_cast<std::uint32_t>(mixed_word(seed, i / 4));
      std::memcpy(input_.data() + i, &word, 4);
    }
  }
  Result<void> launch(CUstream_st*, int) override {
    std::memcpy(output_.data(), input_.data(), input_.size());
    return {};
  }

 private:
  std::vector<std::byte> input_;
};

class FlakyOnHost final : public HostSubject {
 public:
  FlakyOnHost(std::size_t bytes, std::uint64_t seed, double rate)
      : HostSubject(bytes), faults_(seed, rate, bytes / 4) {}
  Result<void> launch(CUstream_st*, int) override {
    const std::int64_t wrong = faults_.next();
    for (std::size_t i = 0; i < output_.size() / 4; ++i) {
      const auto word = static_cast<std::uint32_t>(mixed_word(0, i)) ^
                        (static_cast<std::int64_t>(i) == wrong ? 1u : 0u);
      std::memcpy(output_.data() + i * 4, &word, 4);
    }
    return {};
  }

 private:
  FlakyFaults faults_;
};

Result<std::size_t> bytes_of(const JobRequest& request, std::int64_t otherwise) {
  CR_TRY(const std::int64_t bytes, whole_within(request.inputs, "bytes", otherwise, 16, bytes_max));
  if (bytes % 16 != 0)
    return fail(ErrorCode::invalid_argument,
                "bytes is " + std::to_string(bytes) + "; give a multiple of 16");
  return static_cast<std::size_t>(bytes);
}

Result<std::unique_ptr<Subject>> empty_subject(const JobRequest& request) {
  measure::LaunchShape shape;
  const auto within = [&](const char* name, std::int64_t otherwise, std::int64_t most) {
    return whole_within(request.inputs, name, otherwise, 1, most);
  };
  CR_TRY(const std::int64_t grid_x, within("grid_x", 1, 1 << 20));
  CR_TRY(const std::int64_t grid_y, within("grid_y", 1, 65535));
  CR_TRY(const std::int64_t cluster, within("cluster", 1, 8));
  CR_TRY(const std::int64_t threads, within("threads", 128, 1024));
  CR_TRY(const std::int64_t shared,
         whole_within(request.inputs, "shared_bytes", 0, 0, std::int64_t{227} << 10));
  shape.grid_x = static_cast<int>(grid_x);
  shape.grid_y = static_cast<int>(grid_y);
  shape.cluster = static_cast<int>(cluster);
  shape.threads = static_cast<int>(threads);
  shape.shared_bytes = static_cast<std::uint32_t>(shared);
  CR_TRY(const Backend backend, choose_backend(request));
#ifdef CR_CUDA
  if (backend == Backend::cuda) return empty_on_device(shape);
#endif
  static_cast<void>(backend);
  return std::make_unique<EmptyOnHost>();
}

Result<std::unique_ptr<Subject>> copy_subject(const JobRequest& request) {
  CR_TRY(const std::size_t bytes, bytes_of(request, 16 << 20));
  CR_TRY(const Backend backend, choose_backend(request));
#ifdef CR_CUDA
  if (backend == Backend::cuda) return copy_on_device(bytes, request.seed);
#endif
  static_cast<void>(backend);
  return std::make_unique<CopyOnHost>(bytes, request.seed);
}

Result<std::unique_ptr<Subject>> flaky_subject(const JobRequest& request) {
  CR_TRY(const std::size_t bytes, bytes_of(request, 65536));
  const double rate = number(request.inputs, "rate", 0.03);
  if (!(rate >= 0.0 && rate <= 1.0))
    return fail(ErrorCode::invalid_argument, "rate is not within 0 to 1");
  CR_TRY(const Backend backend, choose_backend(request));
#ifdef CR_CUDA
  if (backend == Backend::cuda) return flaky_on_device(bytes, request.seed, rate);
#endif
  static_cast<void>(backend);
  return std::make_unique<FlakyOnHost>(bytes, request.seed, rate);
}

Job named(std::string_view name, std::string_view inputs,
          Result<std::unique_ptr<Subject>> (*subject)(const JobRequest&)) {
  Job job;
  job.name = name;
  job.inputs = inputs;
  job.subject = subject;
  return job;
}

}  // namespace

std::int64_t FlakyFaults::next() {
  const std::uint64_t launch = launches_++;
  if (launch == 0 || elements_ == 0) return -1;
  const std::uint64_t draw = mixed_word(seed_, launch);
  if (static_cast<double>(draw >> 11) * 0x1p-53 >= rate_) return -1;
  return static_cast<std::int64_t>(mixed_word(draw, 1) % elements_);
}

std::span<const Job> builtin_subjects() {
  static const std::vector<Job> all{
      named("copy", "{bytes?: int}", copy_subject),
      named("empty",
            "{grid_x?: int, grid_y?: int, cluster?: int, threads?: int, shared_bytes?: int}",
            empty_subject),
      named("flaky", "{bytes?: int, rate?: double}", flaky_subject)};
  return all;
}

}  // namespace checkride::kernels
