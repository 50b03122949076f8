// The fake management library (fake_nvml.cpp) put in the real one's place for one test.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace checkride::tests {

class FakeNvml {
 public:
  // Answers as tests/fixtures/nvml/CASE.txt says; without a case, as say() does.
  explicit FakeNvml(const std::string& name = "") {
    const char* const build = std::getenv("CHECKRIDE_BUILD");
    setenv("CHECKRIDE_NVML",
           ((build == nullptr ? std::filesystem::current_path().string() : std::string(build)) +
            "/libfake_nvml.so")
               .c_str(),
           1);
    setenv("CHECKRIDE_FAKE_NVML", path_.c_str(), 1);
    if (!name.empty()) use(name);
  }
  FakeNvml(const FakeNvml&) = delete;
  FakeNvml& operator=(const FakeNvml&) = delete;
  ~FakeNvml() {
    unsetenv("CHECKRIDE_NVML");
    unsetenv("CHECKRIDE_FAKE_NVML");
    std::filesystem::remove(path_);
  }

  // From now on, also while another thread asks.
  void use(const std::string& name) const {
    std::ifstream file(fixture(name));
    say(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  void say(const std::string& text) const {
    const std::filesystem::path next = path_.string() + ".next";
    std::ofstream(next) << text;
    std::filesystem::rename(next, path_);
  }
  static std::string fixture(const std::string& name) {
    const char* const source = std::getenv("CHECKRIDE_SOURCE");
    return (source == nullptr ? std::string(".") : std::string(source)) + "/tests/fixtures/nvml/" +
           name + ".txt";
  }

 private:
  const std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                      ("checkride_nvml_" + std::to_string(getpid()) + ".txt");
};

}  // namespace checkride::tests
