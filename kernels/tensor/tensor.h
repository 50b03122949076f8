// A dense tensor in host memory, row major, little endian, and the types its elements can have.
// What files and generators give and jobs compute on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/math/e4m3.h"
#include "kernels/math/half.h"

namespace checkride::kernels {

// Integers can be read and written; jobs that compare or quantise take the floating types.
enum class ElementType : std::uint8_t { f64, f32, f16, bf16, e4m3, u8, i8, i32, i64 };

constexpr std::size_t bytes_of(ElementType type) {
  switch (type) {
    case ElementType::f64:
    case ElementType::i64: return 8;
    case ElementType::f32:
    case ElementType::i32: return 4;
    case ElementType::f16:
    case ElementType::bf16: return 2;
    case ElementType::e4m3:
    case ElementType::u8:
    case ElementType::i8: return 1;
  }
  return 1;
}
constexpr bool is_floating(ElementType type) {
  return type <= ElementType::e4m3;
}

std::string_view to_string(ElementType type);                         // "f16"
std::optional<ElementType> element_type_from(std::string_view name);  // of to_string's names

struct Tensor {
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;  // none: a scalar
  std::vector<std::byte> data;      // elements() * bytes_of(type)

  std::size_t elements() const { return data.size() / bytes_of(type); }
};

std::string shape_text(std::span<const std::int64_t> shape);  // "[2, 8, 64]"

// The element's value, exact for all types but i64. Index below elements().
double value_at(const Tensor& tensor, std::size_t index);
// A tensor of zeros; the shape's product times the element's size must fit in memory.
Tensor zeros(ElementType type, std::vector<std::int64_t> shape);
// Rounds to the type, to nearest even; e4m3 saturates. Floating types only.
void set_value(Tensor& tensor, std::size_t index, double value);

}  // namespace checkride::kernels
