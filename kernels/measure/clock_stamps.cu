#include "kernels/measure/clock_stamps.h"

#include <cuda_runtime.h>

#include <algorithm>

namespace checkride::kernels::measure {
namespace {

using cuda::check;

struct Stamp {
  long long cycles;
  unsigned long long ns;
};

__global__ void stamp_kernel(Stamp* stamps, int multiprocessors) {
  unsigned id = 0;
  unsigned long long ns = 0;
  asm volatile("mov.u32 %0, %%smid;" : "=r"(id));
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  const long long cycles = clock64();
  // Blocks that share a multiprocessor may both write; either's two words would do, but not one of
  // each, so the first to claim the slot writes it.
  if (id >= static_cast<unsigned>(multiprocessors)) return;
  if (atomicCAS(&stamps[id].ns, 0ull, ns) == 0ull) stamps[id].cycles = cycles;
}

}  // namespace

Result<ClockStamps> ClockStamps::prepare() {
  ClockStamps stamps;
  CR_TRY(const cuda::DeviceFacts facts, cuda::device_facts());
  stamps.multiprocessors_ = facts.multiprocessors;
  CR_TRY(stamps.stamps_, cuda::DeviceBuffer::allocate(
                             2 * sizeof(Stamp) * static_cast<std::size_t>(facts.multiprocessors)));
  return stamps;
}

Result<void> ClockStamps::queue(CUstream_st* stream, int which) {
  const auto count = static_cast<std::size_t>(multiprocessors_);
  auto* mine = static_cast<Stamp*>(stamps_.data()) + static_cast<std::size_t>(which) * count;
  CR_CHECK(check(cudaMemsetAsync(mine, 0, count * sizeof(Stamp), stream), "clear clock stamps"));
  stamp_kernel<<<static_cast<unsigned>(multiprocessors_), 1, 0, stream>>>(mine, multiprocessors_);
  return check(cudaGetLastError(), "queue clock stamps");
}

Result<std::optional<double>> ClockStamps::sm_clock_mhz() {
  const auto count = static_cast<std::size_t>(multiprocessors_);
  std::vector<Stamp> read(2 * count);
  CR_CHECK(stamps_.download(read.data()));
  std::vector<double> mhz;
  for (std::size_t i = 0; i < count; ++i) {
    const Stamp& before = read[i];
    const Stamp& after = read[count + i];
    if (before.ns == 0 || after.ns < before.ns + 20'000 || after.cycles <= before.cycles) continue;
    mhz.push_back(static_cast<double>(after.cycles - before.cycles) * 1000.0 /
                  static_cast<double>(after.ns - before.ns));
  }
  if (mhz.empty()) return std::optional<double>();
  std::nth_element(mhz.begin(), mhz.begin() + static_cast<std::ptrdiff_t>(mhz.size() / 2),
                   mhz.end());
  return std::optional<double>(mhz[mhz.size() / 2]);
}

}  // namespace checkride::kernels::measure
