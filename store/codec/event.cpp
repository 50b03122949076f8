#include "store/codec/event.h"

#include <array>

#include "store/codec/event_parts.h"

namespace checkride::codec {

namespace {

// Every alternative of Event, with its number on disk and its struct. An alternative without a row
// does not compile (write_body), a row without an alternative neither (the count below).
#define CR_EVENT_TYPES(row)                                                                        \
  row(RunStarted, RUN_STARTED) row(JobFinished, JOB_FINISHED)                                      \
      row(StaleResultRejected, STALE_RESULT_REJECTED) row(JobStarted, JOB_STARTED) row(            \
          JobAdopted, JOB_ADOPTED) row(JobUnknown, JOB_UNKNOWN) row(TimerFired, TIMER_FIRED)       \
          row(GateAnswered, GATE_ANSWERED) row(IncidentResolved, INCIDENT_RESOLVED) row(           \
              RunCancelRequested, RUN_CANCEL_REQUESTED) row(RollbackRequested, ROLLBACK_REQUESTED) \
              row(CommandRejected, COMMAND_REJECTED) row(TransitionTaken, TRANSITION_TAKEN)        \
                  row(GuardEvaluated, GUARD_EVALUATED) row(DataAssigned, DATA_ASSIGNED) row(       \
                      VerdictGiven, VERDICT_GIVEN) row(EventQueued, EVENT_QUEUED)                  \
                      row(EventTaken, EVENT_TAKEN) row(InvocationStarted, INVOCATION_STARTED) row( \
                          InvocationFinished, INVOCATION_FINISHED) row(JobIntended, JOB_INTENDED)  \
                          row(RetryScheduled, RETRY_SCHEDULED) row(                                \
                              JobCancelRequested, JOB_CANCEL_REQUESTED) row(TimerSet, TIMER_SET)   \
                              row(TimerCancelled, TIMER_CANCELLED) row(GateOpened, GATE_OPENED)    \
                                  row(GateClosed, GATE_CLOSED)                                     \
                                      row(IncidentRaised, INCIDENT_RAISED) row(BudgetExtended,     \
                                                                               BUDGET_EXTENDED)    \
                                          row(CompensationStarted, COMPENSATION_STARTED) row(      \
                                              CompensationFinished, COMPENSATION_FINISHED)         \
                                              row(RunFinished, RUN_FINISHED)                       \
                                                  row(StoreOpened, STORE_OPENED) row(              \
                                                      MessageReceived, MESSAGE_RECEIVED)           \
                                                      row(MessageConsumed, MESSAGE_CONSUMED) row(  \
                                                          MessageExpired, MESSAGE_EXPIRED)         \
                                                          row(LeaseGranted, LEASE_GRANTED)         \
                                                              row(LeaseReleased, LEASE_RELEASED)   \
                                                                  row(RunPaused, RUN_PAUSED)       \
                                                                      row(RunResumed, RUN_RESUMED)

constexpr std::size_t event_types = 0
#define CR_COUNT(type, number) +1
    CR_EVENT_TYPES(CR_COUNT)
#undef CR_COUNT
    ;
static_assert(std::variant_size_v<Event> == event_types);
static_assert(static_cast<std::size_t>(schema::EventType::RUN_RESUMED) == event_types);

struct TypeOf {
#define CR_TYPE_OF(type, number)                    \
  schema::EventType operator()(const type&) const { \
    return schema::EventType::number;               \
  }
  CR_EVENT_TYPES(CR_TYPE_OF)
#undef CR_TYPE_OF
};

struct WriteBody {
  capnp::MessageBuilder& message;
  Trouble& trouble;
#define CR_WRITE(type, number)                           \
  void operator()(const type& e) const {                 \
    write(message.initRoot<schema::type>(), e, trouble); \
  }
  CR_EVENT_TYPES(CR_WRITE)
#undef CR_WRITE
};

}  // namespace

schema::EventType type_of(const Event& event) {
  return std::visit(TypeOf{}, event);
}

std::string type_name(std::uint16_t type) {
  switch (static_cast<schema::EventType>(type)) {
    case schema::EventType::NONE: break;
#define CR_NAME(event_type, number) \
  case schema::EventType::number: return #event_type;
      CR_EVENT_TYPES(CR_NAME)
#undef CR_NAME
  }
  return "event type " + std::to_string(type);
}

void write_body(capnp::MessageBuilder& message, const Event& event, Trouble& trouble) {
  std::visit(WriteBody{message, trouble}, event);
}

void read_body(capnp::MessageReader& message, std::uint16_t type, std::uint16_t version,
               Event& event, Trouble& trouble) {
  if (version != event_version)
    return trouble.note(type_name(type) + " has version " + std::to_string(version) +
                        ", which this version of checkride does not know");
  switch (static_cast<schema::EventType>(type)) {
    case schema::EventType::NONE: break;
#define CR_READ(event_type, number) \
  case schema::EventType::number:   \
    return read(message.getRoot<schema::event_type>(), event.emplace<event_type>(), trouble);
      CR_EVENT_TYPES(CR_READ)
#undef CR_READ
  }
  trouble.note(type_name(type) + " is not known to this version of checkride");
}

}  // namespace checkride::codec
