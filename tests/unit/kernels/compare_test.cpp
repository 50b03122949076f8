#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/compare/compare_job.h"
#include "kernels/compare/sample.h"
#include "kernels/compare/types.h"
#include "kernels/compare/verdict.h"
#include "kernels/tensor/generate.h"
#include "tests/unit/kernels/compare_cases.h"

using namespace checkride;
using namespace checkride::kernels;
using namespace checkride::kernels::compare;
using namespace checkride::kernels::compare_cases;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Comparison of(ElementType type, std::vector<double> a, std::vector<double> b,
              const Limits& limits = {}) {
  const auto n = static_cast<std::int64_t>(a.size());
  Tensor x = zeros(type, {n}), y = zeros(type, {n});
  for (std::size_t i = 0; i < a.size(); ++i) {
    set_value(x, i, a[i]);
    set_value(y, i, b[i]);
  }
  return on_host({x, y, limits}, 2);
}

// The same by the definitions, one element after another, in long double.
struct Plain {
  std::uint64_t mismatch = 0;
  long double d2 = 0, b2 = 0, d1 = 0, ab = 0, a2 = 0;
  double max_abs = 0, max_rel = 0;
  std::uint64_t max_index = 0;
};
Plain plainly(const Case& c) {
  Plain plain;
  for (std::size_t i = 0; i < c.actual.elements(); ++i) {
    const double a = value_at(c.actual, i), b = value_at(c.expected, i);
    if (std::isfinite(a) && std::isfinite(b)) {
      const long double d = static_cast<long double>(a) - static_cast<long double>(b);
      plain.d2 += d * d;
      plain.d1 += std::fabs(d);
      plain.a2 += static_cast<long double>(a) * static_cast<long double>(a);
      plain.b2 += static_cast<long double>(b) * static_cast<long double>(b);
      plain.ab += static_cast<long double>(a) * static_cast<long double>(b);
      if (std::fabs(static_cast<double>(d)) > plain.max_abs) {
        plain.max_abs = std::fabs(static_cast<double>(d));
        plain.max_index = i;
      }
      if (std::fabs(b) >= c.limits.rel_floor && b != 0.0)
        plain.max_rel = std::max(plain.max_rel, std::fabs(static_cast<double>(d) / b));
      if (std::fabs(static_cast<double>(d)) > c.limits.atol + c.limits.rtol * std::fabs(b))
        ++plain.mismatch;
    } else if (!(a == b) && !(c.limits.equal_nan && std::isnan(a) && std::isnan(b))) {
      ++plain.mismatch;
    }
  }
  return plain;
}

}  // namespace

TEST_CASE("compare: the definitions, element by element, in every pair of types") {
  for (const Case& c : all_cases(70001)) {
    const Comparison got = on_host(c, 2);
    const Plain plain = plainly(c);
    CAPTURE(c.name);
    REQUIRE(got.n == c.actual.elements());
    REQUIRE(got.max_abs_value() == Approx(plain.max_abs).epsilon(1e-6));
    REQUIRE(got.max_rel == Approx(plain.max_rel).epsilon(1e-6));
    REQUIRE(got.sum_d2 == Approx(static_cast<double>(plain.d2)).epsilon(1e-6));
    REQUIRE(got.sum_d1 == Approx(static_cast<double>(plain.d1)).epsilon(1e-6));
    REQUIRE(got.sum_a2 == Approx(static_cast<double>(plain.a2)).epsilon(1e-6));
    REQUIRE(got.sum_b2 == Approx(static_cast<double>(plain.b2)).epsilon(1e-6));
    const auto gap = static_cast<double>(got.mismatch) - static_cast<double>(plain.mismatch);
    REQUIRE(std::fabs(gap) <= 2.0);  // a value at the tolerance itself may round either way
    const auto products = static_cast<double>(plain.ab);
    REQUIRE(0.5 * (got.sum_a2 + got.sum_b2 - got.sum_d2) ==
            Approx(products).margin(1e-6 * std::sqrt(got.sum_a2) * std::sqrt(got.sum_b2)));
    REQUIRE(got.finite_pairs() + count_not_finite(c) == got.n);
  }
}

