#include "cli/owner/server.h"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <deque>

#include "cli/owner/wire.h"
#include "store/codec/codec.h"
#include "store/codec/command.h"

namespace checkride::cli {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

namespace {

constexpr std::size_t reply_bytes = 1 << 20;      // a long answer is cut into replies of about this
constexpr std::size_t waiting_bytes_max = 256U << 20;

template <class Fill>
std::string reply_frame(Fill&& fill) {
  capnp::MallocMessageBuilder message;
  auto reply = message.initRoot<schema::Reply>();
  reply.setVersion(protocol_version);
  fill(reply);
  return to_frame(message);
}

std::string error_frame(const Error& error) {
  return reply_frame([&](schema::Reply::Builder reply) {
    auto failure = reply.initError();
    failure.setCode(static_cast<std::uint16_t>(error.code));
    failure.setMessage(error.text());
  });
}

struct Part {
  std::string key;
  std::uint64_t sequence = 0;
  std::string value;
  std::string build;
};

std::string items_frame(const std::vector<Part>& parts, bool more) {
  return reply_frame([&](schema::Reply::Builder reply) {
    reply.setMore(more);
    auto items = reply.initItems(static_cast<unsigned>(parts.size()));
    for (unsigned i = 0; i < parts.size(); ++i) {
      items[i].setKey(parts[i].key);
      items[i].setSequence(parts[i].sequence);
      items[i].setValue(capnp::Data::Reader(
          reinterpret_cast<const kj::byte*>(parts[i].value.data()), parts[i].value.size()));
      items[i].setBuild(parts[i].build);
    }
  });
}

std::string user_name(uid_t uid) {
  const passwd* entry = ::getpwuid(uid);
  return entry != nullptr ? entry->pw_name : "uid " + std::to_string(uid);
}

}  // namespace

class OwnerServer::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(OwnerServer& server, Socket socket) : server_(server), socket_(std::move(socket)) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
      uid_ = peer.uid;
  }

  void start() {
    if (uid_ != ::getuid() && uid_ != 0) return end();
    read_length();
  }

  void end() {
    if (ended_) return;
    ended_ = true;
    if (followed_) {
      server_.runtime_.stop_driving(*followed_);
      if (server_.driving_) server_.driving_(*followed_, false);
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
    server_.sessions_.erase(shared_from_this());
  }

  void notify(const Record& record, const RunState& state) {
    if (!followed_ || state.start.root != *followed_) return;
    send(reply_frame([&](schema::Reply::Builder reply) {
      auto moved = reply.initMoved();
      moved.setRun(record.run.value);
      moved.setSequence(record.last().value);
    }));
    const auto self = shared_from_this();
    asio::post(server_.io_, [self] { self->tell_rest(); });
  }

  void tell_rest() {
    if (ended_ || !followed_) return;
    const bool rest = server_.runtime_.at_rest(*followed_);
    if (rest && !resting_)
      send(reply_frame([](schema::Reply::Builder reply) { reply.setRest(); }));
    resting_ = rest;
  }

  bool following() const { return followed_.has_value(); }

 private:
  void read_length() {
    const auto self = shared_from_this();
    asio::async_read(socket_, asio::buffer(length_),
                     [self](const boost::system::error_code& failed, std::size_t) {
                       if (failed) return self->end();
                       std::uint32_t bytes = 0;
                       for (std::size_t i = 0; i < 4; ++i)
                         bytes |= static_cast<std::uint32_t>(
                                      static_cast<unsigned char>(self->length_[i]))
                                  << (8 * i);
                       if (bytes == 0 || bytes > frame_bytes_max) return self->end();
                       self->body_.resize(bytes);
                       self->read_body();
                     });
  }

  void read_body() {
    const auto self = shared_from_this();
    asio::async_read(socket_, asio::buffer(body_),
                     [self](const boost::system::error_code& failed, std::size_t) {
                       if (failed) return self->end();
                       const Result<void> handled = open_frame<schema::Request>(
                           self->body_, [&](schema::Request::Reader request) -> Result<void> {
                             return self->handle(request);
                           });
                       if (!handled) self->send(error_frame(handled.error()));
                       if (!self->ended_) self->read_length();
                     });
  }

  Result<void> handle(schema::Request::Reader request) {
    if (request.getVersion() != protocol_version)
      return fail(ErrorCode::unsupported,
                  "the owner of this store speaks protocol " + std::to_string(protocol_version) +
                      ", not " + std::to_string(request.getVersion()) +
                      "; use the same program for both");
    EventLog& log = server_.log_;
    switch (request.which()) {
      case schema::Request::HEADS: {
        CR_TRY(const std::vector<RunHead> heads, log.heads());
        std::vector<Part> parts;
        std::size_t bytes = 0;
        for (const RunHead& head : heads) {
          CR_TRY(std::string value, codec::encode_head(head));
          bytes += value.size();
          parts.push_back(Part{head.run.value, 0, std::move(value), {}});
          if (bytes < reply_bytes) continue;
          send(items_frame(parts, true));
          parts.clear();
          bytes = 0;
        }
        send(items_frame(parts, false));
        return {};
      }
      case schema::Request::HEAD: {
        CR_TRY(const std::optional<RunHead> head, log.head(RunId(request.getHead())));
        std::vector<Part> parts;
        if (head) {
          CR_TRY(std::string value, codec::encode_head(*head));
          parts.push_back(Part{head->run.value, 0, std::move(value), {}});
        }
        send(items_frame(parts, false));
        return {};
      }
      case schema::Request::READ: return send_records(request.getRead());
      case schema::Request::SNAPSHOT: {
        const auto range = request.getSnapshot();
        const RunId run{std::string(range.getRun())};
        CR_TRY(const std::optional<Snapshot> snapshot,
               log.snapshot(run, Sequence(range.getSequence())));
        std::vector<Part> parts;
        if (snapshot) {
          CR_TRY(std::string value, codec::encode_snapshot(snapshot->state, snapshot->chain));
          parts.push_back(Part{run.value, snapshot->last.value, std::move(value), {}});
        }
        send(items_frame(parts, false));
        return {};
      }
      case schema::Request::DEFINITION: {
        Digest hash;
        const auto data = request.getDefinition();
        if (data.size() != hash.bytes.size())
          return fail(ErrorCode::invalid_argument, "a definition's hash has 32 bytes");
        std::copy(data.begin(), data.end(), hash.bytes.begin());
        CR_TRY(const std::optional<StoredDefinition> definition, log.definition(hash));
        std::vector<Part> parts;
        if (definition) {
          CR_TRY(std::string value, codec::encode_definition(*definition));
          parts.push_back(Part{{}, 0, std::move(value), {}});
        }
        send(items_frame(parts, false));
        return {};
      }
      case schema::Request::FIND: {
        const auto find = request.getFind();
        CR_TRY(const std::vector<SearchRow> rows,
               log.find(find.getFactType(), std::min<std::uint64_t>(find.getCountMax(), 1 << 20)));
        std::vector<Part> parts;
        for (const SearchRow& row : rows) {
          CR_TRY(std::string value, codec::encode_search_row(row));
          parts.push_back(Part{row.run.value, row.sequence.value, std::move(value), {}});
        }
        send(items_frame(parts, false));
        return {};
      }
      case schema::Request::STORE_DEFINITION: {
        const auto data = request.getStoreDefinition();
        CR_TRY(const StoredDefinition definition,
               codec::decode_definition(std::string_view(
                   reinterpret_cast<const char*>(data.begin()), data.size())));
        CR_CHECK(log.store_definition(definition));
        send(reply_frame([](schema::Reply::Builder reply) { reply.setOk(); }));
        return {};
      }
      case schema::Request::SUBMIT: return submit(request.getSubmit());
      case schema::Request::FOLLOW: {
        const RunId root{std::string(request.getFollow())};
        if (followed_) return fail(ErrorCode::invalid_argument, "this connection follows already");
        CR_CHECK(server_.runtime_.drive(root));
        followed_ = root;
        if (server_.driving_) server_.driving_(root, true);
        const auto self = shared_from_this();
        asio::post(server_.io_, [self] { self->tell_rest(); });
        return {};
      }
      case schema::Request::DRIVEN: {
        std::vector<Part> parts;
        for (const RunId& root : server_.runtime_.driven())
          parts.push_back(Part{root.value, 0, {}, {}});
        send(items_frame(parts, false));
        return {};
      }
      case schema::Request::VERIFY: {
        const std::string run = request.getVerify();
        CR_TRY(const VerifyReport report,
               server_.verify_(run.empty() ? std::nullopt : std::optional(RunId(run))));
        send(reply_frame([&](schema::Reply::Builder reply) {
          auto verified = reply.initVerified();
          verified.setRuns(report.runs);
          verified.setRecords(report.records);
          verified.setEvents(report.events);
          verified.setBytes(report.bytes);
          verified.setSnapshots(report.snapshots);
          verified.setArtifacts(report.artifacts);
          verified.setTook(report.took.count());
          auto problems = verified.initProblems(static_cast<unsigned>(report.problems.size()));
          for (unsigned i = 0; i < report.problems.size(); ++i) problems.set(i, report.problems[i]);
        }));
        return {};
      }
    }
    return fail(ErrorCode::unsupported, "the owner of this store does not know this request");
  }

  Result<void> send_records(schema::Range::Reader range) {
    const RunId run{std::string(range.getRun())};
    std::vector<Part> parts;
    std::size_t bytes = 0;
    std::optional<Error> failed;
    CR_CHECK(server_.log_.read(run, Sequence(range.getSequence()), [&](const Record& record) {
      auto encoded = codec::encode_record(record, 0);
      if (!encoded) {
        failed = encoded.error();
        return false;
      }
      bytes += encoded->value.size();
      parts.push_back(
          Part{run.value, record.first.value, std::move(encoded->value), record.build});
      if (bytes >= reply_bytes) {
        send(items_frame(parts, true));
        parts.clear();
        bytes = 0;
      }
      return !ended_;
    }));
    if (failed) return tl::unexpected(std::move(*failed));
    send(items_frame(parts, false));
    return {};
  }

  Result<void> submit(schema::Submit::Reader request) {
    Command command;
    command.id = CommandId(std::string(request.getId()));
    command.run = RunId(std::string(request.getRun()));
    const std::string claimed = request.getClaimed();
    command.actor = claimed.empty() ? Actor{Actor::Kind::local, user_name(uid_)}
                                    : Actor{Actor::Kind::claimed, claimed};
    command.time = server_.clock_.now();
    command.monotonic = server_.clock_.monotonic();
    codec::Trouble trouble;
    codec::read(request.getBody(), command.body, trouble);
    if (trouble) return fail(ErrorCode::invalid_argument, "the command is damaged: " + trouble.what);
    const auto self = shared_from_this();
    server_.runtime_.submit(std::move(command), [self](const CommandReply& answer) {
      if (answer.error) return self->send(error_frame(*answer.error));
      self->send(reply_frame([&](schema::Reply::Builder reply) {
        auto to = reply.initAnswer();
        to.setAccepted(answer.accepted);
        to.setRepeated(answer.repeated);
        to.setSequence(answer.sequence.value);
        to.setReason(answer.reason);
      }));
    });
    return {};
  }

  void send(std::string frame) {
    if (ended_) return;
    waiting_bytes_ += frame.size();
    if (waiting_bytes_ > waiting_bytes_max) return end();  // a client that does not read is let go
    waiting_.push_back(std::move(frame));
    if (waiting_.size() == 1) write_front();
  }

  void write_front() {
    const auto self = shared_from_this();
    asio::async_write(socket_, asio::buffer(waiting_.front()),
                      [self](const boost::system::error_code& failed, std::size_t) {
                        if (failed) return self->end();
                        self->waiting_bytes_ -= self->waiting_.front().size();
                        self->waiting_.pop_front();
                        if (!self->waiting_.empty()) self->write_front();
                      });
  }

  OwnerServer& server_;
  Socket socket_;
  uid_t uid_ = static_cast<uid_t>(-1);
  std::array<char, 4> length_{};
  std::string body_;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::optional<RunId> followed_;
  bool resting_ = false;
  bool ended_ = false;
};

