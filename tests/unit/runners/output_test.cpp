// Streams without processes: bound, masking, matching, at every way of cutting them into pieces.
#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "engine/runners/local/environment.h"
#include "engine/runners/local/output_file.h"
#include "engine/runners/local/output_match.h"
#include "engine/runners/local/secret_mask.h"
#include "tests/unit/runners/harness.h"

namespace checkride {

namespace {

std::string contents(const std::filesystem::path& path) {
  return read_file(path, 1 << 24).value();
}

std::string numbers(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(i) + "\n";
  return text;
}

// The text in pieces of random sizes up to `most`.
std::vector<std::string> pieces(const std::string& text, std::size_t most, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> cut;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = 1 + random() % most;
    cut.push_back(text.substr(at, size));
    at += size;
  }
  return cut;
}

}  // namespace

TEST_CASE("an output within its bound is kept to the byte, and its digest is that of the file",
          "[runners]") {
  const TemporaryFolder folder;
  const std::string text = numbers(1000);
  const auto room = GENERATE_COPY(values({text.size(), text.size() + 1, 2 * text.size()}));
  auto file = OutputFile::create(folder / "stdout", room);
  REQUIRE(file);
  for (const std::string& piece : pieces(text, 100, 1)) REQUIRE(file->append(piece));
  const auto artifact = file->finish();
  REQUIRE(artifact);
  CHECK(contents(folder / "stdout") == text);
  CHECK(*artifact == Artifact{"stdout", sha256(text), text.size()});
}

TEST_CASE("of an output beyond its bound the first and last parts are kept with a line between",
          "[runners]") {
  const TemporaryFolder folder;
  const std::string text = numbers(5000);
  const std::size_t bound = GENERATE(2, 101, 1000, 8192, 20000);
  const std::size_t most = GENERATE(1, 7, 5000, 100000);
  auto file = OutputFile::create(folder / "stdout", bound);
  REQUIRE(file);
  for (const std::string& piece : pieces(text, most, 2)) REQUIRE(file->append(piece));
  const auto artifact = file->finish();
  REQUIRE(artifact);
  const std::size_t half = bound / 2;
  const std::string kept = contents(folder / "stdout");
  CHECK(kept == text.substr(0, half) + "\n[checkride: " + std::to_string(text.size() - bound) +
                    " bytes dropped here]\n" + text.substr(text.size() - (bound - half)));
  CHECK(*artifact == Artifact{"stdout", sha256(kept), kept.size()});
}

TEST_CASE("an existing output file is not written again", "[runners]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "stdout") << "evidence";
  CHECK_FALSE(OutputFile::create(folder / "stdout", 10));
  CHECK(contents(folder / "stdout") == "evidence");
}

TEST_CASE("secrets are masked however the stream is cut", "[runners]") {
  const EnvironmentVariables secrets = {{"A", "hunter2"}, {"B", "hunter2-long"}, {"C", "ababac"}};
  const std::string text = "x hunter2 y hunter2-long z hunter3 abababac hunter2-lo";
  const std::string masked = "x *** y *** z hunter3 ab*** ***-lo";
  CHECK(SecretMask(secrets).mask(text) == masked);
  for (std::size_t most = 1; most < 20; ++most) {
    for (unsigned seed = 0; seed < 20; ++seed) {
      SecretMask mask(secrets);
      std::string out;
      for (const std::string& piece : pieces(text, most, seed)) out += mask.pass(piece);
      out += mask.finish();
      REQUIRE(out == masked);
    }
  }
}

TEST_CASE("a mask holds back nothing that cannot become a secret", "[runners]") {
  SecretMask mask(EnvironmentVariables{{"A", "hunter2"}});
  CHECK(mask.pass("working... h") == "working... ");
  CHECK(mask.pass("ello") == "hello");
  CHECK(SecretMask(EnvironmentVariables{}).pass("anything") == "anything");
}

TEST_CASE("each longer line of a secret with several lines is masked on its own", "[runners]") {
  const SecretMask mask(
      EnvironmentVariables{{"KEY", "-----BEGIN-----\r\nMIIEabcdef\nx\n-----END-----\n"}});
  CHECK(mask.mask("  MIIEabcdef\n") == "  ***\n");
  CHECK(mask.mask("x") == "x");
}

TEST_CASE("texts of an outcome are masked at any depth", "[runners]") {
  JobOutcome outcome;
  cel::Map inner;
  inner.set("k", cel::Value(cel::List{cel::Value("my s3cret!"), cel::Value(3)}));
  outcome.result = cel::Value(inner);
  outcome.message = "s3cret!";
  outcome.facts.push_back({"f", inner});
  SecretMask(EnvironmentVariables{{"A", "s3cret!"}}).mask_outcome(outcome);
  CHECK(cel::to_json(outcome.result) == R"({"k":["my ***",3]})");
  CHECK(outcome.message == "***");
  CHECK(cel::to_json(cel::Value(outcome.facts[0].fields)) == R"({"k":["my ***",3]})");
}

