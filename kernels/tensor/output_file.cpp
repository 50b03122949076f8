#include "kernels/tensor/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace checkride::kernels {

Result<void> write_file(const std::filesystem::path& path,
                        const std::vector<std::span<const std::byte>>& pieces) {
  const std::string partial = path.string() + ".partial";
  const int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail_errno("write the tensor file", partial);
  for (std::span<const std::byte> piece : pieces) {
    while (!piece.empty()) {
      const ssize_t put = ::write(descriptor, piece.data(), piece.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) {
        auto failed = fail_errno("write the tensor file", partial);
        ::close(descriptor);
        return failed;
      }
      piece = piece.subspan(static_cast<std::size_t>(put));
    }
  }
  if (::close(descriptor) != 0) return fail_errno("write the tensor file", partial);
  if (std::rename(partial.c_str(), path.c_str()) != 0)
    return fail_errno("name the tensor file", path.string());
  return {};
}

}  // namespace checkride::kernels
