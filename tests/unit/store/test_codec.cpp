#include <catch2/catch.hpp>

#include "random_values.h"
#include "store/codec/codec.h"

using namespace checkride;
using checkride::testing::RandomValues;

namespace {

constexpr std::uint64_t seeds = 40;

Record random_record(RandomValues& random, const Event& event) {
  Record record = random.make<Record>();
  record.run = RunId("run-1");
  record.first = Sequence(1 + random.below(1000));
  record.chain = Digest{};
  record.build.clear();
  record.events.push_back(event);
  return record;
}

template <class T>
std::string text(const Result<T>& result) {
  return result ? std::string() : result.error().text();
}

}  // namespace

TEST_CASE("every event comes back from its bytes as it was", "[store][codec]") {
  for (std::size_t index = 0; index < std::variant_size_v<Event>; ++index)
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      RandomValues random(seed * 1000 + index);
      const Event event = random.alternative<Event>(index);
      CAPTURE(index, seed);
      REQUIRE(event.index() == index);
      Record record = random_record(random, event);
      const auto encoded = codec::encode_record(record, 7);
      INFO(text(encoded));
      REQUIRE(encoded.has_value());
      const auto decoded = codec::decode_record(encoded->value, record.run, record.first);
      INFO(text(decoded));
      REQUIRE(decoded.has_value());
      CHECK(decoded->build == 7);
      CHECK(decoded->record.chain == encoded->chain);
      record.chain = encoded->chain;
      REQUIRE(decoded->record == record);
      // Equal contents are equal bytes.
      const auto again = codec::encode_record(decoded->record, 7);
      REQUIRE(again.has_value());
      REQUIRE(again->value == encoded->value);
    }
}

TEST_CASE("every command comes back inside its rejection", "[store][codec]") {
  for (std::size_t index = 0; index < std::variant_size_v<CommandBody>; ++index)
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      RandomValues random(seed * 100 + index);
      CommandRejected rejected = random.make<CommandRejected>();
      rejected.command = random.alternative<CommandBody>(index);
      const Record record = random_record(random, rejected);
      const auto encoded = codec::encode_record(record, 0);
      REQUIRE(encoded.has_value());
      const auto decoded = codec::decode_record(encoded->value, record.run, record.first);
      REQUIRE(decoded.has_value());
      REQUIRE(decoded->record.events == record.events);
    }
}

TEST_CASE("states, heads, definitions and search rows come back as they were", "[store][codec]") {
  static_assert(boost::pfr::tuple_size_v<RunState> == 35);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    RandomValues random(seed);
    const auto state = random.make<RunState>();
    const Digest chain = random.make<Digest>();
    const auto snapshot = codec::encode_snapshot(state, chain);
    INFO(text(snapshot));
    REQUIRE(snapshot.has_value());
    const auto restored = codec::decode_snapshot(*snapshot, state.run, state.last);
    INFO(text(restored));
    REQUIRE(restored.has_value());
    REQUIRE(restored->state == state);
    CHECK(restored->chain == chain);
    CHECK(restored->state_digest == codec::state_digest(state).value());
    REQUIRE(codec::encode_state(restored->state).value() == codec::encode_state(state).value());

    const auto head = random.make<RunHead>();
    REQUIRE(codec::decode_head(codec::encode_head(head).value()).value() == head);

    const auto definition = random.make<StoredDefinition>();
    const auto definition_back =
        codec::decode_definition(codec::encode_definition(definition).value());
    REQUIRE(definition_back.has_value());
    CHECK(definition_back->source == definition.source);
    CHECK(definition_back->hash == definition.hash);

    const auto row = random.make<SearchRow>();
    const auto row_back = codec::decode_search_row(codec::encode_search_row(row).value());
    REQUIRE(row_back.has_value());
    CHECK(row_back->fact == row.fact);
    CHECK(row_back->sequence == row.sequence);
  }
}