TEST_CASE("expectations are matched across the cuts of a stream, not across streams", "[runners]") {
  Expectation expect;
  expect.log_contains = {"all tests passed", "done"};
  expect.log_lacks = {"FATAL", "split"};
  const std::string text = "building\nall tests passed\nnot FATA L\ndone";
  for (unsigned seed = 0; seed < 50; ++seed) {
    auto match = OutputMatch::create(expect, {});
    REQUIRE(match);
    for (const std::string& piece : pieces(text, 6, seed))
      match->pass(OutputMatch::Stream::output, piece);
    match->pass(OutputMatch::Stream::output, "spl");
    match->pass(OutputMatch::Stream::error, "it");
    match->finish();
    REQUIRE(match->unmet().empty());
    REQUIRE(match->impossible().empty());
  }
  auto match = OutputMatch::create(expect, {});
  match->pass(OutputMatch::Stream::error, "a FAT");
  match->pass(OutputMatch::Stream::error, "AL error, done");
  match->finish();
  CHECK(match->unmet() == std::vector<std::string>{"the output does not contain 'all tests passed'",
                                                   "the output contains 'FATAL'"});
}

TEST_CASE("parse rules take the first group of the last match, typed", "[runners]") {
  const std::vector<ParseRule> rules = {
      {"time", cel::Type::floating(), "time: ([0-9.e+-]+) ms", "", ""},
      {"count", cel::Type::integer(), "count=(\\S+)", "", ""},
      {"word", cel::Type::string(), "word [a-z]+", "", ""},
      {"end", cel::Type::string(), "^(.*)end$", "", ""},
      {"never", cel::Type::integer(), "never=(.*)", "", ""}};
  const std::string text =
      "time: 1.5 ms\ncount=1 count=2\rcount=+42\nword one word two\ntime: 2.25e1 ms\nlast end";
  for (unsigned seed = 0; seed < 50; ++seed) {
    auto match = OutputMatch::create({}, rules);
    REQUIRE(match);
    for (const std::string& piece : pieces(text, 9, seed))
      match->pass(OutputMatch::Stream::output, piece);
    match->finish();
    REQUIRE(match->unmet().empty());
    REQUIRE(cel::to_json(cel::Value(match->values())) ==
            R"({"count":42,"end":"last ","time":22.5,"word":"word two"})");
  }
  auto match = OutputMatch::create({}, rules);
  match->pass(OutputMatch::Stream::output, "count=many\n");
  match->finish();
  CHECK(match->unmet() ==
        std::vector<std::string>{"parse rule 'count' found 'many', which is no int"});
}

TEST_CASE("a line too long to match makes matching impossible, not quietly wrong", "[runners]") {
  const std::vector<ParseRule> rules = {{"n", cel::Type::integer(), "n=(.*)", "", ""}};
  auto match = OutputMatch::create({}, rules);
  const std::string block(100'000, 'x');
  for (int i = 0; i < 11; ++i) match->pass(OutputMatch::Stream::output, block);
  match->pass(OutputMatch::Stream::output, "\nn=1\n");
  match->finish();
  CHECK(match->values().size() == 1);
  CHECK(match->impossible().find("longer than") != std::string::npos);

  auto without = OutputMatch::create({}, {});  // nobody asked, so nothing was impossible
  for (int i = 0; i < 11; ++i) without->pass(OutputMatch::Stream::output, block);
  without->finish();
  CHECK(without->impossible().empty());
}

TEST_CASE("a bad regular expression is named", "[runners]") {
  const auto match = OutputMatch::create({}, {{"n", cel::Type::integer(), "n=(", "", ""}});
  REQUIRE_FALSE(match);
  CHECK(match.error().message.find("'n'") != std::string::npos);
}

TEST_CASE("JSON pointers read files and standard output", "[runners]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "r.json") << R"({"a": {"b": [1, 2.5]}, "s": "text"})";
  std::ofstream(folder / "stdout") << R"({"n": 3})";
  std::ofstream(folder / "bad.json") << "{";
  const auto rule = [](const char* name, cel::Type type, const char* file, const char* pointer) {
    return ParseRule{name, std::move(type), "", file, pointer};
  };
  const auto good = parse_files(
      {rule("one", cel::Type::integer(), "r.json", "/a/b/0"),
       rule("two", cel::Type::floating(), "r.json", "/a/b/1"),
       rule("as_double", cel::Type::floating(), "r.json", "/a/b/0"),
       rule("s", cel::Type::string(), "r.json", "/s"), rule("out", cel::Type::integer(), "", "/n"),
       rule("absent", cel::Type::integer(), "r.json", "/x"),
       rule("no_file", cel::Type::integer(), "none.json", "/x")},
      folder.path(), folder / "stdout", true);
  CHECK(cel::to_json(cel::Value(good.values)) ==
        R"({"as_double":1,"one":1,"out":3,"s":"text","two":2.5})");
  CHECK(good.unmet.empty());
  CHECK(good.impossible.empty());

  const auto bad = parse_files({rule("two", cel::Type::integer(), "r.json", "/a/b/1"),
                                rule("broken", cel::Type::integer(), "bad.json", "/x")},
                               folder.path(), folder / "stdout", true);
  CHECK(bad.unmet.size() == 2);
  const auto cut = parse_files({rule("out", cel::Type::integer(), "", "/n")}, folder.path(),
                               folder / "stdout", false);
  CHECK_FALSE(cut.impossible.empty());
}

}  // namespace checkride
