// Writing a tensor file in pieces.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/base/result.h"

namespace checkride::kernels {

// The pieces one after another, in a file that takes the name when it is whole.
Result<void> write_file(const std::filesystem::path& path,
                        const std::vector<std::span<const std::byte>>& pieces);

}  // namespace checkride::kernels
