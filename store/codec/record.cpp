#include <span>

#include "store/codec/codec.h"
#include "store/codec/command.h"
#include "store/codec/event.h"
#include "store/codec/frame.h"
#include "store/codec/message.h"
#include "store/schema/record.capnp.h"

namespace checkride::codec {

namespace {

constexpr std::size_t record_header_bytes = frame_bytes + 32;  // frame and previous chain hash

std::uint32_t event_checksum(std::uint16_t type, std::uint16_t version, std::string_view body) {
  // Type and version first, so that a body cannot pass under another name.
  std::string bytes;
  bytes.reserve(4 + body.size());
  bytes.push_back(static_cast<char>(type & 0xFF));
  bytes.push_back(static_cast<char>(type >> 8));
  bytes.push_back(static_cast<char>(version & 0xFF));
  bytes.push_back(static_cast<char>(version >> 8));
  bytes.append(body);
  return crc32c(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

std::string event_body(const Event& event, Trouble& trouble) {
  return canonical_bytes(
      trouble, [&](capnp::MessageBuilder& message) { write_body(message, event, trouble); });
}

void write_record(schema::Record::Builder to, const Record& record, std::uint32_t build,
                  Trouble& trouble) {
  using B = schema::Record::Builder;
  // `previous` stands in front of the message, `chain` follows from both.
  const auto& [run, first, global, previous, chain, build_name, epoch, command, actor, time,
               monotonic, events] = record;
  put_text(to, &B::setRun, run);
  to.setFirst(first.value);
  to.setGlobal(global.value);
  to.setEpoch(epoch.value);
  to.setTime(time.ns);
  to.setMonotonic(monotonic.count());
  to.setBuild(build);
  put_text(to, &B::setCommand, command);
  write(to.initActor(), actor, trouble);
  auto list = to.initEvents(static_cast<unsigned>(events.size()));
  unsigned i = 0;
  for (const Event& event : events) {
    const std::string body = event_body(event, trouble);
    if (trouble) return;
    auto entry = list[i++];
    const auto type = static_cast<std::uint16_t>(type_of(event));
    entry.setType(type);
    entry.setVersion(event_version);
    entry.setChecksum(event_checksum(type, event_version, body));
    entry.setBody(
        capnp::Data::Reader(reinterpret_cast<const capnp::byte*>(body.data()), body.size()));
  }
}

std::string_view body_of(schema::Event::Reader event) {
  const auto body = event.getBody();
  return {reinterpret_cast<const char*>(body.begin()), body.size()};
}

// Names the first event whose checksum fails; nothing where all hold, so that the envelope is at
// fault.
std::optional<std::string> damaged_event(std::string_view message_bytes, Sequence first) {
  std::optional<std::string> found;
  Trouble trouble;
  open_message(message_bytes, trouble, [&](capnp::MessageReader& message) {
    std::uint64_t sequence = first.value;
    for (const auto event : message.getRoot<schema::Record>().getEvents()) {
      if (event_checksum(event.getType(), event.getVersion(), body_of(event)) !=
          event.getChecksum()) {
        found = "event " + std::to_string(sequence) + " (" + type_name(event.getType()) +
                ") does not match its checksum";
        return;
      }
      ++sequence;
    }
  });
  return found;
}

void read_event(schema::Event::Reader from, Sequence sequence, Event& event, Trouble& trouble) {
  open_message(body_of(from), trouble, [&](capnp::MessageReader& message) {
    read_body(message, from.getType(), from.getVersion(), event, trouble);
  });
  if (trouble)
    trouble.what = "event " + std::to_string(sequence.value) + " (" + type_name(from.getType()) +
                   "): " + trouble.what;
}

void read_record(schema::Record::Reader from, DecodedRecord& decoded, Trouble& trouble) {
  auto& [run, first, global, previous, chain, build_name, epoch, command, actor, time, monotonic,
         events] = decoded.record;
  read(from.getRun(), run, trouble);
  first.value = from.getFirst();
  global.value = from.getGlobal();
  epoch.value = from.getEpoch();
  time.ns = from.getTime();
  monotonic = Duration(from.getMonotonic());
  decoded.build = from.getBuild();
  read(from.getCommand(), command, trouble);
  read(from.getActor(), actor, trouble);
  const auto list = from.getEvents();
  if (list.size() == 0) return trouble.note("it holds no event");
  events.reserve(list.size());
  for (const auto entry : list) {
    if (trouble) return;
    const Sequence sequence(first.value + events.size());
    read_event(entry, sequence, events.emplace_back(), trouble);
  }
}

tl::unexpected<Error> damaged(const RunId& run, Sequence first, std::string_view what) {
  return fail(ErrorCode::corrupt, "the record at sequence " + std::to_string(first.value) +
                                      " of run '" + run.value +
                                      "' is damaged: " + std::string(what));
}

}  // namespace

Result<std::string> encode_event(const Event& event) {
  Trouble trouble;
  std::string bytes = event_body(event, trouble);
  if (trouble) return fail(ErrorCode::invalid_argument, "an event cannot be kept: " + trouble.what);
  return bytes;
}

Result<EncodedRecord> encode_record(const Record& record, std::uint32_t build) {
  Trouble trouble;
  const std::string bytes = canonical_bytes(trouble, [&](capnp::MessageBuilder& message) {
    write_record(message.initRoot<schema::Record>(), record, build, trouble);
  });
  if (trouble)
    return fail(ErrorCode::invalid_argument,
                "the record at sequence " + std::to_string(record.first.value) + " of run '" +
                    record.run.value + "' cannot be kept: " + trouble.what);
  EncodedRecord encoded;
  encoded.value = frame(record_magic, {view_of(record.previous), bytes});
  encoded.chain = sha256(std::string_view(encoded.value).substr(frame_bytes));
  return encoded;
}

Result<DecodedRecord> decode_record(std::string_view value, const RunId& run, Sequence first) {
  if (!has_magic(value, record_magic) || value.size() <= record_header_bytes)
    return damaged(run, first, "it does not begin as a record does");
  const std::string_view bytes = value.substr(record_header_bytes);
  if (!checksum_holds(value))
    return damaged(run, first, damaged_event(bytes, first).value_or("its checksum does not match"));
  DecodedRecord decoded;
  Trouble trouble;
  open_message(bytes, trouble, [&](capnp::MessageReader& message) {
    read_record(message.getRoot<schema::Record>(), decoded, trouble);
  });
  if (trouble) return damaged(run, first, trouble.what);
  if (decoded.record.run != run || decoded.record.first != first)
    return damaged(run, first,
                   "what stands there is the record at sequence " +
                       std::to_string(decoded.record.first.value) + " of run '" +
                       decoded.record.run.value + "'");
  decoded.record.previous = digest_of(value.substr(frame_bytes, 32));
  decoded.record.chain = sha256(value.substr(frame_bytes));
  return decoded;
}

}  // namespace checkride::codec
