#include "tests/unit/views/documents.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/kernels/kinds.h"
#include "tests/support/json_schema.h"
#include "workflows/definitions/shipped.h"
#include "workflows/views/schema.h"

namespace checkride::test {
namespace {

std::filesystem::path root() {
  const char* source = std::getenv("CHECKRIDE_SOURCE");
  // Run by hand, from the source root.
  return source == nullptr ? std::filesystem::current_path() : std::filesystem::path(source);
}

}  // namespace

const JobCatalog& catalog() {
  static const JobCatalog all = cli::all_jobs();
  return all;
}

LoadResult load_real(std::string_view text, std::string_view name) {
  LoadOptions options;
  options.signatures = catalog().signatures();
  return load_definition(text, std::string(name), options);
}

std::shared_ptr<const Definition> load_clean(std::string_view text) {
  const LoadResult result = load_real(text);
  std::string findings;
  for (const LoadDiagnostic& d : result.diagnostics) findings += to_string(d) + "\n";
  INFO(text);
  CHECK(findings.empty());
  INFO(findings);
  REQUIRE(result.definition != nullptr);
  return result.definition;
}

boost::json::value json_of(std::string_view text) {
  loader::Diagnostics diagnostics;
  loader::Reporter reporter(diagnostics, "t.yaml");
  const auto node = loader::read_yaml(text, reporter);
  INFO(text);
  REQUIRE(node.has_value());
  return as_json(*node);
}

const boost::json::value& schema() {
  static const boost::json::value value = boost::json::parse(json_schema(catalog().signatures()));
  return value;
}

std::string source_file(const std::string& path) {
  std::ifstream file(root() / path);
  INFO(root() / path);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Document> whole_documents() {
  std::vector<Document> all;
  for (const Shipped& shipped : shipped_definitions())
    all.push_back({std::string(shipped.name), std::string(shipped.source)});
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root() / "tests"))
    if (entry.path().extension() == ".yaml") {
      const std::string path = entry.path().lexically_relative(root()).string();
      std::string text = source_file(path);
      if (text.find("checkride: 1") != std::string::npos) all.push_back({path, std::move(text)});
    }
  return all;
}

std::vector<std::string> pages() {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root() / "docs"))
    if (entry.path().extension() == ".md")
      all.push_back(entry.path().lexically_relative(root()).string());
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<Document> examples_of(const std::string& page) {
  const std::string text = source_file(page);
  const std::string fence = "```yaml\n";
  std::vector<Document> all;
  for (std::size_t at = 0; (at = text.find(fence, at)) != std::string::npos;) {
    at += fence.size();
    const std::size_t end = text.find("```", at);
    REQUIRE(end != std::string::npos);
    const auto line =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    all.push_back({page + ":" + std::to_string(line + 1), text.substr(at, end - at)});
    at = end + 3;
  }
  return all;
}

}  // namespace checkride::test
