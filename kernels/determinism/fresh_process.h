// The same work in a second process, which shares nothing with this one but its request. It is
// forked, so it must be asked for before this process first touches CUDA; a child that cannot use
// the device says so, and that is an error here, never equality.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "engine/base/result.h"

namespace checkride::kernels::determinism {

// Runs `work` in a child and returns its number. Errors: the child's, timeout (it is killed), and
// internal where it died.
Result<std::uint64_t> in_fresh_process(const std::function<Result<std::uint64_t>()>& work,
                                       std::chrono::milliseconds timeout);

}  // namespace checkride::kernels::determinism
