// The product as something repeatable: normally distributed inputs, C in the type of use.
#pragma once

#include <memory>

#include "kernels/gemm/problem.h"
#include "kernels/job/subject.h"

namespace checkride::kernels::gemm {

Result<std::unique_ptr<Subject>> subject_on_device(const Problem& problem);
Result<std::unique_ptr<Subject>> subject_on_host(const Problem& problem);  // C in fp32

}  // namespace checkride::kernels::gemm
