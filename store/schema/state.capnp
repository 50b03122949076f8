# The state of a run (engine/decider/state.h), as snapshots hold it. Maps are lists in key order.
@0xb1d0c7a9e2f84c06;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");
using V = import "value.capnp";
using J = import "job.capnp";
using C = import "command.capnp";
using E = import "event.capnp";

enum JobPhase { intended @0; started @1; cancelling @2; unknown @3; }
enum RunMode { absent @0; running @1; cancelling @2; rollingBack @3; finished @4; }

struct NamedSequence { name @0 :Text; sequence @1 :UInt64; }
struct StateSequence { state @0 :UInt32; sequence @1 :UInt64; }

struct JobRecord {
  token @0 :Text;
  intent @1 :E.JobIntended;
  intendedAt @2 :UInt64;
  intendedTime @3 :Int64;
  phase @4 :JobPhase;
  stale @5 :Bool;
}
struct ItemCount { item @0 :UInt32; count @1 :UInt32; }
struct ItemOutcome { item @0 :UInt32; outcome @1 :J.JobOutcome; }
struct InvocationRecord {
  state @0 :UInt32;
  startedAt @1 :UInt64;
  each @2 :Bool;
  items @3 :List(V.Value);
  nextItem @4 :UInt32;
  attempts @5 :List(ItemCount);
  outcomes @6 :List(ItemOutcome);
  ended @7 :Bool;
  done @8 :Bool;
  status @9 :J.JobStatus;
}
struct GateRecord {
  gate @0 :Text;
  state @1 :UInt32;
  openedAt @2 :UInt64;
  openedTime @3 :Int64;
  question @4 :Text;
  options @5 :List(Text);
  who @6 :List(Text);
  inputs @7 :List(V.Value);
}
struct IncidentRecord {
  incident @0 :Text;
  kind @1 :E.IncidentKind;
  message @2 :Text;
  state @3 :UInt32;
  job @4 :V.OptionalText;
  time @5 :Int64;
  startUnfinished @6 :Bool;
}
struct VerdictRecord {
  state @0 :UInt32;
  verdict @1 :E.Verdict;
  note @2 :Text;
  givenAt @3 :UInt64;
  time @4 :Int64;
  actor @5 :C.Actor;
}
struct ResultRecord {
  state @0 :UInt32;
  value @1 :V.Value;
  standsAt @2 :UInt64;
}
struct MessageRecord {
  message @0 :Text;
  name @1 :Text;
  data @2 :V.Value;
  receivedAt @3 :UInt64;
  received @4 :Int64;
  expires @5 :V.OptionalInt64;
}
struct LeaseRecord {
  token @0 :Text;
  units @1 :List(J.LeasedUnit);
  exclusive @2 :Bool;
  bootId @3 :Text;
  grantedAt @4 :UInt64;
  granted @5 :Int64;
}
struct PauseRecord {
  since @0 :Int64;
  reason @1 :Text;
  byParent @2 :Bool;
  actor @3 :C.Actor;
}
struct AnsweredCommand {
  command @0 :Text;
  sequence @1 :UInt64;
  accepted @2 :Bool;
  reason @3 :Text;
}
struct ChartState {
  configuration @0 :List(UInt32);
  history @1 :List(E.StateHistory);
  running @2 :Bool;
}

struct RunState {
  run @0 :Text;
  last @1 :UInt64;
  mode @2 :RunMode;
  start @3 :C.StartRun;
  started @4 :Int64;
  updated @5 :Int64;
  author @6 :C.Actor;
  params @7 :List(V.Value);
  data @8 :List(V.Value);
  startedAt @9 :UInt64;
  assignedAt @10 :List(NamedSequence);
  chart @11 :ChartState;
  entries @12 :List(E.StateCount);
  enteredAt @13 :List(StateSequence);
  invocations @14 :List(InvocationRecord);
  jobs @15 :List(JobRecord);
  timers @16 :List(E.TimerSet);
  gates @17 :List(GateRecord);
  incidents @18 :List(IncidentRecord);
  queue @19 :List(E.QueuedEvent);
  verdicts @20 :List(VerdictRecord);
  results @21 :List(ResultRecord);
  completed @22 :List(UInt32);
  compensated @23 :List(UInt32);
  compensating @24 :V.OptionalUInt64;
  endReason @25 :Text;
  outcome @26 :E.RunOutcome;
  outcomeReason @27 :Text;
  output @28 :V.Value;
  unsatisfied @29 :List(UInt32);
  answered @30 :List(AnsweredCommand);
  answeredOrder @31 :List(Text);
  messages @32 :List(MessageRecord);
  leases @33 :List(LeaseRecord);
  paused @34 :PauseRecord;
}
