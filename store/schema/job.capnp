# Jobs: what an attempt is asked to do and how it ended (engine/decider/job.h). A digest is 32 bytes,
# or no bytes for the zero digest; times are nanoseconds since 1970 (UTC).
@0xb1d0c7a9e2f84c02;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");
using V = import "value.capnp";

enum JobStatus { pass @0; fail @1; error @2; unavailable @3; skipped @4; }
enum FailureClass {
  none @0; code @1; infra @2; flaky @3; resource @4; timeout @5; lost @6; unavailable @7;
}

struct ParseRule {
  name @0 :Text;
  type @1 :V.Type;
  regex @2 :Text;
  file @3 :Text;
  pointer @4 :Text;
}

struct Expectation {
  exitCodes @0 :List(Int64);
  logContains @1 :List(Text);
  logLacks @2 :List(Text);
  files @3 :List(Text);
}

struct JobLimits {
  runTimeout @0 :V.OptionalInt64;  # nanoseconds
  grace @1 :Int64;                 # nanoseconds
  outputBytesMax @2 :UInt64;
  queueTimeout @3 :V.OptionalInt64;    # nanoseconds, as the two below
  startTimeout @4 :V.OptionalInt64;
  silenceTimeout @5 :V.OptionalInt64;
}

enum TimeLimit { none @0; queue @1; start @2; run @3; silence @4; }

struct ResourceCount {
  resource @0 :Text;
  units @1 :UInt32;
}
struct ResourceNeeds {
  units @0 :List(ResourceCount);
  exclusive @1 :Bool;
}
struct LeasedUnit {
  resource @0 :Text;
  name @1 :Text;
}

struct JobSpec {
  token @0 :Text;
  run @1 :Text;
  root @2 :Text;
  state @3 :Text;
  kind @4 :Text;
  kindVersion @5 :UInt32;
  inputs @6 :List(V.Value);
  expect @7 :Expectation;
  parse @8 :List(ParseRule);
  limits @9 :JobLimits;
  secrets @10 :List(Text);         # names, never values
  folder @11 :Text;
  needs @12 :ResourceNeeds;        # null: none
  leased @13 :List(LeasedUnit);
}

struct Artifact {
  name @0 :Text;
  digest @1 :Data;
  bytes @2 :UInt64;
}

struct JobFact {
  type @0 :Text;
  fields @1 :List(V.Value);
}

struct ProcessIdentity {
  host @0 :Text;
  bootId @1 :Text;
  pid @2 :Int64;
  startTicks @3 :UInt64;
  jobPid @4 :Int64;
  jobStartTicks @5 :UInt64;
  started @6 :Int64;
}

struct JobOutcome {
  status @0 :JobStatus;
  failure @1 :FailureClass;
  completed @2 :Bool;
  cancelled @3 :Bool;
  neverStarted @4 :Bool;
  result @5 :V.Value;
  message @6 :Text;
  exitCode @7 :V.OptionalInt64;
  signal @8 :V.OptionalInt64;
  artifacts @9 :List(Artifact);
  facts @10 :List(JobFact);
  started @11 :Int64;
  ended @12 :Int64;
  limit @13 :TimeLimit;
}
