#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <new>
#include <thread>
#include <vector>

#include "kernels/bandwidth/stream.h"
#include "kernels/bandwidth/stream_math.h"

namespace checkride::kernels::bandwidth {

std::string_view to_string(Kernel kernel) {
  switch (kernel) {
    case Kernel::copy: return "copy";
    case Kernel::scale: return "scale";
    case Kernel::triad: return "triad";
    case Kernel::read: return "read";
    case Kernel::write: return "write";
    case Kernel::l2_read: return "l2_read";
  }
  return "copy";
}

std::uint64_t bytes_moved(Kernel kernel, std::uint64_t array_bytes) {
  switch (kernel) {
    case Kernel::copy:
    case Kernel::scale: return 2 * array_bytes;
    case Kernel::triad: return 3 * array_bytes;
    case Kernel::read:
    case Kernel::write: return array_bytes;
    case Kernel::l2_read:
      return static_cast<std::uint64_t>(l2_passes) * std::min(l2_buffer_bytes, array_bytes);
  }
  return 0;
}

namespace {

class HostStreams final : public Streams {
 public:
  HostStreams(std::uint64_t elements, int threads)
      : threads_(static_cast<std::uint64_t>(threads)), partial_(threads_) {
    for (std::vector<double>& array : arrays_) array.resize(elements);
  }

  std::uint64_t elements() const override { return arrays_[0].size(); }

  Result<void> fill(Array array, double k) override {
    double* const out = at(array);
    in_parts([=](std::uint64_t from, std::uint64_t to, double&) {
      for (std::uint64_t i = from; i < to; ++i) out[i] = k * base_value(i);
    });
    return {};
  }

  Result<void> poison(Array array) override {
    std::memset(at(array), 0xff, elements() * sizeof(double));
    return {};
  }

  Result<double> run(Kernel kernel, double scalar, double k) override {
    if (kernel == Kernel::l2_read)
      return fail(ErrorCode::unsupported, "l2_read is measured on a device only");
    const auto begin = std::chrono::steady_clock::now();
    double* const a = at(Array::a);
    double* const b = at(Array::b);
    double* const c = at(Array::c);
    in_parts([=](std::uint64_t from, std::uint64_t to, double& sum) {
      switch (kernel) {
        case Kernel::copy: std::copy(a + from, a + to, c + from); break;
        case Kernel::scale:
          for (std::uint64_t i = from; i < to; ++i) b[i] = scaled(scalar, c[i]);
          break;
        case Kernel::triad:
          for (std::uint64_t i = from; i < to; ++i) a[i] = triad(b[i], scalar, c[i]);
          break;
        case Kernel::read:
        case Kernel::l2_read: {
          // In short runs, whose sums stay small beside the total: less rounding.
          for (std::uint64_t i = from; i < to;) {
            double parts[4] = {};
            const std::uint64_t end = std::min(to, i + 1024);
            for (; i + 4 <= end; i += 4)
              for (std::uint64_t j = 0; j < 4; ++j) parts[j] += a[i + j];
            for (; i < end; ++i) parts[0] += a[i];
            sum += (parts[0] + parts[1]) + (parts[2] + parts[3]);
          }
          break;
        }
        case Kernel::write:
          for (std::uint64_t i = from; i < to; ++i) c[i] = k * base_value(i);
          break;
      }
    });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  Result<double> last_sum() override {
    double sum = 0.0;
    for (const double part : partial_) sum += part;
    return sum;
  }

  Result<double> largest_error(Array array, double k) override {
    const double* const x = at(array);
    in_parts([=](std::uint64_t from, std::uint64_t to, double& largest) {
      for (std::uint64_t i = from; i < to; ++i)
        largest = std::max(largest, relative_error(x[i], k * base_value(i)));
    });
    return *std::ranges::max_element(partial_);
  }

 private:
  double* at(Array array) { return arrays_[static_cast<std::size_t>(array)].data(); }

  // body(from, to, partial) on each thread's part of the elements.
  void in_parts(const std::function<void(std::uint64_t, std::uint64_t, double&)>& body) {
    const auto run_part = [&](std::uint64_t part) {
      partial_[part] = 0.0;
      double value = 0.0;
      body(elements() * part / threads_, elements() * (part + 1) / threads_, value);
      partial_[part] = value;
    };
    std::vector<std::thread> pool;
    for (std::uint64_t part = 1; part < threads_; ++part) pool.emplace_back(run_part, part);
    run_part(0);
    for (std::thread& thread : pool) thread.join();
  }

  const std::uint64_t threads_;
  std::vector<double> partial_;
  std::vector<double> arrays_[3];
};

}  // namespace

Result<std::unique_ptr<Streams>> host_streams(std::uint64_t array_bytes, int threads) {
  try {
    return std::make_unique<HostStreams>(array_bytes / sizeof(double), std::clamp(threads, 1, 256));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::no_space,
                "three arrays of " + std::to_string(array_bytes) + " bytes do not fit in memory");
  }
}

}  // namespace checkride::kernels::bandwidth
