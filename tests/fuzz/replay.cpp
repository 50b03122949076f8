// fuzz_replay FOLDER: every file of the corpus through every target, without a fuzzer. Exit code 0
// when all came back, 1 where the corpus cannot be read or is empty; a broken promise aborts.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "engine/base/files.h"
#include "tests/fuzz/targets.h"

int main(int argc, char** argv) {
  constexpr std::size_t file_bytes_max = 1 << 20;
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_replay FOLDER\n");
    return 2;
  }
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (auto at = std::filesystem::recursive_directory_iterator(argv[1], error);
       !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error))
    if (at->is_regular_file()) files.push_back(at->path());
  if (error || files.empty()) {
    std::fprintf(stderr, "fuzz_replay: no corpus in %s\n", argv[1]);
    return 1;
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto text = checkride::read_file(file, file_bytes_max);
    if (!text) {
      std::fprintf(stderr, "fuzz_replay: %s\n", text.error().text().c_str());
      return 1;
    }
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);  // the last line names the file of an abort
    checkride::fuzz::parser(*text);
    checkride::fuzz::checker(*text);
    checkride::fuzz::evaluator(*text);
  }
  std::printf("%zu files replayed\n", files.size());
  return 0;
}
