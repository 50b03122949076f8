#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/attention/host_rows.h"
#include "kernels/attention/sdpa_judge.h"
#include "kernels/job/host_threads.h"
#include "kernels/job/inputs.h"
#include "kernels/math/e4m3.h"
#include "kernels/math/random.h"

namespace checkride::kernels::attention {
namespace {

// What one rounding of a probability and one of the output leave, relative.
double rounding_of(const SdpaCase& sdpa) {
  if (sdpa.e4m3) return 0x1p-4;
  return sdpa.problem.dtype == Dtype::f16 ? 0x1p-10 : 0x1p-7;
}

double value_of(const SdpaCase& sdpa, std::uint16_t bits) {
  return static_cast<double>(float_from_bits(sdpa.problem.dtype, bits));
}

double largest_value(const SdpaCase& sdpa) {
  double largest = 0.0;
  for (const std::uint16_t bits : sdpa.tensors.v)
    largest = std::max(largest, std::fabs(value_of(sdpa, bits)));
  return largest;
}

class Invariants {
 public:
  Invariants(const SdpaCase& sdpa, ForwardPass& pass, const std::vector<std::uint16_t>& out)
      : sdpa_(sdpa), pass_(pass), out_(out), shape_(sdpa.problem) {}

  // Each weight of a row of the softmax is a part of one.
  Result<void> values_of_one() {
    HostTensors tensors = sdpa_.tensors;
    std::ranges::fill(tensors.v, bits_from_float(sdpa_.problem.dtype, 1.0f));
    CR_TRY(const auto out, pass_.compute(tensors));
    double largest = 0.0;
    for (const std::uint16_t bits : out) raise(largest, value_of(sdpa_, bits) - 1.0);
    settle("v_one", "v_one_max_abs", largest, rounding_of(sdpa_));
    return {};
  }

  // The first row of a causal problem sees one key, so that it is that key's value exactly; in e4m3
  // the value times its scale, which is rounded, to one unit of the output.
  void first_row() {
    if (!sdpa_.problem.causal)
      return leave_out("causal_first_row", "causal_first_row_exact", "not causal");
    const E4m3Host codes = sdpa_.e4m3 ? quantise(sdpa_.problem, sdpa_.tensors) : E4m3Host{};
    bool exact = true;
    for (std::size_t row = 0; row < shape_.rows; row += shape_.seq)
      for (std::size_t d = 0; d < shape_.dim; ++d) {
        const std::size_t at = shape_.first_key(row) * shape_.dim + d;
        const double actual = value_of(sdpa_, out_[row * shape_.dim + d]);
        if (sdpa_.e4m3) {
          const auto value = static_cast<double>(float_from_e4m3(codes.v[at]) *
                                                 codes.v_scale[shape_.key_head(row)]);
          exact = exact && std::fabs(actual - value) <= 0x1p-10 * std::fabs(value) + 0x1p-24;
        } else {
          // As numbers: a sum that holds -0 is 0.
          exact = exact && actual == value_of(sdpa_, sdpa_.tensors.v[at]);
        }
      }
    judged_.fields["causal_first_row_exact"] = exact;
    note("causal_first_row", exact);
  }

  // Even and odd keys' values apart give outputs that add up to the whole.
  Result<void> linear_in_v() {
    HostTensors even = sdpa_.tensors, odd = sdpa_.tensors;
    for (std::size_t i = 0; i < even.v.size(); ++i) (i / shape_.dim % 2 == 0 ? odd : even).v[i] = 0;
    const std::vector<float> v_scale =
        sdpa_.e4m3 ? quantise(sdpa_.problem, sdpa_.tensors).v_scale : std::vector<float>{};
    CR_TRY(const auto even_out, pass_.compute(even, v_scale));
    CR_TRY(const auto odd_out, pass_.compute(odd, v_scale));
    // Three roundings of outputs, and sums in another order; 8-bit products are summed with some
    // 13 bits on an H200.
    const double unit = sdpa_.problem.dtype == Dtype::f16 ? 0x1p-11 : 0x1p-8;
    const double slack = (sdpa_.e4m3 ? 0x1p-10 : 1e-5) * largest_value(sdpa_);
    double largest = 0.0, over = 0.0;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      const double a = value_of(sdpa_, even_out[i]), b = value_of(sdpa_, odd_out[i]);
      const double whole = value_of(sdpa_, out_[i]);
      raise(largest, a + b - whole);
      raise(over, (a + b - whole) /
                      (unit * (std::fabs(a) + std::fabs(b) + std::fabs(whole)) + slack + 0x1p-24));
    }
    judged_.fields["linear_in_v_max_abs"] = finite(largest);
    note("linear_in_v", over <= 1.0);
    return {};
  }

