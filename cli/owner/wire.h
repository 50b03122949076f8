// Frames of the owner's protocol: sizes bounded, Cap'n Proto's exceptions turned into Error.
#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "cli/owner/protocol.capnp.h"
#include "engine/base/result.h"

namespace checkride::cli {

inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::uint32_t frame_bytes_max = 64U << 20;

// The frame of a message: length, then its flat words.
std::string to_frame(capnp::MessageBuilder& message);

// Opens a received message; `bytes` is what followed the length and outlives the use.
template <class Root, class Use>
Result<void> open_frame(const std::string& bytes, Use&& use) {
  try {
    std::vector<capnp::word> words(bytes.size() / sizeof(capnp::word));
    std::copy(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(words.size() * sizeof(capnp::word)),
              reinterpret_cast<char*>(words.data()));
    capnp::ReaderOptions options;
    options.traversalLimitInWords = 8 * words.size() + (4 << 20);
    capnp::FlatArrayMessageReader reader(kj::arrayPtr(words.data(), words.size()), options);
    return use(reader.getRoot<Root>());
  } catch (const kj::Exception& e) {
    return fail(ErrorCode::corrupt,
                std::string("a message of the owner's socket is damaged: ") +
                    e.getDescription().cStr());
  }
}

// Where the owner of a store listens: $XDG_RUNTIME_DIR/checkride/, else a private folder in the
// temporary directory; named by store id, so that a deep store path does not overflow the 108 bytes
// of a socket address.
Result<std::filesystem::path> socket_path(const std::string& store_id);

}  // namespace checkride::cli
