#include "kernels/memtest/march.h"

#include <algorithm>
#include <thread>

namespace checkride::kernels::memtest {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::none: return "none";
    case Fault::transient_read: return "transient_read";
    case Fault::write_path: return "write_path";
    case Fault::persistent: return "persistent";
    case Fault::address: return "address";
  }
  return "none";
}

namespace {

constexpr std::uint64_t every_bit = ~0ULL;

Pattern constant(std::uint64_t value) {
  return {Family::constant, value, 0};
}

class March {
 public:
  March(Memory& memory, const Plan& plan) : memory_(memory), plan_(plan) {}

  Result<Outcome> run() {
    for (int pass = 0; pass < plan_.passes; ++pass)
      for (const std::string& name : plan_.patterns) {
        name_ = name;
        CR_CHECK(run_pattern(plan_.seed * 1000003 + static_cast<std::uint64_t>(pass)));
        outcome_.patterns_run.push_back(name);
        if (plan_.stop_on_error && outcome_.errors > 0) return finished();
      }
    return finished();
  }

 private:
  struct Rate {
    double bytes = 0.0, seconds = 0.0;
    double GBps() const { return seconds > 0.0 ? bytes / seconds / 1e9 : 0.0; }
  };

  Outcome finished() {
    outcome_.write_GBps = writes_.GBps();
    outcome_.read_GBps = reads_.GBps();
    for (const FirstError& error : outcome_.first)
      outcome_.fault = std::max(outcome_.fault, error.fault);
    return std::move(outcome_);
  }

  Result<void> run_pattern(std::uint64_t key) {
    if (name_ == "zeros") return write_read(constant(0));
    if (name_ == "ones") return write_read(constant(every_bit));
    if (name_ == "aa") return write_read(constant(0xaaaaaaaaaaaaaaaaULL));
    if (name_ == "55") return write_read(constant(0x5555555555555555ULL));
    if (name_ == "address") return invert({Family::address, 0, 0}, {Family::address, every_bit, 0});
    if (name_ == "inversions_8") {
      for (int bit = 0; bit < 8; ++bit) {
        const std::uint64_t bytes = 0x0101010101010101ULL << bit;
        CR_CHECK(invert(constant(bytes), constant(~bytes)));
      }
      return {};
    }
    if (name_ == "inversions_32") {
      for (std::uint64_t bit = 0; bit < 32; ++bit)
        CR_CHECK(invert({Family::walking_32, bit, 0}, {Family::walking_32, bit, every_bit}));
      return {};
    }
    if (name_ == "random")
      return invert({Family::hash, key * 7, 0}, {Family::hash, key * 7, every_bit});
    if (name_ == "block_move") return block_move({Family::hash, key * 11, 0});
    if (name_ == "modulo_20") return modulo_20();
    if (name_ == "hash") return write_read({Family::hash, key, 0});
    if (name_ == "bit_fade") return bit_fade();
    return fail(ErrorCode::invalid_argument, "there is no pattern '" + name_ + "'");
  }

  Result<void> write_read(const Pattern& pattern) {
    CR_CHECK(fill(pattern));
    return verify(pattern);
  }

  // Writes p; reads p and writes its complement word by word; reads that, writes p, reads p.
  Result<void> invert(const Pattern& pattern, const Pattern& complement) {
    CR_CHECK(fill(pattern));
    CR_CHECK(verify_and_fill(pattern, complement));
    CR_CHECK(verify_and_fill(complement, pattern));
    return verify(pattern);
  }

  Result<void> block_move(const Pattern& pattern) {
    constexpr std::uint64_t turn = 7;
    CR_CHECK(fill(pattern));
    for (const bool back : {false, true}) {
      CR_CHECK(memory_.move_halves(turn, back));
      CR_TRY(const Findings findings, memory_.verify_moved(pattern, turn));
      CR_CHECK(take(findings));
    }
    return {};
  }

  Result<void> modulo_20() {
    for (std::uint64_t from = 0; from < 20; ++from) {
      const Pattern pattern{Family::modulo_20, from % 2 == 0 ? 0 : every_bit, from};
      CR_CHECK(memory_.fill_some(pattern, true));
      // Twice, as a write next to the word under test is what may disturb it.
      CR_CHECK(memory_.fill_some(pattern, false));
      CR_CHECK(memory_.fill_some(pattern, false));
      CR_CHECK(after_fill());
      CR_CHECK(verify(pattern));
    }
    return {};
  }