OwnerServer::OwnerServer(asio::io_context& io, Runtime& runtime, EventLog& log, Clock& clock,
                         Verify verify)
    : io_(io), runtime_(runtime), log_(log), clock_(clock), verify_(std::move(verify)) {
  runtime_.observe([this](const Record& record, const RunState& state) { notify(record, state); });
}

OwnerServer::~OwnerServer() { close(); }

Result<void> OwnerServer::listen(const std::filesystem::path& path) {
  ::unlink(path.c_str());
  try {
    const mode_t before = ::umask(0177);
    acceptor_.emplace(io_, asio::local::stream_protocol::endpoint(path.native()));
    ::umask(before);
  } catch (const std::exception& e) {
    return fail(ErrorCode::io, "cannot listen on '" + path.native() + "': " + e.what());
  }
  path_ = path;
  accept();
  return {};
}

void OwnerServer::close() {
  if (!acceptor_) return;
  acceptor_.reset();
  ::unlink(path_.c_str());
  const auto sessions = sessions_;
  for (const auto& session : sessions) session->end();
}

std::size_t OwnerServer::followers() const {
  std::size_t count = 0;
  for (const auto& session : sessions_)
    if (session->following()) ++count;
  return count;
}

void OwnerServer::accept() {
  acceptor_->async_accept([this](const boost::system::error_code& failed, Socket socket) {
    if (!acceptor_) return;
    if (!failed) {
      const auto session = std::make_shared<Session>(*this, std::move(socket));
      sessions_.insert(session);
      session->start();
    }
    if (failed != asio::error::operation_aborted) accept();
  });
}

void OwnerServer::notify(const Record& record, const RunState& state) {
  const auto sessions = sessions_;
  for (const auto& session : sessions) session->notify(record, state);
}

}  // namespace checkride::cli
