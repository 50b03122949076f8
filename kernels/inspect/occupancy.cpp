#include "kernels/inspect/occupancy.h"

#include <algorithm>
#include <array>

namespace checkride::kernels::inspect {

namespace {

struct Limits {
  int sm;
  std::int64_t warps, blocks, smem_bytes, block_smem_bytes;
};
constexpr std::int64_t kib = 1024;
constexpr std::array table = {
    Limits{80, 64, 32, 164 * kib, 163 * kib}, Limits{86, 48, 16, 100 * kib, 99 * kib},
    Limits{89, 48, 24, 100 * kib, 99 * kib}, Limits{90, 64, 32, 228 * kib, 227 * kib},
    Limits{100, 64, 32, 228 * kib, 227 * kib}};

// The same since 8.0: registers are given out in 256 a warp, warps in fours (one for each part of
// the multiprocessor), shared memory in 128 bytes with 1 KiB of each block kept by the system.
constexpr std::int64_t registers = 65536;
constexpr std::int64_t registers_unit = 256;
constexpr std::int64_t warps_unit = 4;
constexpr std::int64_t smem_unit = 128;
constexpr std::int64_t smem_reserved = kib;

std::int64_t rounded_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace

std::optional<std::int64_t> max_blocks_per_multiprocessor(int sm, const BlockNeeds& block) {
  const auto limits = std::ranges::find(table, sm, &Limits::sm);
  if (limits == table.end() || block.threads < 1 || block.threads > 1024) return std::nullopt;
  if (block.registers > 255 || block.smem_bytes > limits->block_smem_bytes) return 0;
  const std::int64_t warps = (block.threads + 31) / 32;
  std::int64_t blocks = std::min(limits->blocks, limits->warps / warps);
  if (block.registers > 0) {
    const std::int64_t warp_registers = rounded_up(block.registers * 32, registers_unit);
    const std::int64_t fitting = registers / warp_registers / warps_unit * warps_unit;
    blocks = std::min(blocks, fitting / rounded_up(warps, warps_unit));
  }
  const std::int64_t smem = rounded_up(block.smem_bytes + smem_reserved, smem_unit);
  return std::min(blocks, limits->smem_bytes / smem);
}

}  // namespace checkride::kernels::inspect
