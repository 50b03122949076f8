// The overloads of write and read for every event struct, in three files by subject; only event.cpp
// needs them all.
#pragma once

#include "store/codec/event.h"

namespace checkride::codec {

#define CR_EVENT_CODEC(type)                                                 \
  void write(schema::type::Builder to, const type& event, Trouble& trouble); \
  void read(schema::type::Reader from, type& event, Trouble& trouble)

// event_inputs.cpp
CR_EVENT_CODEC(RunStarted);
CR_EVENT_CODEC(JobFinished);
CR_EVENT_CODEC(StaleResultRejected);
CR_EVENT_CODEC(JobStarted);
CR_EVENT_CODEC(JobAdopted);
CR_EVENT_CODEC(JobUnknown);
CR_EVENT_CODEC(TimerFired);
CR_EVENT_CODEC(GateAnswered);
CR_EVENT_CODEC(IncidentResolved);
CR_EVENT_CODEC(RunCancelRequested);
CR_EVENT_CODEC(RollbackRequested);
CR_EVENT_CODEC(CommandRejected);
CR_EVENT_CODEC(MessageReceived);
CR_EVENT_CODEC(LeaseGranted);
CR_EVENT_CODEC(LeaseReleased);
CR_EVENT_CODEC(RunPaused);
CR_EVENT_CODEC(RunResumed);
// event_chart.cpp
CR_EVENT_CODEC(TransitionTaken);
CR_EVENT_CODEC(GuardEvaluated);
CR_EVENT_CODEC(DataAssigned);
CR_EVENT_CODEC(VerdictGiven);
CR_EVENT_CODEC(EventQueued);
CR_EVENT_CODEC(EventTaken);
CR_EVENT_CODEC(RunFinished);
CR_EVENT_CODEC(StoreOpened);
// event_jobs.cpp
CR_EVENT_CODEC(InvocationStarted);
CR_EVENT_CODEC(InvocationFinished);
CR_EVENT_CODEC(RetryScheduled);
CR_EVENT_CODEC(JobCancelRequested);
CR_EVENT_CODEC(TimerSet);
CR_EVENT_CODEC(TimerCancelled);
CR_EVENT_CODEC(GateOpened);
CR_EVENT_CODEC(GateClosed);
CR_EVENT_CODEC(IncidentRaised);
CR_EVENT_CODEC(BudgetExtended);
CR_EVENT_CODEC(CompensationStarted);
CR_EVENT_CODEC(CompensationFinished);
CR_EVENT_CODEC(MessageConsumed);
CR_EVENT_CODEC(MessageExpired);

#undef CR_EVENT_CODEC

}  // namespace checkride::codec
