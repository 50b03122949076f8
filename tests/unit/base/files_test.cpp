#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>

#include "engine/base/pipe.h"

namespace checkride {

namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "checkride-base-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = ::read(fd, block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(got));
  return text;
}

}  // namespace

TEST_CASE(
    "an atomic write replaces the file, keeps the mode asked for and leaves nothing beside it") {
  const Folder folder;
  const fs::path file = folder.path / "head";
  REQUIRE(write_file_atomic(file, "first"));
  REQUIRE(write_file_atomic(file, "second", 0600));
  CHECK(*read_file(file, 100) == "second");
  struct stat info {};
  REQUIRE(::stat(file.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 1);
}

TEST_CASE("reading more than the bound, or what is not there, is an error that names the file") {
  const Folder folder;
  const fs::path file = folder.path / "big";
  REQUIRE(write_file_atomic(file, std::string(101, 'x')));
  const auto big = read_file(file, 100);
  REQUIRE_FALSE(big);
  CHECK(big.error().text().find(file.string()) != std::string::npos);
  const auto none = read_file(folder.path / "none", 100);
  REQUIRE_FALSE(none);
  CHECK(none.error().text().find("none") != std::string::npos);
}

TEST_CASE("folders are made with their parents, and a file in the way is said") {
  const Folder folder;
  REQUIRE(make_folders(folder.path / "a" / "b"));
  REQUIRE(make_folders(folder.path / "a" / "b"));
  CHECK(fs::is_directory(folder.path / "a" / "b"));
  REQUIRE(write_file_atomic(folder.path / "file", "x"));
  CHECK_FALSE(make_folders(folder.path / "file" / "c"));
}

TEST_CASE("a child's input is the text from its beginning, or nothing") {
  const std::string text(100000, 'i');
  const auto file = input_file(text);
  REQUIRE(file);
  CHECK(read_all(file->get()) == text);
  const auto none = input_file("");
  REQUIRE(none);
  CHECK(read_all(none->get()).empty());
}

TEST_CASE("a pipe carries what is written and ends when the writer closes") {
  auto pipe = make_pipe();
  REQUIRE(pipe);
  REQUIRE(::write(pipe->write.get(), "word", 4) == 4);
  pipe->write.reset();
  CHECK(read_all(pipe->read.get()) == "word");
}

}  // namespace checkride
