// Tensors made up from a seed: what jobs compute on when they are given no file. The same seed
// gives the same bytes everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/math/random.h"
#include "kernels/tensor/tensor.h"

namespace checkride::kernels {

// normal: mean 0, variance 1. outliers: normal, one element in 128 times 20. constant: all 0.5.
// one_hot: in every run of the last dimension one element, at a random place, is 1, the rest 0.
enum class Distribution : std::uint8_t { normal, outliers, constant, one_hot };
std::string_view to_string(Distribution distribution);
std::optional<Distribution> distribution_from(std::string_view name);

// Draws from `random`, so that several tensors can follow one another in one stream. Floating
// types.
Tensor generate(ElementType type, std::vector<std::int64_t> shape, Distribution distribution,
                RandomStream& random);

}  // namespace checkride::kernels
