// The one place where Cap'n Proto messages are made and opened: canonical bytes out, bounded
// readers in, and its exceptions turned into Trouble. Canonical form (capnproto.org/encoding.html)
// gives equal values equal bytes, so hashes over them are stable.
#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <kj/array.h>
#include <kj/exception.h>

#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/codec/fields.h"

namespace checkride::codec {

// Bounds on what is read. Canonical messages visit each word once; the slack is for lists whose
// elements need no words (a list of nulls), which count as a word each.
inline constexpr std::uint64_t message_bytes_max = 512ULL << 20;
inline constexpr std::uint64_t wordless_elements_max = 4ULL << 20;
inline constexpr int message_nesting_max = 4096;

// Runs `work`; a library exception becomes trouble.
template <class Work>
void guarded(Trouble& trouble, Work&& work) {
  try {
    work();
  } catch (const kj::Exception& e) {
    trouble.note(e.getDescription().cStr());
  } catch (const std::exception& e) {
    trouble.note(e.what());
  }
}

// Calls fill(message) and gives the canonical bytes of the root; empty on trouble.
template <class Fill>
std::string canonical_bytes(Trouble& trouble, Fill&& fill) {
  // Most messages fit; the builder zeroes again what it used of it. Each instantiation has its own,
  // so a record's message may stand open while those of its events are made.
  alignas(8) thread_local capnp::word scratch[512] = {};
  std::string bytes;
  guarded(trouble, [&] {
    capnp::MallocMessageBuilder message(kj::arrayPtr(scratch, 512));
    fill(message);
    if (trouble) return;
    const kj::Array<capnp::word> words =
        message.getRoot<capnp::AnyStruct>().asReader().canonicalize();
    bytes.assign(reinterpret_cast<const char*>(words.begin()), words.size() * sizeof(capnp::word));
  });
  return bytes;
}

// Calls use(message) on a reader over canonical bytes; they are copied only if not aligned.
template <class Use>
void open_message(std::string_view bytes, Trouble& trouble, Use&& use) {
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0 || bytes.size() > message_bytes_max)
    return trouble.note("its length is not that of a message");
  guarded(trouble, [&] {
    const std::size_t count = bytes.size() / sizeof(capnp::word);
    std::vector<capnp::word> copy;
    const auto* words = reinterpret_cast<const capnp::word*>(bytes.data());
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) != 0) {
      copy.resize(count);
      std::memcpy(copy.data(), bytes.data(), bytes.size());
      words = copy.data();
    }
    const kj::ArrayPtr<const capnp::word> segment(words, count);
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 4 * count + wordless_elements_max;
    options.nestingLimit = message_nesting_max;
    capnp::SegmentArrayMessageReader message(kj::arrayPtr(&segment, 1), options);
    use(message);
  });
}

}  // namespace checkride::codec