TEST_CASE("values keep kind and bits", "[store][codec]") {
  const double quiet = std::bit_cast<double>(0x7FF8000000001234ULL);
  cel::Map empty_key;
  empty_key.set("", cel::Value(1));
  const std::vector<cel::Value> values = {cel::Value(quiet),
                                          cel::Value(-0.0),
                                          cel::Value(std::uint64_t{1}),
                                          cel::Value(true),
                                          cel::Value(std::string("a\0b", 3)),
                                          cel::Value(cel::Map()),
                                          cel::Value(cel::List()),
                                          cel::Value(""),
                                          cel::Value(cel::Bytes{}),
                                          cel::Value(empty_key),
                                          cel::Value(cel::List(1000, cel::Value())),
                                          cel::Value::optional_none(),
                                          cel::Value::optional_of(cel::Value())};
  for (const cel::Value& value : values) {
    const auto bytes = codec::encode_value(value);
    REQUIRE(bytes.has_value());
    const auto back = codec::decode_value(*bytes);
    REQUIRE(back.has_value());
    CHECK(*back == value);
  }
}

TEST_CASE("a changed byte of a record never passes, and damage within an event names it",
          "[store][codec]") {
  Record record;
  record.run = RunId("run-1");
  record.first = Sequence(12);
  record.events = {RunCancelRequested{CancelRun{"a reason long enough"}},
                   DataAssigned{"name", cel::Value("a value to be damaged")}};
  const std::string value = codec::encode_record(record, 1).value().value;
  bool named = false;
  for (std::size_t at = 0; at < value.size(); ++at)
    for (const int bit : {0, 3, 7}) {
      std::string damaged = value;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto decoded = codec::decode_record(damaged, record.run, record.first);
      REQUIRE(!decoded.has_value());
      REQUIRE(decoded.error().code == ErrorCode::corrupt);
      REQUIRE(decoded.error().message.find("sequence 12 of run 'run-1'") != std::string::npos);
      named = named || decoded.error().message.find("event 13 (DataAssigned)") != std::string::npos;
    }
  CHECK(named);
}

TEST_CASE("a record is not taken for that of another place", "[store][codec]") {
  Record record;
  record.run = RunId("a");
  record.first = Sequence(1);
  record.events = {EventTaken{}};
  const std::string value = codec::encode_record(record, 1).value().value;
  CHECK(codec::decode_record(value, RunId("a"), Sequence(1)).has_value());
  CHECK(codec::decode_record(value, RunId("b"), Sequence(1)).error().code == ErrorCode::corrupt);
  CHECK(codec::decode_record(value, RunId("a"), Sequence(2)).error().code == ErrorCode::corrupt);
}

TEST_CASE("damaged bytes under a right checksum are refused or read, never worse",
          "[store][codec]") {
  // Values carry no checksum of their own, so these bytes reach the reader as they are.
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    RandomValues random(seed);
    std::string bytes = codec::encode_value(random.value()).value();
    for (std::uint64_t i = 1 + random.below(4); i > 0; --i)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    if (random.below(4) == 0) bytes.resize(random.below(bytes.size() / 8 + 1) * 8);
    const auto value = codec::decode_value(bytes);
    if (!value) CHECK(value.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("short and foreign bytes are corrupt", "[store][codec]") {
  const RunId run("a");
  for (const std::string& bytes :
       {std::string(), std::string("CRR1"), std::string("CRR1....CRR1"), std::string(200, 'x')}) {
    CHECK(codec::decode_record(bytes, run, Sequence(1)).error().code == ErrorCode::corrupt);
    CHECK(codec::decode_snapshot(bytes, run, Sequence(1)).error().code == ErrorCode::corrupt);
    CHECK(codec::decode_head(bytes).error().code == ErrorCode::corrupt);
    CHECK(codec::decode_definition(bytes).error().code == ErrorCode::corrupt);
    CHECK(codec::decode_search_row(bytes).error().code == ErrorCode::corrupt);
  }
}
