// How right an output is: against fp64, against the tensors' type, against the same arithmetic on
// the host, and against what attention must satisfy whatever the inputs.
#pragma once

#include <string>
#include <vector>

#include "kernels/attention/sdpa_compute.h"

namespace checkride::kernels::attention {

// Passes of e4m3: error against fp64 of the unquantised tensors (standard normal ones), and that
// error over the error of the emulation.
inline constexpr double e4m3_rel_fro_max = 0.08;
inline constexpr double e4m3_over_model_max = 1.5;

// The fields oracle to lse_max_abs of the result, and the codes of what is wrong.
struct Judgement {
  json::object fields;
  std::vector<std::string> reasons;
  double err_budget = 0.0;
};

// Compares all rows with fp64, or 256 of them where all would take too long; counts what is not
// finite or was not written in all of them.
Judgement judge_output(const SdpaCase& sdpa, const std::vector<std::uint16_t>& out,
                       std::uint64_t seed);

// Computes with V = 1, halves of V, permuted keys and scores of 10,000 and -10,000, and compares.
// `out` is the output for the case's own tensors. A field is null, with the reason in
// `invariants`, where it does not apply.
Result<Judgement> judge_invariants(const SdpaCase& sdpa, ForwardPass& pass,
                                   const std::vector<std::uint16_t>& out, double err_budget,
                                   std::uint64_t seed);

}  // namespace checkride::kernels::attention
