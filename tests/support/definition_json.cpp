// definition_json FILE...: each YAML document as one line of JSON, as the loader reads it; for tests
// in other languages, whose YAML readers resolve types otherwise. Exit code 2 when one is no YAML.
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/support/json_schema.h"

int main(int argc, char** argv) {
  using namespace checkride;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    std::ostringstream text;
    text << file.rdbuf();
    loader::Diagnostics diagnostics;
    loader::Reporter reporter(diagnostics, argv[i]);
    const auto root = loader::read_yaml(text.str(), reporter);
    if (!root) {
      for (const LoadDiagnostic& d : diagnostics.sorted()) std::cerr << to_string(d) << "\n";
      return 2;
    }
    std::cout << boost::json::serialize(test::as_json(*root)) << "\n";
  }
  return 0;
}
