// From what a comparison found to the fields of a report and a verdict, by one of the policies:
//   tolerance  no element beyond rtol and atol
//   torch      the same, with the tolerances torch.testing.assert_close documents for the type
//   dtype      rel_fro of at most what a correct kernel of that type shows on normal data
//   budget     err_max <= err_budget, FlashAttention's rule, with a low-precision result beside
// Under each, elements that nobody wrote fail; under dtype and budget NaN in either and infinities
// where none are expected do too.
// Jobs that compare as a part of their work use these fields as well.
#pragma once

#include <optional>
#include <string>

#include "kernels/compare/compare.h"
#include "kernels/job/job.h"

namespace checkride::kernels::compare {

enum class Policy : std::uint8_t { tolerance, torch, dtype, budget };
std::string_view to_string(Policy policy);

struct Tolerance {
  double rtol = 0.0;
  double atol = 0.0;
};
// float16 1e-3 and 1e-5, bfloat16 1.6e-2 and 1e-5, float32 1.3e-6 and 1e-5, float64 1e-7 and 1e-7;
// e4m3, of which torch says nothing: 1/8, the spacing of its values, and 2^-9, the smallest.
Tolerance torch_tolerance(ElementType type);
// Largest rel_fro of a correct kernel: f32 1e-5, f16 1e-3, bf16 6e-3, e4m3 8e-2, f64 1e-12.
double rel_fro_limit(ElementType type);

// Types of the fields below, without braces.
inline constexpr std::string_view compare_fields =
    "n: int, mismatch: int, mismatch_pct?: double, max_abs?: double, max_abs_index?: int, "
    "max_rel?: double, rel_fro?: double, cosine?: double, ref_rms?: double, ref_max_abs?: double, "
    "mean_abs?: double, nan_actual: int, nan_expected: int, inf_actual: int, inf_expected: int, "
    "nan_position_mismatch: int, unwritten: int, ulp_p50?: int, ulp_p99?: int, ulp_max?: int, "
    "ulp_hist: list<int>, worst: list<{index: int, a?: double, b?: double}>, hash_actual: string, "
    "hash_expected: string";

// a and b of the worst pairs, in their order; NaN and infinities become null.
struct PairValues {
  double a = 0.0;
  double b = 0.0;
};
void put_fields(json::object& fields, const Comparison& comparison,
                const std::vector<PairValues>& worst);

// |actual - expected| / |expected| in the Frobenius norm; none where expected is zero everywhere
// and actual is not, or a sum left the range of doubles. 0 where both are zero.
std::optional<double> rel_fro(const Comparison& comparison);

// Adds the reasons the policy has against the comparison: mismatch, rel_fro_above_limit,
// error_above_budget, infinite, nan_in_expected, nan_in_actual, unwritten, empty (nothing was
// compared). `budget` is needed by Policy::budget.
void judge(JobReport& report, const Comparison& comparison, Policy policy, ElementType type,
           const std::optional<Budget>& budget);

}  // namespace checkride::kernels::compare