TEST_CASE("compare: the same bits for any number of threads") {
  for (const Case& c : all_cases(300000))
    if (c.actual.type == ElementType::bf16) {
      CAPTURE(c.name);
      REQUIRE(text_of(on_host(c, 1)) == text_of(on_host(c, 7)));
    }
}

TEST_CASE("compare: NaN, infinities, zeros and subnormal numbers") {
  Limits limits;
  // actual, expected, whether they match without any tolerance
  struct Row {
    double a, b;
    bool match;
  };
  const std::vector<Row> rows = {{nan_value, nan_value, false},
                                 {nan_value, 1.0, false},
                                 {1.0, nan_value, false},
                                 {infinity, infinity, true},
                                 {-infinity, -infinity, true},
                                 {infinity, -infinity, false},
                                 {infinity, 1.0, false},
                                 {1.0, -infinity, false},
                                 {nan_value, infinity, false},
                                 {0.0, -0.0, true},
                                 {-0.0, 0.0, true},
                                 {0x1p-133, 0x1p-133, true},
                                 {0x1p-133, 0.0, false}};
  for (const ElementType type : {ElementType::f64, ElementType::f32, ElementType::bf16})
    for (const Row& row : rows)
      for (const bool quick : {false, true}) {
        // Alone, and in a whole chunk of elements that match.
        const std::size_t n = quick ? 70000 : 1;
        std::vector<double> a(n, 2.0), b(n, 2.0);
        a[n / 2] = row.a;
        b[n / 2] = row.b;
        const Comparison got = of(type, a, b, limits);
        CAPTURE(to_string(type), row.a, row.b, quick);
        REQUIRE(got.mismatch == (row.match ? 0 : 1));
        REQUIRE(got.nan_actual == (std::isnan(row.a) ? 1 : 0));
        REQUIRE(got.nan_expected == (std::isnan(row.b) ? 1 : 0));
        REQUIRE(got.inf_actual == (std::isinf(row.a) ? 1 : 0));
        REQUIRE(got.inf_expected == (std::isinf(row.b) ? 1 : 0));
        REQUIRE(got.nan_position_mismatch == (std::isnan(row.a) != std::isnan(row.b) ? 1 : 0));
        REQUIRE(got.worst.size() == (row.match ? 0 : 1));
        if (!row.match) REQUIRE(got.worst[0].index == n / 2);
        const bool both = std::isfinite(row.a) && std::isfinite(row.b);
        REQUIRE(got.max_abs_value() == (both ? std::fabs(row.a - row.b) : 0.0));
        REQUIRE(got.finite_pairs() == n - (both ? 0 : 1));
      }
  limits.equal_nan = true;
  REQUIRE(of(ElementType::f16, {nan_value, nan_value}, {nan_value, 1.0}, limits).mismatch == 1);
}

TEST_CASE("compare: elements nobody wrote are counted") {
  for (const ElementType type : {ElementType::f64, ElementType::f32, ElementType::f16,
                                 ElementType::bf16, ElementType::e4m3}) {
    Tensor a = zeros(type, {50000});
    const Tensor b = a;
    std::memset(a.data.data() + 1000 * bytes_of(type), 0xff, 7 * bytes_of(type));
    const Comparison got = on_host({a, b, {}}, 2);
    REQUIRE(got.unwritten == 7);
    REQUIRE(got.nan_actual == 7);
    REQUIRE(got.mismatch == 7);
    REQUIRE(got.worst.size() == 7);
    REQUIRE(got.worst[3].index == 1003);
  }
}

