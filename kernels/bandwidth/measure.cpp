#include "kernels/bandwidth/measure.h"

#include <algorithm>

#include "kernels/bandwidth/stream_math.h"

namespace checkride::kernels::bandwidth {

namespace {

// What each array holds, as k of k * base: the closed form, advanced kernel by kernel.
struct Expected {
  double a = 1.0, b = 2.0, c = 3.0;

  double& of(Array array) { return array == Array::a ? a : array == Array::b ? b : c; }
  void advance(Kernel kernel, double written) {
    switch (kernel) {
      case Kernel::copy: c = a; break;
      case Kernel::scale: b = scaled(stream_scalar, c); break;
      case Kernel::triad: a = triad(b, stream_scalar, c); break;
      case Kernel::write: c = written; break;
      case Kernel::read:
      case Kernel::l2_read: break;
    }
  }
};

Array output_of(Kernel kernel) {
  return kernel == Kernel::scale ? Array::b : kernel == Kernel::triad ? Array::a : Array::c;
}

bool only_reads(Kernel kernel) {
  return kernel == Kernel::read || kernel == Kernel::l2_read;
}

// Sum of base over the first n elements, exact: whole periods and a rest.
double base_sum(std::uint64_t n) {
  const auto first = [](std::uint64_t m) {
    return static_cast<double>(m) + static_cast<double>(m * (m - 1) / 2) / 1024.0;
  };
  return static_cast<double>(n / base_period) * first(base_period) +
         (n % base_period == 0 ? 0.0 : first(n % base_period));
}

double written_at(int repetition) {
  return 1.0 + static_cast<double>(repetition) / 128.0;
}

// Largest error of what the kernel has just left.
Result<double> error_after(Streams& streams, Kernel kernel, Expected& expected) {
  if (!only_reads(kernel)) {
    const Array array = output_of(kernel);
    return streams.largest_error(array, expected.of(array));
  }
  CR_TRY(const double sum, streams.last_sum());
  const std::uint64_t n =
      kernel == Kernel::read
          ? streams.elements()
          : std::min<std::uint64_t>(l2_buffer_bytes / sizeof(double), streams.elements() / 2 * 2);
  return relative_error(sum, expected.a * base_sum(n));
}

}  // namespace

Result<std::vector<Figure>> measure(Streams& streams, std::span<const Kernel> kernels,
                                    int repetitions, double scalar) {
  std::vector<Figure> figures;
  for (const Kernel kernel : kernels) figures.push_back({kernel, {}, 0.0});
  Expected expected;
  CR_CHECK(streams.fill(Array::a, expected.a));
  CR_CHECK(streams.fill(Array::b, expected.b));
  CR_CHECK(streams.fill(Array::c, expected.c));
  for (int repetition = -1; repetition < repetitions; ++repetition)
    for (Figure& figure : figures) {
      CR_TRY(const double seconds, streams.run(figure.kernel, scalar, written_at(repetition)));
      expected.advance(figure.kernel, written_at(repetition));
      if (repetition < 0) continue;
      const auto bytes =
          static_cast<double>(bytes_moved(figure.kernel, streams.elements() * sizeof(double)));
      figure.GBps.push_back(bytes / std::max(seconds, 1e-12) / 1e9);
      if (repetition + 1 < repetitions) continue;
      CR_TRY(figure.verify_max_rel, error_after(streams, figure.kernel, expected));
    }
  for (Figure& figure : figures) {
    std::ranges::sort(figure.GBps);
    if (only_reads(figure.kernel)) continue;
    CR_CHECK(streams.fill(Array::a, expected.a = 1.0));
    CR_CHECK(streams.fill(Array::b, expected.b = 2.0));
    CR_CHECK(streams.fill(Array::c, expected.c = 3.0));
    CR_CHECK(streams.poison(output_of(figure.kernel)));
    CR_CHECK(streams.run(figure.kernel, scalar, 5.0));
    expected.advance(figure.kernel, 5.0);
    CR_TRY(const double error, error_after(streams, figure.kernel, expected));
    figure.verify_max_rel = std::max(figure.verify_max_rel, error);
  }
  return figures;
}

}  // namespace checkride::kernels::bandwidth
