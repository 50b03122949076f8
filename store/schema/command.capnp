# Commands (engine/decider/command.h): the first event of a record holds one whole.
@0xb1d0c7a9e2f84c03;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");
using V = import "value.capnp";
using J = import "job.capnp";

struct Actor {
  enum Kind { engine @0; local @1; claimed @2; }
  kind @0 :Kind;
  name @1 :Text;
}

struct ParentLink {
  run @0 :Text;
  token @1 :Text;
}

struct TextPair {
  name @0 :Text;
  value @1 :Text;
}

struct StartRun {
  definition @0 :Data;
  definitionName @1 :Text;
  params @2 :List(V.Value);
  root @3 :Text;
  parent @4 :ParentLink;
  folder @5 :Text;
  environment @6 :List(TextPair);
  environmentNames @7 :List(Text);
  facts @8 :List(TextPair);
}
struct FinishJob {
  token @0 :Text;
  outcome @1 :J.JobOutcome;
  childSequence @2 :V.OptionalUInt64;
  childChain @3 :Data;
}
struct MarkJobStarted {
  token @0 :Text;
  identity @1 :J.ProcessIdentity;
}
struct AdoptJob {
  token @0 :Text;
  identity @1 :J.ProcessIdentity;
}
struct ReportJobUnknown {
  token @0 :Text;
  findings @1 :Text;
}
struct FireTimer {
  timer @0 :Text;
  due @1 :Int64;
}
struct AnswerGate {
  gate @0 :Text;
  seen @1 :UInt64;
  decision @2 :Text;
  reason @3 :Text;
}
struct ResolveIncident {
  enum How { retry @0; started @1; finished @2; lost @3; jump @4; giveUp @5; }
  how @0 :How;
  incident @1 :Text;
  job @2 :Text;
  outcome @3 :J.JobOutcome;
  state @4 :Text;
  reason @5 :Text;
}
struct CancelRun { reason @0 :Text; }
struct RollbackRun { reason @0 :Text; }
struct SignalRun {
  name @0 :Text;
  data @1 :V.Value;
  reason @2 :Text;
}
struct GrantLease {
  token @0 :Text;
  units @1 :List(J.LeasedUnit);
  exclusive @2 :Bool;
  bootId @3 :Text;
}
struct ReleaseLease {
  token @0 :Text;
  reason @1 :Text;
}
struct PauseRun {
  reason @0 :Text;
  byParent @1 :Bool;
}
struct ResumeRun {
  reason @0 :Text;
  byParent @1 :Bool;
}

struct CommandBody {
  union {
    none @0 :Void;
    startRun @1 :StartRun;
    finishJob @2 :FinishJob;
    markJobStarted @3 :MarkJobStarted;
    adoptJob @4 :AdoptJob;
    reportJobUnknown @5 :ReportJobUnknown;
    fireTimer @6 :FireTimer;
    answerGate @7 :AnswerGate;
    resolveIncident @8 :ResolveIncident;
    cancelRun @9 :CancelRun;
    rollbackRun @10 :RollbackRun;
    signalRun @11 :SignalRun;
    grantLease @12 :GrantLease;
    releaseLease @13 :ReleaseLease;
    pauseRun @14 :PauseRun;
    resumeRun @15 :ResumeRun;
  }
}
