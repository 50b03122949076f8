#include "store/codec/codec.h"

#include "store/codec/frame.h"
#include "store/codec/message.h"
#include "store/codec/rows.h"
#include "store/codec/state.h"
#include "store/codec/value.h"

namespace checkride::codec {

namespace {

// Canonical bytes of one struct, or why it cannot be written.
template <class Root, class T>
Result<std::string> bytes_of(const T& value, std::string_view what) {
  Trouble trouble;
  std::string bytes = canonical_bytes(trouble, [&](capnp::MessageBuilder& message) {
    write(message.initRoot<Root>(), value, trouble);
  });
  if (trouble)
    return fail(ErrorCode::invalid_argument,
                std::string(what) + " cannot be kept: " + trouble.what);
  return bytes;
}

template <class Root, class T>
Result<T> value_of(std::string_view bytes, std::string_view what) {
  T value;
  Trouble trouble;
  open_message(bytes, trouble, [&](capnp::MessageReader& message) {
    read(message.getRoot<Root>(), value, trouble);
  });
  if (trouble) return fail(ErrorCode::corrupt, std::string(what) + " is damaged: " + trouble.what);
  return value;
}

template <class Root, class T>
Result<std::string> encode_row(std::string_view magic, const T& value, std::string_view what) {
  CR_TRY(const std::string bytes, bytes_of<Root>(value, what));
  return frame(magic, {bytes});
}

Result<std::string_view> open_frame(std::string_view value, std::string_view magic,
                                    std::string_view what) {
  if (!has_magic(value, magic))
    return fail(ErrorCode::corrupt, std::string(what) + " is damaged: it begins differently");
  if (!checksum_holds(value))
    return fail(ErrorCode::corrupt, std::string(what) + " is damaged: its checksum does not match");
  return value.substr(frame_bytes);
}

template <class Root, class T>
Result<T> decode_row(std::string_view magic, std::string_view value, std::string_view what) {
  CR_TRY(const std::string_view bytes, open_frame(value, magic, what));
  return value_of<Root, T>(bytes, what);
}

}  // namespace

Result<std::string> encode_state(const RunState& state) {
  return bytes_of<schema::RunState>(state, "the state of run '" + state.run.value + "'");
}

Result<Digest> state_digest(const RunState& state) {
  CR_TRY(const std::string bytes, encode_state(state));
  return sha256(bytes);
}

Result<std::string> encode_snapshot(const RunState& state, const Digest& chain) {
  CR_TRY(const std::string bytes, encode_state(state));
  return frame(snapshot_magic, {view_of(chain), view_of(sha256(bytes)), bytes});
}

Result<Snapshot> decode_snapshot(std::string_view value, const RunId& run, Sequence last) {
  const std::string what =
      "the snapshot of run '" + run.value + "' at sequence " + std::to_string(last.value);
  CR_TRY(const std::string_view rest, open_frame(value, snapshot_magic, what));
  if (rest.size() <= 64) return fail(ErrorCode::corrupt, what + " is damaged: it is too short");
  const std::string_view bytes = rest.substr(64);
  Snapshot snapshot;
  snapshot.run = run;
  snapshot.last = last;
  snapshot.chain = digest_of(rest.substr(0, 32));
  snapshot.state_digest = digest_of(rest.substr(32, 32));
  if (sha256(bytes) != snapshot.state_digest)
    return fail(ErrorCode::corrupt, what + " is damaged: its digest does not match");
  CR_TRY(snapshot.state, value_of<schema::RunState, RunState>(bytes, what));
  if (snapshot.state.run != run || snapshot.state.last != last)
    return fail(ErrorCode::corrupt, what + " is damaged: it is that of another place");
  return snapshot;
}

Result<std::string> encode_head(const RunHead& head) {
  return encode_row<schema::RunHead>(head_magic, head, "the head of run '" + head.run.value + "'");
}
Result<RunHead> decode_head(std::string_view value) {
  return decode_row<schema::RunHead, RunHead>(head_magic, value, "a run's head");
}

Result<std::string> encode_definition(const StoredDefinition& definition) {
  return encode_row<schema::StoredDefinition>(definition_magic, definition,
                                              "the definition '" + definition.name + "'");
}
Result<StoredDefinition> decode_definition(std::string_view value) {
  return decode_row<schema::StoredDefinition, StoredDefinition>(definition_magic, value,
                                                                "a definition");
}

Result<std::string> encode_search_row(const SearchRow& row) {
  return encode_row<schema::SearchRow>(search_magic, row, "a fact of run '" + row.run.value + "'");
}
Result<SearchRow> decode_search_row(std::string_view value) {
  return decode_row<schema::SearchRow, SearchRow>(search_magic, value, "a search row");
}

Result<std::string> encode_value(const cel::Value& value) {
  return bytes_of<schema::Value>(value, "a value");
}
Result<cel::Value> decode_value(std::string_view bytes) {
  return value_of<schema::Value, cel::Value>(bytes, "a value");
}

}  // namespace checkride::codec
