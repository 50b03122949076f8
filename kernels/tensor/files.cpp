#include "kernels/tensor/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "kernels/tensor/input_file.h"

namespace checkride::kernels {

Result<InputFile> InputFile::open(const std::filesystem::path& path) {
  InputFile file;
  file.name_ = path.string();
  file.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.descriptor_ < 0) return fail_errno("open the tensor file", file.name_);
  struct stat facts {};
  if (::fstat(file.descriptor_, &facts) != 0)
    return fail_errno("look at the tensor file", file.name_);
  if (!S_ISREG(facts.st_mode))
    return fail(ErrorCode::invalid_argument, file.name_ + " is not a regular file");
  file.bytes_ = static_cast<std::uint64_t>(facts.st_size);
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : name_(std::move(other.name_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_(other.bytes_) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> InputFile::read(std::uint64_t offset, std::span<std::byte> into) const {
  constexpr std::size_t piece_max = std::size_t{64} << 20;
  while (!into.empty()) {
    const ssize_t got = ::pread(descriptor_, into.data(), std::min(into.size(), piece_max),
                                static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read the tensor file", name_);
    if (got == 0) return fail(ErrorCode::corrupt, name_ + " ends before what it promises");
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<std::string> InputFile::text(std::uint64_t offset, std::size_t length) const {
  std::string text(length, '\0');
  CR_CHECK(read(offset, std::as_writable_bytes(std::span(text))));
  return text;
}

Result<std::uint64_t> tensor_bytes(ElementType type, std::span<const std::int64_t> shape) {
  std::uint64_t total = bytes_of(type);
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return fail(ErrorCode::corrupt, "a dimension is negative: " + shape_text(shape));
    if (size == 0) empty = true;
    if (size > 0 && __builtin_mul_overflow(total, static_cast<std::uint64_t>(size), &total))
      return fail(ErrorCode::corrupt, "no memory holds a tensor of shape " + shape_text(shape));
  }
  return empty ? 0 : total;
}

Result<Tensor> read_tensor(const std::filesystem::path& path, std::string_view name,
                           std::size_t bytes_max) {
  const std::string ending = path.extension().string();
  if (ending != ".npy" && ending != ".safetensors")
    return fail(
        ErrorCode::invalid_argument,
        path.string() + " is neither .npy nor .safetensors; save the tensor as one of them");
  if (ending == ".npy" && !name.empty())
    return fail(ErrorCode::invalid_argument,
                path.string() + " holds one tensor without a name; leave the name out");
  CR_TRY(const InputFile file, InputFile::open(path));
  return ending == ".npy" ? read_npy(file, bytes_max) : read_safetensors(file, name, bytes_max);
}

}  // namespace checkride::kernels
