#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <new>
#include <thread>

#include "kernels/memtest/memory.h"

namespace checkride::kernels::memtest {

Findings findings_of(std::uint64_t errors, std::vector<Mismatch> kept) {
  Findings findings;
  findings.errors = errors;
  std::ranges::sort(kept, {}, &Mismatch::address);
  for (const Mismatch& mismatch : kept)
    for (std::size_t bit = 0; bit < 64; ++bit)
      findings.bit_hist[bit] += ((mismatch.expected ^ mismatch.actual) >> bit) & 1;
  findings.first = std::move(kept);
  return findings;
}

namespace {

class HostMemory final : public Memory {
 public:
  HostMemory(std::uint64_t words, int threads)
      : size_(words),
        half_(words / 2),
        words_(new std::uint64_t[words]),
        threads_(static_cast<std::uint64_t>(threads)) {}

  std::uint64_t words() const override { return size_; }
  bool contains(std::uint64_t address) const override {
    return address >= address_of(0) && address % 8 == 0 && address < address_of(size_);
  }

  Result<void> fill(const Pattern& pattern) override {
    with_family(pattern.family, [&]<Family family>() {
      in_parts(size_, [&](std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t i = from; i < to; ++i)
          words_[i] = value_of<family>(pattern.a, pattern.b, address_of(i));
      });
    });
    return {};
  }

  Result<void> fill_some(const Pattern& pattern, bool members) override {
    in_parts(size_, [&](std::uint64_t from, std::uint64_t to) {
      for (std::uint64_t i = from; i < to; ++i)
        if (((address_of(i) >> 3) % 20 == pattern.b) == members)
          words_[i] = value_of(pattern, address_of(i));
    });
    return {};
  }

  Result<Findings> verify(const Pattern& pattern) override {
    return with_family(pattern.family, [&]<Family family>() {
      return compare(size_, [&](std::uint64_t i) {
        return value_of<family>(pattern.a, pattern.b, address_of(i));
      });
    });
  }

  Result<Findings> verify_and_fill(const Pattern& pattern, const Pattern& next) override {
    return with_family(pattern.family, [&]<Family family>() {
      return compare(
          size_,
          [&](std::uint64_t i) { return value_of<family>(pattern.a, pattern.b, address_of(i)); },
          [&](std::uint64_t i) { words_[i] = value_of<family>(next.a, next.b, address_of(i)); });
    });
  }

  Result<void> move_halves(std::uint64_t turns, bool back) override {
    const std::uint64_t turn = turn_within(turns, half_);
    in_parts(half_, [&](std::uint64_t from, std::uint64_t to) {
      for (std::uint64_t i = from; i < to; ++i) {
        std::uint64_t& upper = words_[half_ + moved_to(i, turn, half_)];
        if (back)
          words_[i] = upper;
        else
          upper = words_[i];
      }
    });
    return {};
  }

  Result<Findings> verify_moved(const Pattern& pattern, std::uint64_t turns) override {
    const std::uint64_t turn = turn_within(turns, half_);
    return compare(2 * half_, [&](std::uint64_t i) {
      return value_of(pattern, address_of(i < half_ ? i : moved_from(i - half_, turn, half_)));
    });
  }

  Result<std::uint64_t> read(std::uint64_t address) override {
    evict(address);
    return *static_cast<volatile const std::uint64_t*>(word(address));
  }
  Result<void> write(std::uint64_t address, std::uint64_t value) override {
    *static_cast<volatile std::uint64_t*>(word(address)) = value;
    evict(address);
    return {};
  }

 private:
  std::uint64_t address_of(std::uint64_t i) const {
    return reinterpret_cast<std::uint64_t>(words_.get() + i);
  }
  std::uint64_t* word(std::uint64_t address) const {
    return words_.get() + (address - address_of(0)) / 8;
  }
  static void evict([[maybe_unused]] std::uint64_t address) {
#ifdef __x86_64__
    __builtin_ia32_clflush(reinterpret_cast<const void*>(address));
    __builtin_ia32_mfence();
#endif
  }

  void in_parts(std::uint64_t count,
                const std::function<void(std::uint64_t, std::uint64_t)>& body) const {
    std::vector<std::thread> pool;
    for (std::uint64_t part = 1; part < threads_; ++part)
      pool.emplace_back(body, count * part / threads_, count * (part + 1) / threads_);
    body(0, count / threads_);
    for (std::thread& thread : pool) thread.join();
  }

  struct Nothing {
    void operator()(std::uint64_t) const {}
  };

  // Words 0 to count - 1 against expected(i); then(i) where they are right.
  template <class Expected, class Then = Nothing>
  Findings compare(std::uint64_t count, const Expected& expected, const Then& then = {}) {
    std::mutex mutex;
    std::vector<Mismatch> kept;
    std::atomic<std::uint64_t> errors{0};
    in_parts(count, [&](std::uint64_t from, std::uint64_t to) {
      for (std::uint64_t i = from; i < to; ++i) {
        const std::uint64_t wanted = expected(i);
        const std::uint64_t held = words_[i];
        if (held == wanted) {
          then(i);
          continue;
        }
        ++errors;
        const std::lock_guard lock(mutex);
        if (kept.size() < mismatches_kept) kept.push_back({address_of(i), wanted, held});
      }
    });
    return findings_of(errors, std::move(kept));
  }

  const std::uint64_t size_;
  const std::uint64_t half_;
  const std::unique_ptr<std::uint64_t[]> words_;
  const std::uint64_t threads_;
};

}  // namespace

Result<std::unique_ptr<Memory>> host_memory(std::uint64_t bytes, int threads) {
  try {
    return std::make_unique<HostMemory>(bytes / 8, std::clamp(threads, 1, 256));
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::no_space,
                std::to_string(bytes) + " bytes to test are not to be had; give fewer max_bytes");
  }
}

}  // namespace checkride::kernels::memtest
