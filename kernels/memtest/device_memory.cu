// The passes of a memory test on a device: 16-byte accesses, 4 of them independent a thread, one
// launch a chunk.
#include <cuda_runtime.h>

#include <algorithm>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/math/tile_walk.h"
#include "kernels/memtest/memory.h"

namespace checkride::kernels::memtest {
namespace {

using cuda::check;
using cuda::DeviceBuffer;

constexpr int threads = 256;
constexpr std::uint64_t chunk_bytes_most = 1ULL << 30;
constexpr std::uint64_t chunk_bytes_least = 64ULL << 20;
// Above twice the largest L2 of today: reading it leaves nothing else in the cache.
constexpr std::uint64_t flush_bytes = 512ULL << 20;

struct Report {
  unsigned long long errors;
  unsigned long long kept;
  Mismatch first[mismatches_kept];
};

__device__ Place this_place() {
  return {blockIdx.x, gridDim.x, threadIdx.x, blockDim.x};
}

__device__ __noinline__ void report_mismatch(Report* report, std::uint64_t address,
                                             std::uint64_t expected, std::uint64_t actual) {
  atomicAdd(&report->errors, 1ULL);
  const unsigned long long slot = atomicAdd(&report->kept, 1ULL);
  if (slot < mismatches_kept) report->first[slot] = {address, expected, actual};
}

struct Values {
  std::uint64_t a, b;
};

template <Family family>
__device__ ulonglong2 vector_of(Values values, std::uint64_t address) {
  return {value_of<family>(values.a, values.b, address),
          value_of<family>(values.a, values.b, address + 8)};
}

template <Family family>
__global__ void __launch_bounds__(threads)
    memory_fill(ulonglong2* words, std::uint64_t vectors, Values values) {
  const auto one = [&](std::uint64_t i) {
    __stcs(words + i, vector_of<family>(values, reinterpret_cast<std::uint64_t>(words + i)));
  };
  walk_vectors(
      vectors, this_place(),
      [&](std::uint64_t first, std::uint64_t step) {
        CR_UNROLL
        for (int j = 0; j < vectors_at_once; ++j) one(first + j * step);
      },
      one);
}

// With `writes`, each word that is right gets its value of `next`.
template <Family family, bool writes>
__global__ void __launch_bounds__(threads)
    memory_verify(ulonglong2* words, std::uint64_t vectors, Values values, Values next,
                  Report* report) {
  const auto judge = [&](std::uint64_t i, ulonglong2 held) {
    const auto address = reinterpret_cast<std::uint64_t>(words + i);
    const ulonglong2 wanted = vector_of<family>(values, address);
    ulonglong2 then = writes ? vector_of<family>(next, address) : ulonglong2{};
    if (((held.x ^ wanted.x) | (held.y ^ wanted.y)) != 0) {
      if (held.x != wanted.x) {
        report_mismatch(report, address, wanted.x, held.x);
        then.x = held.x;
      }
      if (held.y != wanted.y) {
        report_mismatch(report, address + 8, wanted.y, held.y);
        then.y = held.y;
      }
    }
    if (writes) __stcs(words + i, then);
  };
  walk_vectors(
      vectors, this_place(),
      [&](std::uint64_t first, std::uint64_t step) {
        ulonglong2 held[vectors_at_once];
        CR_UNROLL
        for (int j = 0; j < vectors_at_once; ++j) held[j] = __ldcs(words + first + j * step);
        CR_UNROLL
        for (int j = 0; j < vectors_at_once; ++j) judge(first + j * step, held[j]);
      },
      [&](std::uint64_t i) { judge(i, __ldcs(words + i)); });
}

__device__ std::uint64_t first_word() {
  return static_cast<std::uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ std::uint64_t word_step() {
  return static_cast<std::uint64_t>(gridDim.x) * blockDim.x;
}

__global__ void __launch_bounds__(threads)
    memory_fill_some(std::uint64_t* words, std::uint64_t count, Values values, bool members) {
  for (std::uint64_t i = first_word(); i < count; i += word_step()) {
    const auto address = reinterpret_cast<std::uint64_t>(words + i);
    if (((address >> 3) % 20 == values.b) == members) words[i] = members ? values.a : ~values.a;
  }
}

__global__ void __launch_bounds__(threads)
    memory_move(std::uint64_t* words, std::uint64_t half, std::uint64_t turn, bool back) {
  for (std::uint64_t i = first_word(); i < half; i += word_step()) {
    std::uint64_t* const upper = words + half + moved_to(i, turn, half);
    if (back)
      words[i] = *upper;
    else
      *upper = words[i];
  }
}

template <Family family>
__global__ void __launch_bounds__(threads)
    memory_verify_moved(const std::uint64_t* words, std::uint64_t half, std::uint64_t turn,
                        Values values, Report* report) {
  for (std::uint64_t i = first_word(); i < 2 * half; i += word_step()) {
    const std::uint64_t from = i < half ? i : moved_from(i - half, turn, half);
    const std::uint64_t wanted =
        value_of<family>(values.a, values.b, reinterpret_cast<std::uint64_t>(words + from));
    const std::uint64_t held = words[i];
    if (held != wanted)
      report_mismatch(report, reinterpret_cast<std::uint64_t>(words + i), wanted, held);
  }
}

// Reads words so that they take the cache; the sum keeps the loads.
__global__ void __launch_bounds__(threads)
    memory_flush(const std::uint64_t* words, std::uint64_t count, unsigned long long* sum) {
  unsigned long long mine = 0;
  for (std::uint64_t i = first_word(); i < count; i += word_step()) mine += __ldcg(words + i);
  if (mine == 0x5bd1e995a3f0c761ULL) atomicAdd(sum, mine);
}

class DeviceMemory final : public Memory {
 public:
  DeviceMemory() = default;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory() override {
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  Result<void> allocate(std::uint64_t bytes) {
    int device = 0;
    int multiprocessors = 0;
    CR_CHECK(check(cudaGetDevice(&device), "the device in use"));
    CR_CHECK(check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device),
                   "the number of multiprocessors"));
    blocks_ = static_cast<unsigned>(multiprocessors * 16);
    CR_CHECK(check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream"));
    CR_TRY(report_, DeviceBuffer::allocate(sizeof(Report)));
    CR_TRY(sum_, DeviceBuffer::allocate(sizeof(unsigned long long)));
    CR_CHECK(sum_.fill(0));
    std::uint64_t size = chunk_bytes_most;
    std::uint64_t left = bytes / 16 * 16;
    while (left > 0) {
      auto chunk = DeviceBuffer::allocate(std::min(size, left));
      if (chunk) {
        left -= chunk->bytes();
        words_ += chunk->bytes() / 8;
        chunks_.push_back(std::move(*chunk));
        continue;
      }
      if (chunk.error().code != ErrorCode::no_space) return tl::unexpected(chunk.error());
      static_cast<void>(cudaGetLastError());
      size /= 2;
      if (size < chunk_bytes_least) break;
    }
    if (chunks_.empty())
      return fail(ErrorCode::no_space, "no device memory is to be had; end what else uses it");
    return {};
  }

  std::uint64_t words() const override { return words_; }

  bool contains(std::uint64_t address) const override {
    return address % 8 == 0 && std::ranges::any_of(chunks_, [&](const DeviceBuffer& chunk) {
             return address >= address_of(chunk) && address < address_of(chunk) + chunk.bytes();
           });
  }

  Result<void> fill(const Pattern& pattern) override {
    for (const DeviceBuffer& chunk : chunks_)
      with_family(pattern.family, [&]<Family family>() {
        memory_fill<family><<<grid(chunk.bytes() / 16), threads, 0, stream_>>>(
            vectors(chunk), chunk.bytes() / 16, values_of(pattern));
      });
    return finish("write a pattern");
  }

  Result<void> fill_some(const Pattern& pattern, bool members) override {
    for (const DeviceBuffer& chunk : chunks_)
      memory_fill_some<<<grid(chunk.bytes() / 16), threads, 0, stream_>>>(
          words(chunk), chunk.bytes() / 8, values_of(pattern), members);
    return finish("write part of a pattern");
  }

  Result<Findings> verify(const Pattern& pattern) override {
    CR_CHECK(clear_report());
    for (const DeviceBuffer& chunk : chunks_)
      with_family(pattern.family, [&]<Family family>() {
        memory_verify<family, false><<<grid(chunk.bytes() / 16), threads, 0, stream_>>>(
            vectors(chunk), chunk.bytes() / 16, values_of(pattern), {}, report());
      });
    return collect();
  }

  Result<Findings> verify_and_fill(const Pattern& pattern, const Pattern& next) override {
    CR_CHECK(clear_report());
    for (const DeviceBuffer& chunk : chunks_)
      with_family(pattern.family, [&]<Family family>() {
        memory_verify<family, true><<<grid(chunk.bytes() / 16), threads, 0, stream_>>>(
            vectors(chunk), chunk.bytes() / 16, values_of(pattern), values_of(next), report());
      });
    return collect();
  }

  Result<void> move_halves(std::uint64_t turn, bool back) override {
    for (const DeviceBuffer& chunk : chunks_)
      memory_move<<<grid(chunk.bytes() / 16), threads, 0, stream_>>>(
          words(chunk), chunk.bytes() / 16, turn_within(turn, chunk.bytes() / 16), back);
    return finish("move a pattern");
  }

  Result<Findings> verify_moved(const Pattern& pattern, std::uint64_t turn) override {
    CR_CHECK(clear_report());
    for (const DeviceBuffer& chunk : chunks_)
      with_family(pattern.family, [&]<Family family>() {
        memory_verify_moved<family><<<grid(chunk.bytes() / 16), threads, 0, stream_>>>(
            words(chunk), chunk.bytes() / 16, turn_within(turn, chunk.bytes() / 16),
            values_of(pattern), report());
      });
    return collect();
  }

  Result<std::uint64_t> read(std::uint64_t address) override {
    std::uint64_t left = flush_bytes;
    for (const DeviceBuffer& chunk : chunks_) {
      // The chunk of the address itself only where there is no other.
      if (chunks_.size() > 1 && address >= address_of(chunk) &&
          address < address_of(chunk) + chunk.bytes())
        continue;
      const std::uint64_t some = std::min<std::uint64_t>(left, chunk.bytes());
      memory_flush<<<grid(some / 8), threads, 0, stream_>>>(
          words(chunk), some / 8, static_cast<unsigned long long*>(sum_.data()));
      left -= some;
      if (left == 0) break;
    }
    std::uint64_t value = 0;
    CR_CHECK(check(cudaMemcpyAsync(&value, reinterpret_cast<const void*>(address), sizeof value,
                                   cudaMemcpyDeviceToHost, stream_),
                   "read a word again"));
    CR_CHECK(finish("read a word again"));
    return value;
  }

  Result<void> write(std::uint64_t address, std::uint64_t value) override {
    CR_CHECK(check(cudaMemcpyAsync(reinterpret_cast<void*>(address), &value, sizeof value,
                                   cudaMemcpyHostToDevice, stream_),
                   "write a word"));
    return finish("write a word");
  }

 private:
  static std::uint64_t address_of(const DeviceBuffer& chunk) {
    return reinterpret_cast<std::uint64_t>(chunk.data());
  }
  static ulonglong2* vectors(const DeviceBuffer& chunk) {
    return static_cast<ulonglong2*>(chunk.data());
  }
  static std::uint64_t* words(const DeviceBuffer& chunk) {
    return static_cast<std::uint64_t*>(chunk.data());
  }
  static Values values_of(const Pattern& pattern) { return {pattern.a, pattern.b}; }
  // A block for every `threads` items, as long as the device is not full.
  unsigned grid(std::uint64_t items) const {
    return static_cast<unsigned>(std::min<std::uint64_t>(blocks_, items / threads + 1));
  }
  Report* report() { return static_cast<Report*>(report_.data()); }

  Result<void> finish(std::string_view doing) {
    CR_CHECK(check(cudaGetLastError(), doing));
    return check(cudaStreamSynchronize(stream_), doing);
  }

  Result<void> clear_report() {
    return check(cudaMemsetAsync(report_.data(), 0, offsetof(Report, first), stream_),
                 "clear the report");
  }

  Result<Findings> collect() {
    struct Counts {
      unsigned long long errors, kept;
    } counts{};
    CR_CHECK(check(cudaGetLastError(), "verify a pattern"));
    CR_CHECK(check(
        cudaMemcpyAsync(&counts, report_.data(), sizeof counts, cudaMemcpyDeviceToHost, stream_),
        "verify a pattern"));
    CR_CHECK(check(cudaStreamSynchronize(stream_), "verify a pattern"));
    std::vector<Mismatch> kept(std::min<std::size_t>(counts.kept, mismatches_kept));
    if (!kept.empty()) {
      CR_CHECK(check(cudaMemcpyAsync(kept.data(), report()->first, kept.size() * sizeof(Mismatch),
                                     cudaMemcpyDeviceToHost, stream_),
                     "read what differs"));
      CR_CHECK(check(cudaStreamSynchronize(stream_), "read what differs"));
    }
    return findings_of(counts.errors, std::move(kept));
  }

  cudaStream_t stream_ = nullptr;
  unsigned blocks_ = 0;
  std::uint64_t words_ = 0;
  std::vector<DeviceBuffer> chunks_;
  DeviceBuffer report_;
  DeviceBuffer sum_;
};

}  // namespace

Result<DeviceSpace> device_space() {
  std::size_t free = 0;
  std::size_t total = 0;
  CR_CHECK(check(cudaMemGetInfo(&free, &total), "the device's free memory"));
  return DeviceSpace{free, total};
}

Result<std::unique_ptr<Memory>> device_memory(std::uint64_t bytes) {
  auto memory = std::make_unique<DeviceMemory>();
  CR_CHECK(memory->allocate(bytes));
  return memory;
}

}  // namespace checkride::kernels::memtest
