#include "engine/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace checkride::detail {

void assertion_failed(const char* expression, const char* file, int line,
                      const std::string& values) {
  std::fprintf(stderr, "checkride: bug: %s does not hold at %s:%d%s%s\n", expression, file, line,
               values.empty() ? "" : ", values:", values.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace checkride::detail
