// A folder for a test's files that goes with it.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace checkride::kernels::test {

struct Folder {
  std::filesystem::path path;

  Folder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "checkride-kernels-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace checkride::kernels::test