TEST_CASE("compare: distances in units in the last place") {
  REQUIRE(of(ElementType::f16, {1.0 + 0x1p-10}, {1.0}).ulp_max == 1);
  REQUIRE(of(ElementType::f16, {-0x1p-24}, {0x1p-24}).ulp_max == 2);
  REQUIRE(of(ElementType::f16, {-65504.0}, {65504.0}).ulp_max == 2u * 0x7bffu);
  REQUIRE(of(ElementType::f32, {0.0}, {-0.0}).ulp_max == 0);
  REQUIRE(of(ElementType::e4m3, {448.0}, {-448.0}).ulp_max == 2u * 0x7eu);
  // Every distance in its bin, the quick way and one by one.
  for (const std::size_t n : {std::size_t{1000}, std::size_t{200000}})
    for (const ElementType type : {ElementType::f16, ElementType::bf16, ElementType::f32}) {
      Tensor a = zeros(type, {static_cast<std::int64_t>(n)}), b = a;
      std::array<std::uint64_t, ulp_bins> bins{};
      RandomStream random(4);
      std::uint64_t most = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t far = random.bits() % 0x6000 >> random.bits() % 15;
        const std::uint32_t y = static_cast<std::uint32_t>(random.bits() % 0x1000);
        const bool negative = random.bits() % 2 == 0;
        const std::uint32_t sign =
            negative ? (type == ElementType::f32 ? 0x80000000u : 0x8000u) : 0;
        const std::uint32_t x = (y + static_cast<std::uint32_t>(far)) | sign, z = y | sign;
        std::memcpy(a.data.data() + i * bytes_of(type), &x, bytes_of(type));
        std::memcpy(b.data.data() + i * bytes_of(type), &z, bytes_of(type));
        ++bins[static_cast<std::size_t>(ulp_bin(far))];
        most = std::max(most, far);
      }
      const Comparison got = on_host({a, b, {}}, 2);
      REQUIRE(got.ulp_hist == bins);
      REQUIRE(got.ulp_max == most);
      std::uint64_t half = 0;
      std::size_t bin = 0;
      while (2 * (half += bins[bin]) < n) ++bin;
      REQUIRE(*got.ulp_quantile(0.5) == (std::uint64_t{1} << bin) - 1);
    }
}

TEST_CASE("compare: the worst sixteen, ties to the lowest index, wherever they are") {
  Tensor b = zeros(ElementType::f32, {400000}), a = b;
  const std::vector<std::size_t> places = {399999, 0, 65535, 65536,  131072,
                                           5,      6, 7,     262143, 300000};
  for (std::size_t i = 0; i < places.size(); ++i) set_value(a, places[i], i < 3 ? 5.0 : 2.0);
  set_value(a, 200000, -infinity);
  const Comparison few = on_host({a, b, {}}, 2);
  REQUIRE(few.worst.size() == 11);
  REQUIRE(few.worst[0].index == 200000);
  REQUIRE(few.worst[1].index == 0);
  REQUIRE(few.worst[2].index == 65535);
  REQUIRE(few.worst[3].index == 399999);
  REQUIRE(few.worst[4].index == 5);
  REQUIRE(few.worst[10].index == 300000);
  REQUIRE(few.max_abs_value() == 5.0);
  REQUIRE(few.max_abs.index == 0);
  for (std::size_t i = 0; i < a.elements(); ++i) set_value(a, i, 1.0);
  const Comparison all = on_host({a, b, {}}, 2);
  REQUIRE(all.worst.size() == worst_count);
  for (std::size_t i = 0; i < worst_count; ++i) REQUIRE(all.worst[i].index == i);
}

TEST_CASE("compare: sums of values that overflow or underflow the quick way's floats") {
  for (const double scale : {1e-30, 1e25}) {
    const std::vector<double> a(100000, scale), b(100000, 2 * scale);
    const Comparison got = of(ElementType::bf16, a, b);
    REQUIRE(*rel_fro(got) == Approx(0.5).epsilon(0.02));
    REQUIRE(got.max_rel == Approx(0.5).epsilon(0.02));
  }
  const std::vector<double> a(100000, 3e38), b(100000, -3e38);
  const Comparison far = of(ElementType::f32, a, b);
  REQUIRE(far.max_abs_value() == Approx(6e38));
  REQUIRE(*rel_fro(far) == Approx(2.0));
}

