#include "store/codec/command.h"
#include "store/codec/enums.h"
#include "store/codec/event_parts.h"

namespace checkride::codec {

namespace {

// Most inputs are their command and nothing else.
template <class Builder, class Input>
void write_input(Builder to, const Input& event, Trouble& trouble) {
  const auto& [command] = event;
  write(to.initCommand(), command, trouble);
}
template <class Reader, class Input>
void read_input(Reader from, Input& event, Trouble& trouble) {
  auto& [command] = event;
  read(from.getCommand(), command, trouble);
}

}  // namespace

#define CR_INPUT(type)                                                        \
  void write(schema::type::Builder to, const type& event, Trouble& trouble) { \
    write_input(to, event, trouble);                                          \
  }                                                                           \
  void read(schema::type::Reader from, type& event, Trouble& trouble) {       \
    read_input(from, event, trouble);                                         \
  }
CR_INPUT(RunStarted)
CR_INPUT(JobFinished)
CR_INPUT(JobStarted)
CR_INPUT(JobAdopted)
CR_INPUT(JobUnknown)
CR_INPUT(TimerFired)
CR_INPUT(GateAnswered)
CR_INPUT(IncidentResolved)
CR_INPUT(RunCancelRequested)
CR_INPUT(RollbackRequested)
CR_INPUT(LeaseGranted)
CR_INPUT(LeaseReleased)
CR_INPUT(RunPaused)
#undef CR_INPUT

void write(schema::StaleResultRejected::Builder to, const StaleResultRejected& event,
           Trouble& trouble) {
  const auto& [command, reason] = event;
  write(to.initCommand(), command, trouble);
  put_text(to, &schema::StaleResultRejected::Builder::setReason, reason);
}
void read(schema::StaleResultRejected::Reader from, StaleResultRejected& event, Trouble& trouble) {
  auto& [command, reason] = event;
  read(from.getCommand(), command, trouble);
  reason = string_of(from.getReason());
}

void write(schema::MessageReceived::Builder to, const MessageReceived& event, Trouble& trouble) {
  const auto& [command, message, expires] = event;
  write(to.initCommand(), command, trouble);
  put_text(to, &schema::MessageReceived::Builder::setMessage, message);
  put_optional(to, &schema::MessageReceived::Builder::initExpires, expires);
}
void read(schema::MessageReceived::Reader from, MessageReceived& event, Trouble& trouble) {
  auto& [command, message, expires] = event;
  read(from.getCommand(), command, trouble);
  message = string_of(from.getMessage());
  expires.reset();
  if (from.hasExpires()) expires = Timestamp{from.getExpires().getValue()};
}

// Static rather than unnamed: put_list and read_list find these through their arguments.
static void write(schema::TimerDue::Builder to, const std::pair<TimerId, Timestamp>& due,
                  Trouble&) {
  put_text(to, &schema::TimerDue::Builder::setTimer, due.first);
  to.setDue(due.second.ns);
}
static void read(schema::TimerDue::Reader from, std::pair<TimerId, Timestamp>& due,
                 Trouble& trouble) {
  read(from.getTimer(), due.first, trouble);
  due.second.ns = from.getDue();
}
void write(schema::RunResumed::Builder to, const RunResumed& event, Trouble& trouble) {
  const auto& [command, due] = event;
  write(to.initCommand(), command, trouble);
  put_list(to, &schema::RunResumed::Builder::initDue, due, trouble);
}
void read(schema::RunResumed::Reader from, RunResumed& event, Trouble& trouble) {
  auto& [command, due] = event;
  read(from.getCommand(), command, trouble);
  read_list(from.getDue(), due, trouble);
}

void write(schema::CommandRejected::Builder to, const CommandRejected& event, Trouble& trouble) {
  const auto& [command, code, reason] = event;
  write(to.initCommand(), command, trouble);
  to.setCode(to_disk<schema::RejectionCode>(code));
  put_text(to, &schema::CommandRejected::Builder::setReason, reason);
}
void read(schema::CommandRejected::Reader from, CommandRejected& event, Trouble& trouble) {
  auto& [command, code, reason] = event;
  read(from.getCommand(), command, trouble);
  read_enum(from.getCode(), code, trouble);
  reason = string_of(from.getReason());
}

}  // namespace checkride::codec
