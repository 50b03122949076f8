// How many blocks of a kernel fit on one multiprocessor, from the limits of its architecture (CUDA
// C++ programming guide, technical specifications per compute capability).
#pragma once

#include <cstdint>
#include <optional>

namespace checkride::kernels::inspect {

struct BlockNeeds {
  std::int64_t threads = 0;
  std::int64_t registers = 0;   // of one thread
  std::int64_t smem_bytes = 0;  // static and dynamic
};

// Nothing where the architecture is not in the table or threads is not 1 to 1024; 0 where a block
// does not fit at all.
std::optional<std::int64_t> max_blocks_per_multiprocessor(int sm, const BlockNeeds& block);

}  // namespace checkride::kernels::inspect
