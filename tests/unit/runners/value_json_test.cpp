#include "engine/runners/local/value_json.h"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "engine/cel/type.h"
#include "engine/runners/local/attempt_folder.h"

namespace checkride {

namespace {

cel::Map map_of(std::vector<cel::MapEntry> entries) {
  return cel::Map::from_entries(std::move(entries)).value();
}

// Through text and back.
cel::Value round(const cel::Value& value) {
  const auto json = parse_json(boost::json::serialize(value_to_json(value)));
  REQUIRE(json);
  const auto back = value_from_json(*json);
  REQUIRE(back);
  return *back;
}

}  // namespace

TEST_CASE("every kind of value reads back to the same bits", "[runners]") {
  const auto value = GENERATE_COPY(values({
      cel::Value(),
      cel::Value(true),
      cel::Value(std::int64_t{-1}),
      cel::Value(std::numeric_limits<std::int64_t>::min()),
      cel::Value(std::uint64_t{1}),
      cel::Value(std::numeric_limits<std::uint64_t>::max()),
      cel::Value(1.0),
      cel::Value(0.1),
      cel::Value(-0.0),
      cel::Value(std::numeric_limits<double>::denorm_min()),
      cel::Value(std::numeric_limits<double>::infinity()),
      cel::Value(-std::numeric_limits<double>::infinity()),
      cel::Value(std::numeric_limits<double>::quiet_NaN()),
      cel::Value("plain \"quoted\" \n \x01 \xc3\xa9"),
      cel::Value(std::string("nul \0 and \xff no utf-8", 22)),
      cel::Value(cel::Bytes{std::string("\0\xff", 2)}),
      cel::Value(Timestamp{1234567890123456789}),
      cel::Value(Duration(-5)),
      cel::Value::optional_none(),
      cel::Value::optional_of(cel::Value(std::uint64_t{3})),
      cel::Value(cel::Type::list(cel::Type::integer())),
      cel::Value(cel::List{cel::Value(1), cel::Value("u"), cel::Value()}),
      cel::Value(map_of({{cel::Value(true), cel::Value(1.5)},
                         {cel::Value(std::uint64_t{7}), cel::Value(cel::List{})},
                         {cel::Value("m"), cel::Value(cel::Map{})}})),
  }));
  CHECK(round(value) == value);
}

TEST_CASE("a damaged value is refused", "[runners]") {
  const auto text = GENERATE(
      values<std::string>({R"({"d":"1.5x"})", R"({"u":"-1"})", R"({"b":"0"})", R"({"m":[[1]]})",
                           R"({"m":[[1,2],[1,3]]})", R"({"x":"1"})", R"({"t":"1"})",
                           R"({"d":"1","u":"1"})", "1.5", R"({"o":[1,2]})"}));
  const auto json = parse_json(text);
  REQUIRE(json);
  CHECK_FALSE(value_from_json(*json));
}

TEST_CASE("text that is no JSON, or nests without end, is an error", "[runners]") {
  CHECK_FALSE(parse_json("{"));
  CHECK_FALSE(parse_json("1 2"));
  CHECK_FALSE(parse_json(std::string(100000, '[')));
}

namespace {

JobSpec full_spec() {
  JobSpec spec;
  spec.token = Token("run.12");
  spec.run = RunId("run.3");
  spec.root = RunId("run");
  spec.state = "build";
  spec.kind = "shell";
  spec.kind_version = 4;
  spec.inputs = map_of({{cel::Value("a"), cel::Value(1)}, {cel::Value("b"), cel::Value(1.0)}});
  spec.expect = {{0, 3, -1}, {"ok", "\xff\xfe"}, {"FATAL"}, {"out.txt"}};
  spec.parse = {{"t", cel::Type::floating(), "t=(.*)", "", ""},
                {"n", cel::Type::integer(), "", "r.json", "/a/0"}};
  spec.limits = {std::chrono::seconds(5), std::chrono::milliseconds(1), ~0ULL,
                 std::chrono::hours(1),   std::chrono::seconds(2),      std::chrono::minutes(3)};
  spec.needs = {{{"gpu", 2}, {"port", 1}}, true};
  spec.leased = {{"gpu", "GPU-1"}, {"port", "8001"}};
  spec.secrets = {"TOKEN"};
  spec.folder = "/somewhere/with \"quotes\"";
  return spec;
}

}  // namespace

TEST_CASE("specs, identities and outcomes read back equal", "[runners]") {
  CHECK(spec_from_json(spec_to_json(full_spec())).value() == full_spec());
  CHECK(spec_from_json(spec_to_json(JobSpec{})).value() == JobSpec{});

  const ProcessIdentity identity{"host", "boot", 12, 34, 56, ~0ULL, Timestamp{78}};
  CHECK(identity_from_json(identity_to_json(identity)).value() == identity);

  JobOutcome outcome;
  outcome.status = JobStatus::fail;
  outcome.failure = FailureClass::flaky;
  outcome.completed = true;
  outcome.cancelled = true;
  outcome.never_started = true;
  outcome.result = cel::Value(map_of({{cel::Value("x"), cel::Value(std::uint64_t{2})}}));
  outcome.message = "a message";
  outcome.exit_code = 3;
  outcome.signal = 9;
  outcome.artifacts = {{"stdout", sha256("x"), 1}};
  outcome.facts = {{"test.passed", map_of({{cel::Value("name"), cel::Value("t")}})}};
  outcome.limit = TimeLimit::silence;
  outcome.started = Timestamp{1};
  outcome.ended = Timestamp{2};
  const Token token("run.1");
  CHECK(outcome_from_json(token, outcome_to_json(token, outcome)).value() == outcome);
  CHECK(outcome_from_json(token, outcome_to_json(token, JobOutcome{})).value() == JobOutcome{});
  CHECK_FALSE(outcome_from_json(Token("run.2"), outcome_to_json(token, outcome)));
}

// Specs of attempts begun before these existed lack them; they are read as without.
const std::set<std::string> later_fields = {
    "queue_timeout_ns", "start_timeout_ns", "silence_timeout_ns", "needs", "exclusive", "leased"};

TEST_CASE("a spec with any field missing or changed in kind is corrupt", "[runners]") {
  const auto json = parse_json(spec_to_json(full_spec()));
  REQUIRE(json);
  for (const auto& field : json->get_object()) {
    boost::json::object without = json->get_object();
    without.erase(field.key());
    INFO(std::string(field.key()));
    CHECK(spec_from_json(boost::json::serialize(without)).has_value() ==
          later_fields.contains(std::string(field.key())));
    without[field.key()] = boost::json::object{{"not", "this"}};
    CHECK_FALSE(spec_from_json(boost::json::serialize(without)));
  }
}

}  // namespace checkride