  Result<void> bit_fade() {
    for (const std::uint64_t value : {every_bit, std::uint64_t{0}}) {
      CR_CHECK(fill(constant(value)));
      plan_.wait ? plan_.wait(plan_.fade) : std::this_thread::sleep_for(plan_.fade);
      CR_CHECK(verify(constant(value)));
    }
    return {};
  }

  Result<void> after_fill() {
    return plan_.after_fill ? plan_.after_fill(memory_) : Result<void>();
  }

  double all_bytes() const { return 8.0 * static_cast<double>(memory_.words()); }

  template <class Work>
  auto timed(Rate& rate, Work&& work) {
    const auto begin = std::chrono::steady_clock::now();
    auto result = work();
    rate.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    rate.bytes += all_bytes();
    return result;
  }

  Result<void> fill(const Pattern& pattern) {
    CR_CHECK(timed(writes_, [&] { return memory_.fill(pattern); }));
    return after_fill();
  }

  Result<void> verify(const Pattern& pattern) {
    CR_TRY(const Findings findings, timed(reads_, [&] { return memory_.verify(pattern); }));
    return take(findings);
  }

  Result<void> verify_and_fill(const Pattern& pattern, const Pattern& next) {
    CR_TRY(const Findings findings, memory_.verify_and_fill(pattern, next));
    CR_CHECK(take(findings, &next));
    return after_fill();
  }

  // `next`: what every word that was right holds by now, where that is not what was expected.
  Result<void> take(const Findings& findings, const Pattern* next = nullptr) {
    outcome_.errors += findings.errors;
    for (std::size_t bit = 0; bit < 64; ++bit) outcome_.bit_hist[bit] += findings.bit_hist[bit];
    for (const Mismatch& mismatch : findings.first) {
      if (outcome_.first.size() < errors_told) {
        FirstError error{name_, mismatch, {}, Fault::none};
        CR_CHECK(examine(error));
        outcome_.first.push_back(std::move(error));
      }
      if (next != nullptr)
        CR_CHECK(memory_.write(mismatch.address, value_of(*next, mismatch.address)));
    }
    return {};
  }

  // Reads the address twice more; where it is wrong both times, writes it to see what is broken.
  Result<void> examine(FirstError& error) {
    const auto& [address, expected, actual] = error.mismatch;
    for (std::uint64_t& word : error.reread) {
      CR_TRY(word, memory_.read(address));
    }
    if (error.reread[0] == expected || error.reread[1] == expected) {
      error.fault = Fault::transient_read;
      return {};
    }
    CR_TRY(const bool alias, aliased(error.mismatch));
    CR_CHECK(memory_.write(address, expected));
    CR_TRY(const std::uint64_t rewritten, memory_.read(address));
    error.fault = alias                   ? Fault::address
                  : rewritten != expected ? Fault::persistent
                                          : Fault::write_path;
    return {};
  }

  // Whether a write to the mismatch's address shows at another: at the address found there (which
  // own-address tests leave), or at one that differs in a single line of the address.
  Result<bool> aliased(const Mismatch& mismatch) {
    const std::uint64_t address = mismatch.address;
    std::vector<std::uint64_t> candidates = {mismatch.actual, ~mismatch.actual};
    for (int bit = 3; bit < 48; ++bit) candidates.push_back(address ^ (1ULL << bit));
    CR_TRY(const std::uint64_t before, memory_.read(address));
    for (const std::uint64_t other : candidates) {
      if (other == address || other % 8 != 0 || !memory_.contains(other)) continue;
      CR_TRY(const std::uint64_t kept, memory_.read(other));
      CR_CHECK(memory_.write(address, ~kept));
      CR_TRY(const std::uint64_t seen, memory_.read(other));
      CR_CHECK(memory_.write(address, before));
      if (seen == kept) continue;
      CR_CHECK(memory_.write(other, kept));
      return true;
    }
    return false;
  }

  Memory& memory_;
  const Plan& plan_;
  Outcome outcome_;
  std::string name_;
  Rate writes_, reads_;
};

}  // namespace

Result<Outcome> march(Memory& memory, const Plan& plan) {
  return March(memory, plan).run();
}

}  // namespace checkride::kernels::memtest
