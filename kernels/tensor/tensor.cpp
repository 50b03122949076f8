#include "kernels/tensor/tensor.h"

#include <array>
#include <cstring>

namespace checkride::kernels {

namespace {

constexpr std::array<std::string_view, 9> names = {"f64", "f32", "f16", "bf16", "e4m3",
                                                   "u8",  "i8",  "i32", "i64"};

template <class T>
T load(const Tensor& tensor, std::size_t index) {
  T value;
  std::memcpy(&value, tensor.data.data() + index * sizeof value, sizeof value);
  return value;
}

template <class T>
void store(Tensor& tensor, std::size_t index, T value) {
  std::memcpy(tensor.data.data() + index * sizeof value, &value, sizeof value);
}

}  // namespace

std::string_view to_string(ElementType type) {
  return names[static_cast<std::size_t>(type)];
}

std::optional<ElementType> element_type_from(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<ElementType>(i);
  return std::nullopt;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t size : shape)
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

double value_at(const Tensor& tensor, std::size_t index) {
  switch (tensor.type) {
    case ElementType::f64: return load<double>(tensor, index);
    case ElementType::f32: return static_cast<double>(load<float>(tensor, index));
    case ElementType::f16:
      return static_cast<double>(float_from_f16(load<std::uint16_t>(tensor, index)));
    case ElementType::bf16:
      return static_cast<double>(float_from_bf16(load<std::uint16_t>(tensor, index)));
    case ElementType::e4m3:
      return static_cast<double>(float_from_e4m3(load<std::uint8_t>(tensor, index)));
    case ElementType::u8: return load<std::uint8_t>(tensor, index);
    case ElementType::i8: return load<std::int8_t>(tensor, index);
    case ElementType::i32: return load<std::int32_t>(tensor, index);
    case ElementType::i64: return static_cast<double>(load<std::int64_t>(tensor, index));
  }
  return 0.0;
}

Tensor zeros(ElementType type, std::vector<std::int64_t> shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  Tensor tensor{type, std::move(shape), {}};
  tensor.data.resize(count * bytes_of(type));
  return tensor;
}

void set_value(Tensor& tensor, std::size_t index, double value) {
  switch (tensor.type) {
    case ElementType::f64: return store(tensor, index, value);
    case ElementType::f32: return store(tensor, index, static_cast<float>(value));
    case ElementType::f16: return store(tensor, index, f16_from_float(float_to_odd(value)));
    case ElementType::bf16: return store(tensor, index, bf16_from_float(float_to_odd(value)));
    case ElementType::e4m3: return store(tensor, index, e4m3_from_float(float_to_odd(value)));
    default: return;
  }
}

}  // namespace checkride::kernels
