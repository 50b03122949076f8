// What a request asks of a comparison, read from the inputs of tensor.compare: two tensors in files
// or made up, the policy, and the limits of single elements.
#pragma once

#include "kernels/compare/sample.h"
#include "kernels/compare/verdict.h"

namespace checkride::kernels::compare {

struct Question {
  Policy policy = Policy::dtype;
  Tolerance tolerance;
  Limits limits;
};
// Of tensors whose actual one is of `type`. Errors: invalid_argument.
Result<Question> question_of(const json::object& inputs, ElementType type);

struct TensorPair {
  Tensor actual;
  Tensor expected;
};
// The files `actual` and `expected`, which can be compared. Errors: invalid_argument, and those of
// reading.
Result<TensorPair> tensors_of(const json::object& inputs);

// Tensors made up where they are compared, of one type.
struct Samples {
  ElementType type = ElementType::f16;
  std::uint64_t n = 0;
  std::uint64_t seed = 1;
  Relation relation = Relation::near;
};
// Two tensors of 32 GiB at most on a device, of 1 GiB on the host. Errors: invalid_argument.
Result<Samples> samples_of(const JobRequest& request, Backend backend);
TensorPair samples_on_host(const Samples& samples);

}  // namespace checkride::kernels::compare
