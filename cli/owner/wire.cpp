#include "cli/owner/wire.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/base/files.h"

namespace checkride::cli {

namespace fs = std::filesystem;

std::string to_frame(capnp::MessageBuilder& message) {
  const kj::Array<capnp::word> words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::string frame(4 + bytes.size(), '\0');
  for (std::size_t i = 0; i < 4; ++i) frame[i] = static_cast<char>((length >> (8 * i)) & 0xFFU);
  std::memcpy(frame.data() + 4, bytes.begin(), bytes.size());
  return frame;
}

Result<fs::path> socket_path(const std::string& store_id) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  fs::path folder;
  // A socket's address has 108 bytes; a runtime folder that leaves no room for the name is passed over.
  constexpr std::size_t runtime_bytes_max = 107 - sizeof("/checkride/") - 32 - sizeof(".sock");
  if (runtime != nullptr && *runtime == '/' && std::strlen(runtime) <= runtime_bytes_max) {
    folder = fs::path(runtime) / "checkride";
  } else {
    const char* temporary = std::getenv("TMPDIR");
    folder = fs::path(temporary != nullptr && *temporary == '/' ? temporary : "/tmp") /
             ("checkride-" + std::to_string(::getuid()));
  }
  CR_CHECK(make_folders(folder));
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) return fail_errno("look at", folder.native());
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::getuid())
    return fail(ErrorCode::io, "'" + folder.native() +
                                   "' is not a folder of yours; remove it or set XDG_RUNTIME_DIR");
  if (::chmod(folder.c_str(), 0700) != 0) return fail_errno("protect", folder.native());
  return folder / (store_id.substr(0, 32) + ".sock");
}

}  // namespace checkride::cli
