// Files that the command line names. What is wrong with one is a usage error (exit code 2), not the
// store's.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "engine/base/files.h"
#include "engine/base/result.h"

namespace checkride::cli {

inline Result<std::string> read_given(const std::string& path, std::size_t bytes_max) {
  auto text = read_file(path, bytes_max);
  if (!text && text.error().code == ErrorCode::io)
    return fail(ErrorCode::invalid_argument, text.error().message);
  return text;
}

}  // namespace checkride::cli
