// CR_ASSERT states what must hold if the program is right. It stays on in every build, prints the
// expression, the place and the values, and ends the process: the log is safe, so a restart is the
// repair. Never assert on input from a file, a person, a job or the network; return an Error.
#pragma once

#include <sstream>
#include <string>

namespace checkride::detail {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line,
                                   const std::string& values);

template <class... Values>
std::string describe(const Values&... values) {
  std::ostringstream out;
  ((out << ' ' << values), ...);
  return out.str();
}

}  // namespace checkride::detail

// CR_ASSERT(head == expected, head, expected)
#define CR_ASSERT(expression, ...)                                                         \
  do {                                                                                     \
    if (!(expression)) [[unlikely]]                                                        \
      ::checkride::detail::assertion_failed(#expression, __FILE__, __LINE__,               \
                                            ::checkride::detail::describe(__VA_ARGS__));   \
  } while (false)
