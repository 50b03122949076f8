// One kernel is compiled for each pair of tensor type and causality; this picks the one a problem
// needs.
#pragma once

#include <type_traits>

#include "kernels/attention/attention.h"

namespace checkride::kernels::attention {

// Calls launch(bf16, causal) with std::true_type or std::false_type for each, and returns its
// result.
template <class Launch>
int dispatch(const ForwardProblem& problem, const Launch& launch) {
  const auto with_type = [&](auto bf16) {
    return problem.causal ? launch(bf16, std::true_type{}) : launch(bf16, std::false_type{});
  };
  return problem.dtype == Dtype::bf16 ? with_type(std::true_type{}) : with_type(std::false_type{});
}

}  // namespace checkride::kernels::attention
