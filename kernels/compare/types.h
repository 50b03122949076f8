// From element types known at run time to the types of pair.h.
#pragma once

#include "kernels/compare/pair.h"
#include "kernels/tensor/tensor.h"

namespace checkride::kernels::compare {

// Calls f.operator()<A, B>() for a pair of types that check_types accepts; false for any other.
template <class F>
bool with_types(ElementType actual, ElementType expected, const F& f) {
  const auto against = [&]<class A>() {
    if (actual == expected)
      f.template operator()<A, A>();
    else if (expected == ElementType::f64)
      f.template operator()<A, F64>();
    else if (expected == ElementType::f32 && sizeof(typename A::Bits) < 4)
      f.template operator()<A, F32>();
    else
      return false;
    return true;
  };
  switch (actual) {
    case ElementType::f64: return expected == actual && (f.template operator()<F64, F64>(), true);
    case ElementType::f32: return against.template operator()<F32>();
    case ElementType::f16: return against.template operator()<F16>();
    case ElementType::bf16: return against.template operator()<Bf16>();
    case ElementType::e4m3: return against.template operator()<E4m3>();
    default: return false;
  }
}

}  // namespace checkride::kernels::compare
