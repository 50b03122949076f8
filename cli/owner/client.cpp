#include "cli/owner/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/codec/codec.h"
#include "store/codec/command.h"

namespace checkride::cli {

namespace {

constexpr int idle_every_ms = 100;

tl::unexpected<Error> gone() {
  return fail(ErrorCode::unavailable, "the process that owned the store is gone");
}

std::string_view bytes_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

Error error_of(schema::Failure::Reader failure) {
  return Error{static_cast<ErrorCode>(failure.getCode()), failure.getMessage(), {}};
}

}  // namespace

Result<std::unique_ptr<OwnerClient>> OwnerClient::connect(const std::filesystem::path& path) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("open a socket for", path.native());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return fail(ErrorCode::io, "the socket path '" + path.native() + "' is too long");
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(ErrorCode::unavailable, "nobody listens on '" + path.native() + "'");
  return std::unique_ptr<OwnerClient>(new OwnerClient(std::move(socket)));
}

template <class Fill>
Result<void> OwnerClient::ask(Fill&& fill) const {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<schema::Request>();
  request.setVersion(protocol_version);
  fill(request);
  const std::string frame = to_frame(message);
  std::size_t sent = 0;
  while (sent < frame.size()) {
    const ssize_t put =
        ::send(socket_.get(), frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return gone();
    sent += static_cast<std::size_t>(put);
  }
  return {};
}

Result<std::string> OwnerClient::receive() const {
  const auto exactly = [&](char* to, std::size_t count) -> Result<void> {
    std::size_t got = 0;
    while (got < count) {
      const ssize_t n = ::recv(socket_.get(), to + got, count - got, 0);
      if (n < 0 && errno == EINTR) return fail(ErrorCode::timeout, "interrupted");
      if (n <= 0) return gone();
      got += static_cast<std::size_t>(n);
    }
    return {};
  };
  std::array<char, 4> head{};
  CR_CHECK(exactly(head.data(), head.size()));
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i)
    length |= static_cast<std::uint32_t>(static_cast<unsigned char>(head[i])) << (8 * i);
  if (length == 0 || length > frame_bytes_max)
    return fail(ErrorCode::corrupt, "the owner's answer has an impossible length");
  std::string body(length, '\0');
  CR_CHECK(exactly(body.data(), body.size()));
  return body;
}

Result<void> OwnerClient::items(
    const std::function<Result<bool>(schema::Item::Reader)>& each) const {
  bool more = true;
  bool wanted = true;
  while (more) {
    CR_TRY(const std::string body, receive());
    CR_CHECK(open_frame<schema::Reply>(body, [&](schema::Reply::Reader reply) -> Result<void> {
      if (reply.isError()) return tl::unexpected(error_of(reply.getError()));
      if (!reply.isItems()) return fail(ErrorCode::corrupt, "the owner's answer is out of order");
      more = reply.getMore();
      for (const auto item : reply.getItems()) {
        if (!wanted) break;
        CR_TRY(wanted, each(item));
      }
      return {};
    }));
  }
  return {};
}

Result<std::vector<RunHead>> OwnerClient::heads() const {
  CR_CHECK(ask([](schema::Request::Builder request) { request.setHeads(); }));
  std::vector<RunHead> heads;
  CR_CHECK(items([&](schema::Item::Reader item) -> Result<bool> {
    CR_TRY(RunHead head, codec::decode_head(bytes_of(item.getValue())));
    heads.push_back(std::move(head));
    return true;
  }));
  return heads;
}

Result<std::optional<RunHead>> OwnerClient::head(const RunId& run) const {
  CR_CHECK(ask([&](schema::Request::Builder request) { request.setHead(run.value); }));
  std::optional<RunHead> head;
  CR_CHECK(items([&](schema::Item::Reader item) -> Result<bool> {
    CR_TRY(head, codec::decode_head(bytes_of(item.getValue())));
    return true;
  }));
  return head;
}

Result<void> OwnerClient::read(const RunId& run, Sequence from,
                               const std::function<bool(const Record&)>& each) const {
  CR_CHECK(ask([&](schema::Request::Builder request) {
    auto range = request.initRead();
    range.setRun(run.value);
    range.setSequence(from.value);
  }));
  return items([&](schema::Item::Reader item) -> Result<bool> {
    CR_TRY(codec::DecodedRecord decoded,
           codec::decode_record(bytes_of(item.getValue()), run, Sequence(item.getSequence())));
    decoded.record.build = std::string(item.getBuild());
    return each(decoded.record);
  });
}

Result<std::optional<Snapshot>> OwnerClient::snapshot(const RunId& run, Sequence at_most) const {
  CR_CHECK(ask([&](schema::Request::Builder request) {
    auto range = request.initSnapshot();
    range.setRun(run.value);
    range.setSequence(at_most.value);
  }));
  std::optional<Snapshot> snapshot;
  CR_CHECK(items([&](schema::Item::Reader item) -> Result<bool> {
    CR_TRY(snapshot,
           codec::decode_snapshot(bytes_of(item.getValue()), run, Sequence(item.getSequence())));
    return true;
  }));
  return snapshot;
}

