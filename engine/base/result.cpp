#include "engine/base/result.h"

#include <cerrno>
#include <cstring>

namespace checkride {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_argument: return "invalid_argument";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::already_exists: return "already_exists";
    case ErrorCode::corrupt: return "corrupt";
    case ErrorCode::io: return "io";
    case ErrorCode::no_space: return "no_space";
    case ErrorCode::locked: return "locked";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

tl::unexpected<Error> fail_errno(std::string_view doing, std::string_view path) {
  const int number = errno;
  ErrorCode code = ErrorCode::io;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::no_space;
  if (number == ENOENT) code = ErrorCode::not_found;
  if (number == EEXIST) code = ErrorCode::already_exists;
  if (number == EWOULDBLOCK) code = ErrorCode::locked;
  std::string message = "cannot " + std::string(doing) + " '" + std::string(path) +
                        "': " + std::strerror(number);
  return fail(code, std::move(message));
}

}  // namespace checkride
