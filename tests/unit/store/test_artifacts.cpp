#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "engine/base/files.h"
#include "store/artifacts/artifact_store.h"
#include "temporary_folder.h"

using namespace checkride;
using checkride::testing::TemporaryFolder;
namespace fs = std::filesystem;

TEST_CASE("an artifact is found by its hash, with its contents", "[store][artifacts]") {
  const TemporaryFolder folder;
  ArtifactStore artifacts(folder.path() / "artifacts");
  const auto put = artifacts.put("hello");
  REQUIRE(put.has_value());
  CHECK(put->digest == sha256("hello"));
  CHECK(put->bytes == 5);
  const auto path = artifacts.find(put->digest);
  REQUIRE(path.has_value());
  CHECK(read_file(*path, 100).value() == "hello");
  CHECK(artifacts.verify(put->digest).value() == 5);
  CHECK(artifacts.find(sha256("other")).error().code == ErrorCode::not_found);
  CHECK(artifacts.verify(sha256("other")).error().code == ErrorCode::not_found);
  CHECK(artifacts.list().value().size() == 1);
  CHECK(artifacts.bytes().value() == 5);
  // The same contents again are the same artifact.
  REQUIRE(artifacts.put("hello").has_value());
  CHECK(artifacts.bytes().value() == 5);
  REQUIRE(artifacts.remove(put->digest).has_value());
  CHECK(artifacts.bytes().value() == 0);
  CHECK(artifacts.remove(put->digest).error().code == ErrorCode::not_found);
}

TEST_CASE("a file becomes an artifact by copy or by link", "[store][artifacts]") {
  const TemporaryFolder folder;
  ArtifactStore artifacts(folder.path() / "artifacts");
  const std::string contents(700'000, 'x');
  const fs::path source = folder.path() / "out.log";
  REQUIRE(write_file_atomic(source, contents).has_value());
  const auto transfer = GENERATE(ArtifactTransfer::copy, ArtifactTransfer::link);
  const auto put = artifacts.put_file(source, transfer);
  REQUIRE(put.has_value());
  CHECK(put->digest == sha256(contents));
  CHECK(put->bytes == contents.size());
  CHECK(artifacts.verify(put->digest).has_value());
  CHECK(fs::exists(source));
  // Nothing temporary stays.
  CHECK(fs::is_empty(folder.path() / "artifacts/tmp"));
  CHECK(artifacts.put_file(folder.path() / "none").error().code == ErrorCode::not_found);
  CHECK(artifacts.put_file(folder.path()).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a changed artifact is noticed, and healed by putting it again", "[store][artifacts]") {
  const TemporaryFolder folder;
  ArtifactStore artifacts(folder.path() / "artifacts");
  const auto put = artifacts.put("evidence");
  REQUIRE(put.has_value());
  const fs::path path = artifacts.path_of(put->digest);
  fs::permissions(path, fs::perms::owner_all);
  std::ofstream(path) << "evidenze";
  const auto damaged = artifacts.verify(put->digest);
  REQUIRE(!damaged.has_value());
  CHECK(damaged.error().code == ErrorCode::corrupt);
  CHECK(damaged.error().message.find(path.native()) != std::string::npos);
  REQUIRE(artifacts.put("evidence").has_value());
  CHECK(artifacts.verify(put->digest).has_value());
}

TEST_CASE("a full quota refuses artifacts with no_space and keeps the rest", "[store][artifacts]") {
  const TemporaryFolder folder;
  ArtifactStore artifacts(folder.path() / "artifacts", 10);
  REQUIRE(artifacts.put("12345678").has_value());
  const auto refused = artifacts.put("abc");
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == ErrorCode::no_space);
  CHECK(artifacts.put("ab").has_value());
  CHECK(artifacts.bytes().value() == 10);
  // A store opened later counts what is there.
  ArtifactStore later(folder.path() / "artifacts", 10);
  CHECK(later.put("x").error().code == ErrorCode::no_space);
}

TEST_CASE("what a crash left behind is removed", "[store][artifacts]") {
  const TemporaryFolder folder;
  ArtifactStore artifacts(folder.path() / "artifacts");
  REQUIRE(artifacts.put("a").has_value());
  std::ofstream(folder.path() / "artifacts/tmp/123.0") << "half";
  CHECK(artifacts.list().value().size() == 1);
  REQUIRE(artifacts.remove_leftovers().has_value());
  CHECK(fs::is_empty(folder.path() / "artifacts/tmp"));
  CHECK(artifacts.list().value().size() == 1);
}