Result<std::optional<StoredDefinition>> OwnerClient::definition(const Digest& hash) const {
  CR_CHECK(ask([&](schema::Request::Builder request) {
    request.setDefinition(capnp::Data::Reader(hash.bytes.data(), hash.bytes.size()));
  }));
  std::optional<StoredDefinition> definition;
  CR_CHECK(items([&](schema::Item::Reader item) -> Result<bool> {
    CR_TRY(definition, codec::decode_definition(bytes_of(item.getValue())));
    return true;
  }));
  return definition;
}

Result<std::vector<SearchRow>> OwnerClient::find(const std::string& fact_type,
                                                 std::size_t count_max) const {
  CR_CHECK(ask([&](schema::Request::Builder request) {
    auto find = request.initFind();
    find.setFactType(fact_type);
    find.setCountMax(count_max);
  }));
  std::vector<SearchRow> rows;
  CR_CHECK(items([&](schema::Item::Reader item) -> Result<bool> {
    CR_TRY(SearchRow row, codec::decode_search_row(bytes_of(item.getValue())));
    rows.push_back(std::move(row));
    return true;
  }));
  return rows;
}

Result<std::set<RunId>> OwnerClient::driven() const {
  CR_CHECK(ask([](schema::Request::Builder request) { request.setDriven(); }));
  std::set<RunId> roots;
  CR_CHECK(items([&](schema::Item::Reader item) -> Result<bool> {
    roots.insert(RunId(std::string(item.getKey())));
    return true;
  }));
  return roots;
}

Result<void> OwnerClient::store_definition(const StoredDefinition& definition) {
  CR_TRY(const std::string value, codec::encode_definition(definition));
  CR_CHECK(ask([&](schema::Request::Builder request) {
    request.setStoreDefinition(capnp::Data::Reader(
        reinterpret_cast<const kj::byte*>(value.data()), value.size()));
  }));
  CR_TRY(const std::string body, receive());
  return open_frame<schema::Reply>(body, [](schema::Reply::Reader reply) -> Result<void> {
    if (reply.isError()) return tl::unexpected(error_of(reply.getError()));
    return {};
  });
}

Result<CommandReply> OwnerClient::submit(const CommandId& id, const RunId& run,
                                         const std::string& claimed, const CommandBody& body) {
  codec::Trouble trouble;
  CR_CHECK(ask([&](schema::Request::Builder request) {
    auto submit = request.initSubmit();
    submit.setId(id.value);
    submit.setRun(run.value);
    submit.setClaimed(claimed);
    codec::write(submit.initBody(), body, trouble);
  }));
  if (trouble) return fail(ErrorCode::invalid_argument, trouble.what);
  CR_TRY(const std::string answer, receive());
  CommandReply result;
  CR_CHECK(open_frame<schema::Reply>(answer, [&](schema::Reply::Reader reply) -> Result<void> {
    if (reply.isError()) return tl::unexpected(error_of(reply.getError()));
    const auto from = reply.getAnswer();
    result.accepted = from.getAccepted();
    result.repeated = from.getRepeated();
    result.sequence = Sequence(from.getSequence());
    result.reason = from.getReason();
    return {};
  }));
  return result;
}

Result<VerifyReport> OwnerClient::verify(const std::optional<RunId>& run) const {
  CR_CHECK(ask([&](schema::Request::Builder request) {
    request.setVerify(run ? run->value : std::string());
  }));
  CR_TRY(const std::string body, receive());
  VerifyReport report;
  CR_CHECK(open_frame<schema::Reply>(body, [&](schema::Reply::Reader reply) -> Result<void> {
    if (reply.isError()) return tl::unexpected(error_of(reply.getError()));
    const auto from = reply.getVerified();
    report.runs = from.getRuns();
    report.records = from.getRecords();
    report.events = from.getEvents();
    report.bytes = from.getBytes();
    report.snapshots = from.getSnapshots();
    report.artifacts = from.getArtifacts();
    report.took = Duration(from.getTook());
    for (const auto problem : from.getProblems()) report.problems.emplace_back(problem);
    return {};
  }));
  return report;
}

Result<void> OwnerClient::follow(const RunId& root,
                                 const std::function<void(const RunId&)>& moved,
                                 const std::function<bool()>& idle) {
  CR_CHECK(ask([&](schema::Request::Builder request) { request.setFollow(root.value); }));
  bool rest = false;
  while (!rest) {
    pollfd waiting{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, idle_every_ms);
    if (!idle()) return fail(ErrorCode::timeout, "interrupted");
    if (ready <= 0) continue;
    CR_TRY(const std::string body, receive());
    CR_CHECK(open_frame<schema::Reply>(body, [&](schema::Reply::Reader reply) -> Result<void> {
      if (reply.isError()) return tl::unexpected(error_of(reply.getError()));
      if (reply.isRest()) rest = true;
      if (reply.isMoved()) moved(RunId(std::string(reply.getMoved().getRun())));
      return {};
    }));
  }
  return {};
}

}  // namespace checkride::cli
