#include "kernels/inspect/device_images.h"

#include <lz4.h>
#include <zstd.h>

#include <climits>
#include <optional>

#include "kernels/inspect/image_bytes.h"

namespace checkride::kernels::inspect {

namespace {

constexpr std::uint16_t cuda_machine = 190;
constexpr std::uint16_t kind_ptx = 1;
constexpr std::uint16_t kind_elf = 2;
constexpr std::uint64_t flag_packed_otherwise = 0x1000;
constexpr std::uint64_t flag_lz4 = 0x2000;
constexpr std::uint64_t flag_zstd = 0x8000;
constexpr std::size_t unread_max = 64;

// The first bytes of a fat binary, made here rather than written down: a program that holds this
// code can be looked into as well, and must not seem to hold one more.
const std::string& fat_binary_start() {
  static const std::string start = [] {
    constexpr unsigned char one_more[] = {0x51, 0xee, 0x56, 0xbb, 0x02, 0x01, 0x11, 0x01};
    const volatile unsigned char one = 1;
    std::string bytes;
    for (const unsigned char byte : one_more) bytes += static_cast<char>(byte - one);
    return bytes;
  }();
  return start;
}

struct Entry {
  std::uint64_t flags = 0;
  std::uint64_t unpacked_bytes = 0;
  std::string_view payload;  // without padding where packed
};

class Finder {
 public:
  explicit Finder(std::string_view file) : file_(file) {}

  DeviceImages find() {
    if (file_.starts_with("\x7f"
                          "ELF") &&
        number_at<std::uint16_t>(file_, 18) == cuda_machine) {
      images_.elves.emplace_back(file_);
      return std::move(images_);
    }
    for (std::size_t at = file_.find(fat_binary_start()); at != std::string_view::npos;)
      at = file_.find(fat_binary_start(), after_fat_binary(at));
    return std::move(images_);
  }

 private:
  void unread(std::size_t at, std::string_view why) {
    if (images_.unread.size() < unread_max)
      images_.unread.push_back("byte " + std::to_string(at) + ": " + std::string(why));
  }

  // Reads the fat binary at `at`; where to look for the next.
  std::size_t after_fat_binary(std::size_t at) {
    const std::size_t first = at + 16;
    const auto size = number_at<std::uint64_t>(file_, at + 8);
    const auto body = size ? part_of(file_, first, *size) : std::nullopt;
    if (!body) {
      unread(at, "a fat binary that is cut short");
      return at + fat_binary_start().size();
    }
    std::uint64_t next = 0;
    while (next < body->size()) {
      const auto header = number_at<std::uint32_t>(*body, next + 4);
      const auto payload = number_at<std::uint64_t>(*body, next + 8);
      if (!header || !payload || *header < 64 || *header > 4096 || !part_of(*body, next, *header) ||
          !part_of(*body, next + *header, *payload)) {
        unread(first + next, "an entry that leaves its fat binary");
        break;
      }
      read_entry(body->substr(next, *header), body->substr(next + *header, *payload), first + next);
      next += *header + *payload;
    }
    return first + body->size();
  }

  void read_entry(std::string_view header, std::string_view payload, std::size_t at) {
    const std::uint16_t kind = *number_at<std::uint16_t>(header, 0);
    if (kind != kind_elf) {
      ++(kind == kind_ptx ? images_.ptx : images_.others);
      return;
    }
    Entry entry{*number_at<std::uint64_t>(header, 40), *number_at<std::uint64_t>(header, 56),
                payload};
    const std::uint32_t packed = *number_at<std::uint32_t>(header, 16);
    constexpr std::uint64_t any_packing = flag_packed_otherwise | flag_lz4 | flag_zstd;
    if ((entry.flags & any_packing) != 0) {
      if (packed > payload.size())
        return unread(at, "a compressed entry that is larger than its place");
      entry.payload = payload.substr(0, packed);
      return unpack(entry, at);
    }
    if (!keep_space_for(payload.size())) return unread(at, "too much machine code in one file");
    images_.elves.emplace_back(payload);
  }

  bool keep_space_for(std::uint64_t bytes) {
    if (bytes > unpacked_bytes_max - unpacked_) return false;
    unpacked_ += bytes;
    return true;
  }

  void unpack(const Entry& entry, std::size_t at) {
    if (!keep_space_for(entry.unpacked_bytes))
      return unread(at, "a compressed entry that would be too large unpacked");
    std::string image(entry.unpacked_bytes, '\0');
    std::size_t written = 0;
    if ((entry.flags & flag_zstd) != 0) {
      written =
          ZSTD_decompress(image.data(), image.size(), entry.payload.data(), entry.payload.size());
    } else if ((entry.flags & flag_lz4) != 0 && entry.payload.size() <= INT_MAX) {
      const int done = LZ4_decompress_safe(entry.payload.data(), image.data(),
                                           static_cast<int>(entry.payload.size()),
                                           static_cast<int>(image.size()));
      written = done < 0 ? 0 : static_cast<std::size_t>(done);
    } else {
      return unread(at,
                    "an entry compressed in a way that is not known here; build with "
                    "nvcc --compress-mode=none");
    }
    if (written != image.size() || image.empty())
      return unread(at, "a compressed entry that does not unpack");
    images_.elves.push_back(std::move(image));
  }

  std::string_view file_;
  DeviceImages images_;
  std::uint64_t unpacked_ = 0;
};

}  // namespace

DeviceImages device_images(std::string_view file) {
  return Finder(file).find();
}

}  // namespace checkride::kernels::inspect
