#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "store_fixture.h"

using namespace checkride;
using namespace checkride::testing;
namespace fs = std::filesystem;

namespace {

// A file system of a few MiB; needs the right to mount one.
class SmallDisk {
 public:
  explicit SmallDisk(fs::path path) : path_(std::move(path)) {
    fs::create_directories(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=24m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  explicit operator bool() const { return mounted_; }

 private:
  fs::path path_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("a full disk fails the append with no_space, and nothing acknowledged is lost",
          "[store][rocksdb][disk-full]") {
  StoreFixture fixture;
  const SmallDisk disk(fixture.folder.path() / "disk");
  if (!disk) {
    WARN("skipped: mounting a small file system needs root");
    return;
  }
  fixture.path = fixture.folder.path() / "disk/store";
  const fs::path filler = fixture.folder.path() / "disk/filler";
  std::uint64_t acknowledged = 0;
  {
    const auto store = fixture.open();
    // Somebody else takes the room; a little is left.
    std::ofstream(filler, std::ios::binary) << std::string(14 << 20, 'x');
    std::optional<Error> error;
    for (std::uint64_t i = 0; i < 5000 && !error; ++i) {
      Append append = plain_append("a", 1 + 2 * i);
      std::string noise(20'000, ' ');
      for (std::size_t at = 0; at < noise.size(); ++at)
        noise[at] = static_cast<char>((i * 31 + at * at * 17) % 251);
      std::get<RunCancelRequested>(append.record.events[0]).command.reason = noise;
      const auto committed = store->log()->append(std::span(&append, 1));
      if (committed)
        acknowledged = committed->front().global.value;
      else
        error = committed.error();
    }
    REQUIRE(error.has_value());
    INFO(error->text());
    CHECK(error->code == ErrorCode::no_space);
    Append more = plain_append("b", 1);
    CHECK(store->log()->append(std::span(&more, 1)).error().code == ErrorCode::io);
    // Reading goes on.
    CHECK(store->reader().heads().has_value());
    CHECK(store->artifacts().put(std::string(20 << 20, 'x')).error().code == ErrorCode::no_space);
  }
  // A reader needs no room; an owner does, and says so.
  {
    const auto reader = fixture.open(StoreMode::read_only);
    CHECK(reader->reader().head(RunId("a")).value()->global.value >= acknowledged);
  }
  fs::remove(filler);
  const auto store = fixture.open();
  const auto head = store->reader().head(RunId("a")).value();
  REQUIRE(head.has_value());
  CHECK(head->global.value >= acknowledged);
  const auto report = store->verify();
  REQUIRE(report.has_value());
  CHECK(joined(report->problems) == "");
  Append next = plain_append("a", head->last.value + 1);
  append_one(*store->log(), next);
}
