# Rows beside the records: run heads, definitions, search rows (engine/ports/event_log.h).
@0xb1d0c7a9e2f84c07;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");
using V = import "value.capnp";
using J = import "job.capnp";
using C = import "command.capnp";
using E = import "event.capnp";
using S = import "state.capnp";

struct RunHead {
  run @0 :Text;
  last @1 :UInt64;
  record @2 :UInt64;
  global @3 :UInt64;
  chain @4 :Data;
  records @5 :UInt64;
  summary @6 :RunSummary;
}

struct RunSummary {
  definitionName @0 :Text;
  definition @1 :Data;
  parent @2 :C.ParentLink;
  root @3 :Text;
  mode @4 :S.RunMode;
  outcome @5 :E.RunOutcome;
  started @6 :Int64;
  updated @7 :Int64;
  nextDue @8 :V.OptionalInt64;
  owesWork @9 :Bool;
  gates @10 :UInt32;
  incidents @11 :UInt32;
  jobs @12 :UInt32;
  leases @13 :UInt32;
  paused @14 :Bool;
}

struct StoredDefinition {
  hash @0 :Data;
  name @1 :Text;
  sourceName @2 :Text;
  source @3 :Text;
  stored @4 :Int64;
}

struct SearchRow {
  run @0 :Text;
  sequence @1 :UInt64;
  time @2 :Int64;
  fact @3 :J.JobFact;
}