  // The order of the keys does not matter.
  Result<void> permutation(double limit, std::uint64_t seed) {
    if (sdpa_.problem.causal) {
      leave_out("permutation", "permutation_max_abs", "causal");
      return {};
    }
    std::vector<std::size_t> order(shape_.keys);
    std::iota(order.begin(), order.end(), std::size_t{0});
    RandomStream random(seed + 1);
    for (std::size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[random.bits() % i]);
    HostTensors tensors = sdpa_.tensors;
    const std::size_t head_elements = shape_.keys * shape_.dim;
    for (std::size_t i = 0; i < tensors.k.size(); ++i) {
      const std::size_t from = i / head_elements * head_elements +
                               order[i % head_elements / shape_.dim] * shape_.dim + i % shape_.dim;
      tensors.k[i] = sdpa_.tensors.k[from];
      tensors.v[i] = sdpa_.tensors.v[from];
    }
    CR_TRY(const auto out, pass_.compute(tensors));
    double largest = 0.0;
    for (std::size_t i = 0; i < out.size(); ++i)
      raise(largest, value_of(sdpa_, out[i]) - value_of(sdpa_, out_[i]));
    settle("permutation", "permutation_max_abs", largest, limit);
    return {};
  }

  // Every third key scores 10,000, the others -10,000: outputs are finite, and the mean of the
  // values of the keys that score high.
  Result<void> extreme_scores() {
    const double side = std::sqrt(
        1e4 / (static_cast<double>(shape_.dim) * static_cast<double>(sdpa_.problem.scale)));
    if (side > 6e4 || side < 1e-3) {
      leave_out("extreme_scores", "extreme_max_abs", "no such score at this scale");
      judged_.fields["extreme_not_finite"] = nullptr;
      return {};
    }
    HostTensors tensors = sdpa_.tensors;
    const Dtype dtype = sdpa_.problem.dtype;
    const auto high = bits_from_float(dtype, static_cast<float>(side));
    const auto low = bits_from_float(dtype, static_cast<float>(-side));
    std::ranges::fill(tensors.q, high);
    for (std::size_t i = 0; i < tensors.k.size(); ++i)
      tensors.k[i] = i / shape_.dim % shape_.keys % 3 == 0 ? high : low;
    CR_TRY(const auto out, pass_.compute(tensors));
    std::int64_t not_finite = 0;
    for (const std::uint16_t bits : out)
      if (!std::isfinite(value_of(sdpa_, bits))) ++not_finite;
    Rows rows;
    for (std::size_t i = 0; i < 8; ++i) rows.push_back(i * (shape_.rows - 1) / 7);
    const auto reference = forward_reference(sdpa_.problem, tensors, host_threads(), rows).out;
    double largest = 0.0;
    for (std::size_t i = 0; i < reference.size(); ++i)
      raise(largest, value_of(sdpa_, out[rows[i / shape_.dim] * shape_.dim + i % shape_.dim]) -
                         reference[i]);
    judged_.fields["extreme_not_finite"] = not_finite;
    settle("extreme_scores", "extreme_max_abs", not_finite == 0 ? largest : NAN,
           rounding_of(sdpa_) * std::max(largest_value(sdpa_), 0x1p-14));
    return {};
  }

  Judgement take() {
    judged_.fields["invariants"] = std::move(verdicts_);
    return std::move(judged_);
  }

 private:
  // Keeps a difference that is not a number.
  static void raise(double& largest, double difference) {
    if (!std::isnan(largest) && !(std::fabs(difference) <= largest))
      largest = std::fabs(difference);
  }
  void settle(std::string_view name, std::string_view field, double value, double limit) {
    judged_.fields[{field.data(), field.size()}] = finite(value);
    note(name, value <= limit);
  }
  void note(std::string_view name, bool holds) {
    verdicts_[{name.data(), name.size()}] = holds ? "pass" : "fail";
    if (!holds) judged_.reasons.push_back("invariant_" + std::string(name));
  }
  void leave_out(std::string_view name, std::string_view field, std::string_view why) {
    judged_.fields[{field.data(), field.size()}] = nullptr;
    verdicts_[{name.data(), name.size()}] = "not applicable: " + std::string(why);
  }

  const SdpaCase& sdpa_;
  ForwardPass& pass_;
  const std::vector<std::uint16_t>& out_;
  HostShape shape_;
  Judgement judged_;
  json::object verdicts_;
};

}  // namespace

Result<Judgement> judge_invariants(const SdpaCase& sdpa, ForwardPass& pass,
                                   const std::vector<std::uint16_t>& out, double err_budget,
                                   std::uint64_t seed) {
  Invariants invariants(sdpa, pass, out);
  CR_CHECK(invariants.values_of_one());
  invariants.first_row();
  CR_CHECK(invariants.linear_in_v());
  CR_CHECK(invariants.permutation(err_budget, seed));
  CR_CHECK(invariants.extreme_scores());
  return invariants.take();
}

}  // namespace checkride::kernels::attention
