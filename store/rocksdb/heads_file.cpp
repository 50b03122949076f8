#include "store/rocksdb/heads_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <span>

namespace checkride {

namespace fs = std::filesystem;

namespace {

// One slot is one sector, so that a torn write of one cannot touch the other.
constexpr std::size_t slot_bytes = 512;
constexpr std::string_view magic = "CRHEADS1";
// Offsets within a slot; the checksum covers everything after it, zeros to the end included.
constexpr std::size_t checksum_at = 8;
constexpr std::size_t counter_at = 16;
constexpr std::size_t epoch_at = 24;
constexpr std::size_t global_at = 32;
constexpr std::size_t store_id_at = 40;  // 32 hexadecimal digits
constexpr std::size_t chain_at = 72;

using SlotBytes = std::array<char, slot_bytes>;

void put_number(SlotBytes& slot, std::size_t at, std::uint64_t number) {
  for (std::size_t i = 0; i < 8; ++i) slot[at + i] = static_cast<char>((number >> (8 * i)) & 0xFF);
}
std::uint64_t number_at(const SlotBytes& slot, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;)
    number = (number << 8) | static_cast<unsigned char>(slot[at + i]);
  return number;
}
std::uint64_t checksum_of(const SlotBytes& slot) {
  return crc32c(std::as_bytes(std::span(slot)).subspan(counter_at));
}

}  // namespace

Result<fs::path> HeadsFile::default_folder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return fs::path(state) / "checkride-heads";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".local/state/checkride-heads";
  return fail(ErrorCode::invalid_argument,
              "neither XDG_STATE_HOME nor HOME is set, so there is no place for the store's heads "
              "file; set one of them");
}

Result<HeadsFile> HeadsFile::open(const fs::path& path, const std::string& store_id,
                                  bool writable) {
  HeadsFile heads;
  heads.path_ = path;
  heads.store_id_ = store_id;
  if (writable) {
    CR_CHECK(make_folders(path.parent_path()));
    heads.file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!heads.file_) return fail_errno("open", path.native());
  }
  auto contents = read_file(path, 2 * slot_bytes);
  if (!contents && contents.error().code == ErrorCode::not_found) return heads;
  if (!contents && contents.error().code == ErrorCode::invalid_argument)
    return fail(ErrorCode::corrupt, "the heads file '" + path.native() + "' is too long");
  if (!contents) return tl::unexpected(std::move(contents).error());
  if (contents->empty()) return heads;  // made, and never written

  int readable = 0;
  for (int i = 0; i < 2; ++i) {
    SlotBytes slot{};
    const std::size_t begin = static_cast<std::size_t>(i) * slot_bytes;
    const std::size_t there = contents->size() > begin ? contents->size() - begin : 0;
    std::memcpy(slot.data(), contents->data() + std::min(begin, contents->size()),
                std::min(there, slot_bytes));
    if (slot == SlotBytes{}) continue;  // not yet written
    if (there < slot_bytes || std::string_view(slot.data(), magic.size()) != magic ||
        number_at(slot, checksum_at) != checksum_of(slot)) {
      heads.damaged_.push_back(i + 1);
      continue;
    }
    if (std::string_view(slot.data() + store_id_at, store_id.size()) != store_id)
      return fail(ErrorCode::corrupt,
                  "the heads file '" + path.native() + "' is that of another store");
    Slot& read = heads.slots_[static_cast<std::size_t>(i)].emplace();
    read.counter = number_at(slot, counter_at);
    read.position.epoch.value = number_at(slot, epoch_at);
    read.position.global.value = number_at(slot, global_at);
    std::memcpy(read.position.chain.bytes.data(), slot.data() + chain_at, 32);
    heads.counter_ = std::max(heads.counter_, read.counter);
    ++readable;
  }
  if (readable == 0)
    return fail(ErrorCode::corrupt,
                "the heads file '" + path.native() +
                    "' is damaged in both places, so nothing says how far the log was "
                    "acknowledged; check the log with `checkride verify`, then remove this file");
  return heads;
}

std::optional<HeadPosition> HeadsFile::newest() const {
  const std::optional<Slot>* newest = nullptr;
  for (const auto& slot : slots_)
    if (slot && (newest == nullptr || slot->counter > (*newest)->counter)) newest = &slot;
  if (newest == nullptr) return std::nullopt;
  return (*newest)->position;
}

Result<void> HeadsFile::write(const HeadPosition& position) {
  const std::uint64_t counter = ++counter_;
  const std::size_t index = counter % 2;
  SlotBytes slot{};
  std::memcpy(slot.data(), magic.data(), magic.size());
  put_number(slot, counter_at, counter);
  put_number(slot, epoch_at, position.epoch.value);
  put_number(slot, global_at, position.global.value);
  std::memcpy(slot.data() + store_id_at, store_id_.data(),
              std::min<std::size_t>(store_id_.size(), 32));
  std::memcpy(slot.data() + chain_at, position.chain.bytes.data(), 32);
  put_number(slot, checksum_at, checksum_of(slot));
  const auto at = static_cast<off_t>(index * slot_bytes);
  const ssize_t put = ::pwrite(file_.get(), slot.data(), slot.size(), at);
  if (put < 0) return fail_errno("write", path_.native());
  if (static_cast<std::size_t>(put) != slot.size())
    return fail(ErrorCode::no_space, "the heads file '" + path_.native() +
                                         "' could not be written whole; make room on the disk");
  slots_[index] = Slot{counter, position};
  std::erase(damaged_, static_cast<int>(index) + 1);
  return {};
}

Result<void> HeadsFile::sync() {
  if (::fdatasync(file_.get()) != 0) return fail_errno("sync", path_.native());
  return sync_folder(path_.parent_path());
}

void HeadsFile::forget() {
  slots_ = {};
}

}  // namespace checkride
