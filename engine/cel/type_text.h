// Reads types from text: as definitions write them, and, for the signatures of the function
// library, with type variables (one capital letter), null and type<T> as well.
#pragma once

#include <cstddef>
#include <string_view>

#include "engine/base/result.h"
#include "engine/cel/type.h"

namespace checkride::cel {

class TypeReader {
 public:
  TypeReader(std::string_view text, bool signatures);
  Result<Type> read(int depth = 0);
  bool at_end();
  bool accept(char c);
  Result<void> expect(char c);
  std::string_view word();  // letters, digits and '_'; empty where none stand

 private:
  Result<Type> read_record(int depth);
  void skip_space();

  std::string_view text_;
  std::size_t at_ = 0;
  bool signatures_;
};

}  // namespace checkride::cel
