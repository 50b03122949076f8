// Errors as values: Result<T> is what every fallible function of checkride returns. An Error is the
// world failing (disk, device, corrupt bytes, bad input); a bug ends the process (assert.h) and a
// refused command is a Rejection (engine/decider/decide.h). Callers branch on the code; people read
// the message. See docs/decisions/0001-expected.md for why this is tl::expected.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace checkride {

// What kind of failure, coarse enough for a caller to choose an exit code or a retry.
enum class ErrorCode {
  invalid_argument,  // input of a person or a program is wrong: fix it and call again
  not_found,         // the named thing does not exist
  already_exists,
  corrupt,           // stored bytes are not what was written; never read past
  io,                // the operating system refused or failed
  no_space,          // the disk or a quota is full
  locked,            // somebody else owns it
  unavailable,       // a program, device or library that is needed is not here
  timeout,
  unsupported,       // understood, but this build or version cannot do it
  internal,          // a library broke its own contract
};

std::string_view to_string(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // one sentence: what, where, what to do next
  std::string context;  // where it passed through, outermost first, joined by ": "

  // The whole thing for a person: "context: message".
  std::string text() const { return context.empty() ? message : context + ": " + message; }
};

template <class T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message), {}});
}

// Passes an error up with one more step of context in front.
inline tl::unexpected<Error> fail(Error error, std::string_view context) {
  error.context = error.context.empty() ? std::string(context)
                                        : std::string(context) + ": " + error.context;
  return tl::unexpected<Error>(std::move(error));
}

// Failure of the system call that just ran; reads errno, maps ENOSPC and EDQUOT to no_space, ENOENT
// to not_found, EEXIST to already_exists, EAGAIN on a lock to locked.
tl::unexpected<Error> fail_errno(std::string_view doing, std::string_view path);

}  // namespace checkride

#define CR_CONCAT_INNER(a, b) a##b
#define CR_CONCAT(a, b) CR_CONCAT_INNER(a, b)

// CR_TRY(const auto seq, log.append(...)): declares `seq` or returns the error.
#define CR_TRY(declaration, ...)                                                     \
  auto CR_CONCAT(cr_try_, __LINE__) = (__VA_ARGS__);                                 \
  if (!CR_CONCAT(cr_try_, __LINE__))                                                 \
    return tl::unexpected(std::move(CR_CONCAT(cr_try_, __LINE__)).error());          \
  declaration = *std::move(CR_CONCAT(cr_try_, __LINE__))

// CR_CHECK(log.sync()): the same for Result<void>, or where the value is not wanted.
#define CR_CHECK(...)                                                                \
  do {                                                                               \
    auto cr_check_result = (__VA_ARGS__);                                            \
    if (!cr_check_result)                                                            \
      return tl::unexpected(std::move(cr_check_result).error());                     \
  } while (false)
