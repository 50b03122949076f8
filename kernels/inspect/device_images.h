// The device code inside a file: a cubin as it is, or every fat binary in an object, an archive, a
// program or a library. Fat binaries are found by their first bytes, not through the host's ELF or
// archive format, so that any container will do and no host header has to be trusted.
//
// A fat binary is {u32 0xba55ed50, u16 version 1, u16 header 16, u64 bytes} and then entries of
// {u16 kind, u16, u32 header, u64 payload, u32 packed bytes at 16, u32 sm at 28, u64 flags at 40,
// u64 unpacked bytes at 56}; as nvcc 13.0 writes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace checkride::kernels::inspect {

inline constexpr std::uint64_t unpacked_bytes_max = 256u << 20;  // all of one file's together

struct DeviceImages {
  std::vector<std::string> elves;  // machine code, unpacked
  std::int64_t ptx = 0;            // entries of PTX: text, compiled on the device's machine
  std::int64_t others = 0;         // entries of other kinds, such as code for the linker
  // Machine code that could not be read, each with where and why; with any of these the picture is
  // not whole.
  std::vector<std::string> unread;
};
DeviceImages device_images(std::string_view file);

}  // namespace checkride::kernels::inspect
