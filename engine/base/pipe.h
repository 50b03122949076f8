// What a child process is connected with: pipes for what it prints, a file in memory for what it
// reads.
#pragma once

#include <string_view>

#include "engine/base/files.h"

namespace checkride {

// Both ends close on exec.
struct Pipe {
  FileDescriptor read;
  FileDescriptor write;
};
Result<Pipe> make_pipe();

// A child's standard input: /dev/null for an empty text, else a file in memory that holds it, at
// its beginning. Unlike a pipe it needs no writer to serve it, and a reader that leaves early
// raises no SIGPIPE.
Result<FileDescriptor> input_file(std::string_view text);

}  // namespace checkride
