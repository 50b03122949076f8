// Memory under test that is broken in one known way: words in an array behind a model of a fault.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "kernels/memtest/memory.h"

namespace checkride::tests {

namespace memtest = kernels::memtest;

// Addresses start at 1 << 32. A fault is a function on what passes between test and cells.
class BrokenMemory final : public memtest::Memory {
 public:
  explicit BrokenMemory(std::uint64_t count) : cells_(count, 0) {}

  // What a read of the cell gives, and what a write leaves; each may be replaced.
  std::function<std::uint64_t(std::uint64_t address, std::uint64_t held)> on_read;
  std::function<std::uint64_t(std::uint64_t address, std::uint64_t value)> on_write;
  std::function<std::uint64_t(std::uint64_t address)> decode;

  static constexpr std::uint64_t base = 1ULL << 32;
  std::uint64_t reads = 0;

  std::uint64_t words() const override { return cells_.size(); }
  bool contains(std::uint64_t address) const override {
    return address >= base && address % 8 == 0 && address < base + 8 * cells_.size();
  }

  Result<void> fill(const memtest::Pattern& pattern) override {
    for (std::uint64_t i = 0; i < words(); ++i) put(at(i), value_of(pattern, at(i)));
    return {};
  }
  Result<void> fill_some(const memtest::Pattern& pattern, bool members) override {
    for (std::uint64_t i = 0; i < words(); ++i)
      if (((at(i) >> 3) % 20 == pattern.b) == members) put(at(i), value_of(pattern, at(i)));
    return {};
  }
  Result<memtest::Findings> verify(const memtest::Pattern& pattern) override {
    return compare(words(), [&](std::uint64_t i) { return value_of(pattern, at(i)); });
  }
  Result<memtest::Findings> verify_and_fill(const memtest::Pattern& pattern,
                                            const memtest::Pattern& next) override {
    return compare(
        words(), [&](std::uint64_t i) { return value_of(pattern, at(i)); }, &next);
  }
  Result<void> move_halves(std::uint64_t turns, bool back) override {
    const std::uint64_t half = words() / 2;
    const std::uint64_t turn = memtest::turn_within(turns, half);
    for (std::uint64_t i = 0; i < half; ++i) {
      const std::uint64_t upper = at(half + memtest::moved_to(i, turn, half));
      back ? put(at(i), get(upper)) : put(upper, get(at(i)));
    }
    return {};
  }
  Result<memtest::Findings> verify_moved(const memtest::Pattern& pattern,
                                         std::uint64_t turns) override {
    const std::uint64_t half = words() / 2;
    const std::uint64_t turn = memtest::turn_within(turns, half);
    return compare(2 * half, [&](std::uint64_t i) {
      return value_of(pattern, at(i < half ? i : memtest::moved_from(i - half, turn, half)));
    });
  }
  Result<std::uint64_t> read(std::uint64_t address) override { return get(address); }
  Result<void> write(std::uint64_t address, std::uint64_t value) override {
    put(address, value);
    return {};
  }

 private:
  static std::uint64_t at(std::uint64_t i) { return base + 8 * i; }
  std::uint64_t& cell(std::uint64_t address) {
    return cells_.at(((decode ? decode(address) : address) - base) / 8);
  }
  std::uint64_t get(std::uint64_t address) {
    ++reads;
    const std::uint64_t held = cell(address);
    return on_read ? on_read(address, held) : held;
  }
  void put(std::uint64_t address, std::uint64_t value) {
    cell(address) = on_write ? on_write(address, value) : value;
  }
  template <class Expected>
  memtest::Findings compare(std::uint64_t count, const Expected& expected,
                            const memtest::Pattern* next = nullptr) {
    std::vector<memtest::Mismatch> kept;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t held = get(at(i));
      if (held != expected(i))
        kept.push_back({at(i), expected(i), held});
      else if (next != nullptr)
        put(at(i), value_of(*next, at(i)));
    }
    const std::uint64_t errors = kept.size();
    if (kept.size() > memtest::mismatches_kept) kept.resize(memtest::mismatches_kept);
    return memtest::findings_of(errors, std::move(kept));
  }

  std::vector<std::uint64_t> cells_;
};

}  // namespace checkride::tests
