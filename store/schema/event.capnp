# Events (engine/decider/event.h). The body of an event is one of these structs, named by its type.
# A new meaning is a new type or a new version of one, never a changed field.
@0xb1d0c7a9e2f84c04;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");
using V = import "value.capnp";
using J = import "job.capnp";
using C = import "command.capnp";

# Types on disk, by name in engine/decider/event.h. 0 is none.
enum EventType {
  none @0;
  runStarted @1; jobFinished @2; staleResultRejected @3; jobStarted @4; jobAdopted @5;
  jobUnknown @6; timerFired @7; gateAnswered @8; incidentResolved @9; runCancelRequested @10;
  rollbackRequested @11; commandRejected @12; transitionTaken @13; guardEvaluated @14;
  dataAssigned @15; verdictGiven @16; eventQueued @17; eventTaken @18; invocationStarted @19;
  invocationFinished @20; jobIntended @21; retryScheduled @22; jobCancelRequested @23;
  timerSet @24; timerCancelled @25; gateOpened @26; gateClosed @27; incidentRaised @28;
  budgetExtended @29; compensationStarted @30; compensationFinished @31; runFinished @32;
  storeOpened @33; messageReceived @34; messageConsumed @35; messageExpired @36;
  leaseGranted @37; leaseReleased @38; runPaused @39; runResumed @40;
}

enum RejectionCode {
  runAlreadyStarted @0; runUnknown @1; runFinished @2; badParams @3; gateNotOpen @4;
  gateSeenStale @5; answerNotAllowed @6; optionUnknown @7; reasonMissing @8; incidentNotOpen @9;
  incidentAmbiguous @10; resolutionNotApplicable @11; stateUnknown @12; timerNotSet @13;
  definitionMismatch @14; messageUnknown @15; messageInvalid @16; queueFull @17;
  leaseNotAwaited @18; alreadyPaused @19; notPaused @20;
}
enum Verdict {
  none @0; passed @1; warned @2; failed @3; skipped @4; unavailable @5; waived @6; claimed @7;
  interrupted @8;
}
enum JobPurpose { invoke @0; probe @1; undo @2; }
enum Performer { runner @0; machine @1; person @2; }
enum TimerPurpose {
  send @0; retry @1; gateReminder @2; gateExpiry @3; queueLimit @4; messageExpiry @5;
}
enum IncidentKind {
  executionError @0; jobLost @1; jobUnknown @2; stuck @3; budgetExhausted @4; limit @5;
  undoFailed @6; kindMissing @7;
}
enum RunOutcome {
  none @0; succeeded @1; failed @2; cancelled @3; rolledBack @4; incomplete @5;
}

# --- inputs ---
struct RunStarted { command @0 :C.StartRun; }
struct JobFinished { command @0 :C.FinishJob; }
struct StaleResultRejected { command @0 :C.FinishJob; reason @1 :Text; }
struct JobStarted { command @0 :C.MarkJobStarted; }
struct JobAdopted { command @0 :C.AdoptJob; }
struct JobUnknown { command @0 :C.ReportJobUnknown; }
struct TimerFired { command @0 :C.FireTimer; }
struct GateAnswered { command @0 :C.AnswerGate; }
struct IncidentResolved { command @0 :C.ResolveIncident; }
struct RunCancelRequested { command @0 :C.CancelRun; }
struct RollbackRequested { command @0 :C.RollbackRun; }
struct CommandRejected {
  command @0 :C.CommandBody;
  code @1 :RejectionCode;
  reason @2 :Text;
}
struct MessageReceived {
  command @0 :C.SignalRun;
  message @1 :Text;
  expires @2 :V.OptionalInt64;
}
struct LeaseGranted { command @0 :C.GrantLease; }
struct LeaseReleased { command @0 :C.ReleaseLease; }
struct RunPaused { command @0 :C.PauseRun; }
struct TimerDue { timer @0 :Text; due @1 :Int64; }
struct RunResumed {
  command @0 :C.ResumeRun;
  due @1 :List(TimerDue);
}

