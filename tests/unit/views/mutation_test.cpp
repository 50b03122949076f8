// Documents with random damage: the loader says what is wrong and where, or takes them; it never
// crashes or hangs. What it takes fits the schema. CHECKRIDE_MUTATIONS gives another count,
// CHECKRIDE_SEED another beginning.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "tests/support/json_schema.h"
#include "tests/unit/views/documents.h"

namespace checkride::test {
namespace {

const std::vector<std::string> fragments = {"${",
                                            "}",
                                            "{",
                                            "]",
                                            "[",
                                            ": ",
                                            "- ",
                                            "#",
                                            "'",
                                            "\"",
                                            "&a ",
                                            "*a",
                                            "!!x ",
                                            "<<: ",
                                            "\t",
                                            "\r\n",
                                            "\n",
                                            "|\n",
                                            "\xC3",
                                            "null",
                                            "true",
                                            "0x1F",
                                            ".inf",
                                            "1_000",
                                            "---\n",
                                            "? ",
                                            "",
                                            "~",
                                            "done",
                                            "end",
                                            "on: ",
                                            "states:",
                                            "always: ",
                                            "invoke:",
                                            "budget:",
                                            "${params.repo}",
                                            "&&",
                                            "jobs.",
                                            "#x",
                                            "type: ",
                                            "final",
                                            "exhausted:",
                                            "guard: ",
                                            "\xEF\xBB\xBF",
                                            std::string(1, '\0'),
                                            std::string(70, '['),
                                            std::string(300, ' ')};

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  std::string mutated(std::string text) {
    const std::size_t changes = 1 + below(3);
    for (std::size_t i = 0; i < changes && !text.empty(); ++i) change(text);
    return text;
  }
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

 private:
  std::pair<std::size_t, std::size_t> line_in(const std::string& text) {
    const std::size_t at = below(text.size());
    const std::size_t before = text.rfind('\n', at == 0 ? 0 : at - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    return {begin, std::min(text.find('\n', at), text.size() - 1) + 1};
  }
  void change(std::string& text) {
    switch (below(8)) {
      case 0: text.insert(below(text.size()), fragments[below(fragments.size())]); return;
      case 1: text.erase(below(text.size()), 1 + below(8)); return;
      case 2: text[below(text.size())] = static_cast<char>(below(256)); return;
      case 3: text.resize(below(text.size())); return;
      case 4: {  // a line goes away
        const auto [begin, end] = line_in(text);
        text.erase(begin, end > begin ? end - begin : 0);
        return;
      }
      case 5: {  // a line stands elsewhere again
        const auto [begin, end] = line_in(text);
        const std::string line = text.substr(begin, end > begin ? end - begin : 0);
        text.insert(line_in(text).first, line);
        return;
      }
      case 6: {  // a word becomes another word of the document
        const auto word = [&]() {
          std::size_t at = below(text.size());
          while (at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) == 0) ++at;
          std::size_t end = at;
          while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end])) != 0)
            ++end;
          return std::pair(at, end - at);
        };
        const auto [from, from_size] = word();
        const std::string other = text.substr(from, from_size);
        const auto [to, to_size] = word();
        text.replace(to, to_size, other);
        return;
      }
      default: {  // a line is indented differently
        const std::size_t begin = line_in(text).first;
        if (below(2) == 0 && text[begin] == ' ')
          text.erase(begin, 1);
        else
          text.insert(begin, 1 + below(3), ' ');
        return;
      }
    }
  }

  std::mt19937_64 random_;
};

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST_CASE("a damaged document loads, or its errors have places", "[views][mutation]") {
  const std::uint64_t seed = setting("CHECKRIDE_SEED", 1);
  const std::uint64_t count = setting("CHECKRIDE_MUTATIONS", 60);
  std::vector<Document> documents = whole_documents();
  for (const Document& example : examples_of("docs/guides/write-a-procedure.md"))
    documents.push_back(example);
  std::size_t refused = 0;
  std::size_t taken = 0;
  for (const Document& document : documents) {
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string text = Mutator(seed * 1'000'003 + i).mutated(document.text);
      const LoadResult result = load_real(text);
      INFO(document.name << ", seed " << seed << ", mutation " << i);
      const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
      bool error = false;
      for (const LoadDiagnostic& d : result.diagnostics) {
        INFO(to_string(d));
        error = error || d.severity == LoadDiagnostic::Severity::error;
        REQUIRE(d.place.line >= 1);
        REQUIRE(d.place.line <= static_cast<std::uint32_t>(lines));
        REQUIRE(d.place.column >= 1);
        REQUIRE_FALSE(d.message.empty());
      }
      REQUIRE(error == (result.definition == nullptr));
      ++(error ? refused : taken);
      if (!error) {
        INFO(text);
        REQUIRE(schema_error(schema(), json_of(text)).value_or("") == "");
      }
    }
  }
  CHECK(refused > 0);
  CHECK(taken > 0);
}

}  // namespace
}  // namespace checkride::test
