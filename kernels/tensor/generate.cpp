#include "kernels/tensor/generate.h"

#include <array>

namespace checkride::kernels {

namespace {
constexpr std::array<std::string_view, 4> names = {"normal", "outliers", "constant", "one_hot"};
}

std::string_view to_string(Distribution distribution) {
  return names[static_cast<std::size_t>(distribution)];
}

std::optional<Distribution> distribution_from(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Distribution>(i);
  return std::nullopt;
}

Tensor generate(ElementType type, std::vector<std::int64_t> shape, Distribution distribution,
                RandomStream& random) {
  Tensor tensor = zeros(type, std::move(shape));
  const std::size_t count = tensor.elements();
  if (distribution == Distribution::one_hot) {
    const std::size_t run =
        tensor.shape.empty() ? 1 : static_cast<std::size_t>(tensor.shape.back());
    for (std::size_t start = 0; start + run <= count && run > 0; start += run)
      set_value(tensor, start + static_cast<std::size_t>(random.bits() % run), 1.0);
    return tensor;
  }
  for (std::size_t i = 0; i < count; ++i) {
    double value = 0.5;
    if (distribution != Distribution::constant) value = random.normal();
    if (distribution == Distribution::outliers && random.bits() % 128 == 0) value *= 20.0;
    // By way of float, as data for kernels has always been made here.
    set_value(tensor, i,
              type == ElementType::f64 ? value : static_cast<double>(static_cast<float>(value)));
  }
  return tensor;
}

}  // namespace checkride::kernels
