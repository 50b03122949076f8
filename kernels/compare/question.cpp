#include "kernels/compare/question.h"

#include <cmath>

#include "kernels/compare/types.h"
#include "kernels/job/inputs.h"
#include "kernels/tensor/files.h"

namespace checkride::kernels::compare {

Result<Question> question_of(const json::object& inputs, ElementType type) {
  Question question;
  CR_TRY(const std::string word,
         choice(inputs, "policy", "auto", {"auto", "tolerance", "torch", "dtype", "budget"}));
  const bool given = has(inputs, "rtol") || has(inputs, "atol");
  if (word == "tolerance" || (word == "auto" && given && !has(inputs, "lowprec")))
    question.policy = Policy::tolerance;
  else if (word == "torch")
    question.policy = Policy::torch;
  else if (word == "budget" || (word == "auto" && has(inputs, "lowprec")))
    question.policy = Policy::budget;
  if (question.policy == Policy::budget && !has(inputs, "lowprec"))
    return fail(ErrorCode::invalid_argument,
                "the policy budget needs lowprec, a second result in the type of actual");
  if (question.policy == Policy::torch && given)
    return fail(ErrorCode::invalid_argument,
                "the policy torch brings its own rtol and atol; leave them out");
  // Under a policy that does not judge elements one by one, these only count mismatches.
  question.tolerance = torch_tolerance(type);
  if (question.policy == Policy::tolerance || given)
    question.tolerance = {number(inputs, "rtol", 0.0), number(inputs, "atol", 0.0)};
  const double floor = number(inputs, "rel_floor", 1e-3);
  for (const double value : {question.tolerance.rtol, question.tolerance.atol, floor})
    if (!std::isfinite(value) || value < 0.0 || value > 1e30)
      return fail(ErrorCode::invalid_argument, "rtol, atol and rel_floor are from 0 to 1e30");
  question.limits = limits_of(question.tolerance.rtol, question.tolerance.atol, floor,
                              flag(inputs, "equal_nan", false));
  return question;
}

Result<TensorPair> tensors_of(const json::object& inputs) {
  if (!has(inputs, "actual") || !has(inputs, "expected"))
    return fail(ErrorCode::invalid_argument,
                "give actual and expected, two tensor files, or sample_elements");
  TensorPair pair;
  CR_TRY(pair.actual, read_tensor(text(inputs, "actual"), text(inputs, "actual_tensor")));
  CR_TRY(pair.expected, read_tensor(text(inputs, "expected"), text(inputs, "expected_tensor")));
  CR_CHECK(check_types(pair.actual.type, pair.expected.type));
  if (pair.actual.shape != pair.expected.shape)
    return fail(ErrorCode::invalid_argument, "actual has shape " + shape_text(pair.actual.shape) +
                                                 ", expected has " +
                                                 shape_text(pair.expected.shape));
  return pair;
}

Result<Samples> samples_of(const JobRequest& request, Backend backend) {
  Samples samples;
  samples.seed = request.seed;
  const std::int64_t bytes_max = std::int64_t{1} << (backend == Backend::cpu ? 30 : 35);
  CR_TRY(const std::string name,
         choice(request.inputs, "sample_dtype", "f16", {"f64", "f32", "f16", "bf16", "e4m3"}));
  samples.type = *element_type_from(name);
  CR_TRY(const std::int64_t n,
         whole_within(request.inputs, "sample_elements", 1, 1,
                      bytes_max / static_cast<std::int64_t>(bytes_of(samples.type))));
  samples.n = static_cast<std::uint64_t>(n);
  CR_TRY(const std::string relation,
         choice(request.inputs, "sample_relation", "near", {"near", "unrelated", "equal"}));
  samples.relation = relation == "equal"       ? Relation::equal
                     : relation == "unrelated" ? Relation::unrelated
                                               : Relation::near;
  return samples;
}

TensorPair samples_on_host(const Samples& samples) {
  TensorPair pair;
  pair.actual = zeros(samples.type, {static_cast<std::int64_t>(samples.n)});
  pair.expected = pair.actual;
  with_types(samples.type, samples.type, [&]<class A, class>() {
    auto* a = reinterpret_cast<typename A::Bits*>(pair.actual.data.data());
    auto* b = reinterpret_cast<typename A::Bits*>(pair.expected.data.data());
    for (std::uint64_t i = 0; i < samples.n; ++i) {
      a[i] = sample_actual<A>(samples.seed, i, samples.relation);
      b[i] = sample_expected<A>(samples.seed, i);
    }
  });
  return pair;
}

}  // namespace checkride::kernels::compare