# --- chart ---
struct StateHistory { state @0 :UInt32; remembered @1 :List(UInt32); }
struct StateCount { state @0 :UInt32; count @1 :UInt32; }
struct TransitionTaken {
  transitions @0 :List(UInt32);
  trigger @1 :Text;
  exited @2 :List(UInt32);
  entered @3 :List(UInt32);
  history @4 :List(StateHistory);
  entries @5 :List(StateCount);
}
struct RecordedFact {
  path @0 :Text;
  value @1 :V.Value;      # null: digest and standsAt say where it is
  digest @2 :Data;
  standsAt @3 :UInt64;
}
struct GuardCandidate {
  transition @0 :UInt32;
  holds @1 :Bool;
  error @2 :Text;
  facts @3 :List(RecordedFact);
}
struct GuardEvaluated { trigger @0 :Text; candidates @1 :List(GuardCandidate); }
struct DataAssigned { name @0 :Text; value @1 :V.Value; }
struct VerdictGiven { state @0 :UInt32; verdict @1 :Verdict; note @2 :Text; }
struct EventQueued { name @0 :Text; data @1 :V.Value; }
struct EventTaken {}

# --- jobs ---
struct InvocationStarted { state @0 :UInt32; each @1 :Bool; items @2 :List(V.Value); }
struct InvocationFinished {
  state @0 :UInt32;
  done @1 :Bool;
  status @2 :J.JobStatus;
  result @3 :V.Value;     # null: a JobFinished carries it
}
struct JobIntended {
  spec @0 :J.JobSpec;
  digest @1 :Data;
  state @2 :UInt32;
  purpose @3 :JobPurpose;
  performer @4 :Performer;
  item @5 :UInt32;
  attempt @6 :UInt32;
  about @7 :V.OptionalText;
  machine @8 :Data;
}
struct RetryScheduled {
  state @0 :UInt32;
  item @1 :UInt32;
  attempt @2 :UInt32;
  failure @3 :J.FailureClass;
  due @4 :Int64;
}
struct JobCancelRequested { token @0 :Text; reason @1 :Text; }

# --- time, people, trouble ---
struct TimerSet {
  timer @0 :Text;
  purpose @1 :TimerPurpose;
  due @2 :Int64;
  state @3 :UInt32;
  item @4 :UInt32;
  event @5 :Text;
  data @6 :V.Value;
}
struct TimerCancelled { timer @0 :Text; }
struct MessageConsumed { message @0 :Text; }
struct MessageExpired { message @0 :Text; reason @1 :Text; }
struct GateOpened {
  gate @0 :Text;
  state @1 :UInt32;
  question @2 :Text;
  options @3 :List(Text);
  who @4 :List(Text);
  inputs @5 :List(V.Value);
}
struct GateClosed { gate @0 :Text; outcome @1 :Text; }
struct QueuedEvent { name @0 :Text; data @1 :V.Value; }
struct IncidentRaised {
  incident @0 :Text;
  kind @1 :IncidentKind;
  message @2 :Text;
  state @3 :UInt32;
  job @4 :V.OptionalText;
  unprocessed @5 :List(QueuedEvent);
  startUnfinished @6 :Bool;
}
struct BudgetExtended { state @0 :UInt32; entries @1 :UInt32; }
struct CompensationStarted { state @0 :UInt32; }
struct CompensationFinished { state @0 :UInt32; ok @1 :Bool; message @2 :Text; }
struct RunFinished {
  outcome @0 :RunOutcome;
  reason @1 :Text;
  output @2 :V.Value;
  unsatisfied @3 :List(UInt32);
}
struct StoreOpened {
  epoch @0 :UInt64;
  host @1 :Text;
  bootId @2 :Text;
  build @3 :Text;
  clean @4 :Bool;
}
