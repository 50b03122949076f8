// Tensors in files: NumPy's .npy (versions 1 to 3) and .safetensors. Nothing in a file is believed:
// every size is checked against the file's before memory is asked for or bytes are read, headers
// are bounded, and a file that says one thing twice or leaves bytes over is refused. Files are
// read, not mapped, so that one cut short meanwhile is an error and not a signal. .npy knows
// neither bf16 nor e4m3; those travel as .safetensors.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "kernels/tensor/tensor.h"

namespace checkride::kernels {

inline constexpr std::size_t tensor_bytes_max = std::size_t{16} << 30;

// The tensor `name` of a .safetensors file (may be empty where it holds exactly one), or the one of
// a .npy file (name empty). The ending decides which. Errors: not_found (file or tensor), corrupt,
// unsupported (type, byte order, Fortran order), io, invalid_argument (ending, above bytes_max).
Result<Tensor> read_tensor(const std::filesystem::path& path, std::string_view name = "",
                           std::size_t bytes_max = tensor_bytes_max);

// Write a new file, replacing one of that name. Errors: unsupported, io, no_space.
Result<void> write_npy(const std::filesystem::path& path, const Tensor& tensor);
Result<void> write_safetensors(const std::filesystem::path& path,
                               const std::map<std::string, Tensor>& tensors);

}  // namespace checkride::kernels
