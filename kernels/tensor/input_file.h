// A file of known length read at given places, for the readers of tensor files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "engine/base/result.h"
#include "kernels/tensor/tensor.h"

namespace checkride::kernels {

class InputFile {
 public:
  static Result<InputFile> open(const std::filesystem::path& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;
  ~InputFile();

  const std::string& name() const { return name_; }
  std::uint64_t bytes() const { return bytes_; }
  // Fills `into` from `offset`. corrupt: the file ends before.
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) const;
  Result<std::string> text(std::uint64_t offset, std::size_t length) const;

 private:
  InputFile() = default;
  std::string name_;
  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
};

// Bytes of a tensor of this shape. corrupt: a negative size, or more than a number can count.
Result<std::uint64_t> tensor_bytes(ElementType type, std::span<const std::int64_t> shape);

// What each format reads, for read_tensor.
Result<Tensor> read_npy(const InputFile& file, std::size_t bytes_max);
Result<Tensor> read_safetensors(const InputFile& file, std::string_view name,
                                std::size_t bytes_max);

}  // namespace checkride::kernels
