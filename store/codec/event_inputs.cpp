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