TEST_CASE("compare: the hash sees every bit and its place") {
  for (const ElementType type : {ElementType::f64, ElementType::f16, ElementType::e4m3}) {
    RandomStream random(1);
    const Tensor b = generate(type, {40000}, Distribution::normal, random);
    const Comparison same = on_host({b, b, {}}, 2);
    REQUIRE(same.hash_actual == same.hash_expected);
    for (std::size_t bit = 0; bit < b.data.size() * 8; bit += 1031) {
      Tensor a = b;
      a.data[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
      REQUIRE(on_host({a, b, {}}, 2).hash_actual != same.hash_actual);
    }
    Tensor swapped = b;
    std::swap(swapped.data[0], swapped.data[16]);
    if (swapped.data != b.data)
      REQUIRE(on_host({swapped, b, {}}, 2).hash_actual != same.hash_actual);
    // Words that change places: in a unit, in a row of lanes, between groups, batches, chunks.
    for (const std::size_t apart : {1u, 4u, 100u, 512u, 2048u, 8192u, 33000u}) {
      const std::size_t words = b.data.size() / 4;
      if (apart + 7 >= words) continue;
      Tensor moved = b;
      std::swap_ranges(moved.data.begin() + 28, moved.data.begin() + 32,
                       moved.data.begin() + static_cast<std::ptrdiff_t>(28 + 4 * apart));
      CAPTURE(apart);
      if (moved.data != b.data) REQUIRE(on_host({moved, b, {}}, 2).hash_actual != same.hash_actual);
      // Changes whose sum and first moment are zero.
      if (2 * apart + 7 >= words) continue;
      Tensor balanced = b;
      for (const auto& [place, step] : {std::pair{0u, 1u}, {1u, ~1u}, {2u, 1u}}) {
        std::uint32_t word = 0;
        std::byte* const at = balanced.data.data() + 28 + 4 * apart * place;
        std::memcpy(&word, at, 4);
        word += step;
        std::memcpy(at, &word, 4);
      }
      REQUIRE(on_host({balanced, b, {}}, 2).hash_actual != same.hash_actual);
    }
    // The quick way and the other know one hash: that of the expected, whatever its partner is.
    const Tensor f32 = zeros(ElementType::f64, {40000});
    REQUIRE(on_host({b, f32, {}}, 2).hash_actual == same.hash_actual);
  }
}

TEST_CASE("compare: tails of every length") {
  RandomStream random(3);
  for (std::int64_t n = 0; n < 70; ++n)
    for (const std::int64_t base : {std::int64_t{0}, std::int64_t{65536}}) {
      Tensor b = generate(ElementType::f16, {base + n}, Distribution::normal, random);
      Tensor a = b;
      if (base + n > 0) set_value(a, a.elements() - 1, 100.0);
      const Comparison got = on_host({a, b, {}}, 3);
      REQUIRE(got.n == static_cast<std::uint64_t>(base + n));
      REQUIRE(got.finite_pairs() == got.n);
      REQUIRE(got.mismatch == (base + n > 0 ? 1 : 0));
      if (base + n > 0) REQUIRE(got.max_abs.index == got.n - 1);
    }
}

TEST_CASE("compare: the tolerances torch documents, at and beyond them") {
  struct Row {
    ElementType type;
    double rtol, atol;
  };
  for (const Row& row : {Row{ElementType::f16, 1e-3, 1e-5}, Row{ElementType::bf16, 1.6e-2, 1e-5},
                         Row{ElementType::f32, 1.3e-6, 1e-5}, Row{ElementType::f64, 1e-7, 1e-7}}) {
    const Tolerance tolerance = torch_tolerance(row.type);
    REQUIRE(tolerance.rtol == row.rtol);
    REQUIRE(tolerance.atol == row.atol);
    const Limits limits = limits_of(row.rtol, row.atol, 0.0, false);
    for (const double b : {1.0, -3.0, 0.0, 1000.0}) {
      const double allowed = row.atol + row.rtol * std::fabs(b);
      Tensor x = zeros(row.type, {1}), y = x;
      set_value(y, 0, b);
      set_value(x, 0, b + 0.5 * allowed);
      REQUIRE(on_host({x, y, limits}, 1).mismatch == 0);
      set_value(x, 0, b + 2.5 * allowed);
      REQUIRE(on_host({x, y, limits}, 1).mismatch == 1);
    }
  }
}
