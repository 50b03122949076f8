# One macrostep as it is kept: the envelope once, the events in order. docs/formats/log.md gives the
# bytes around it: magic, checksum and the previous chain hash.
@0xb1d0c7a9e2f84c05;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");
using C = import "command.capnp";

struct Record {
  run @0 :Text;
  first @1 :UInt64;
  global @2 :UInt64;
  epoch @3 :UInt64;
  time @4 :Int64;          # nanoseconds since 1970, UTC
  monotonic @5 :Int64;     # nanoseconds of the engine's monotonic clock
  build @6 :UInt32;        # number of the program's build, in the store's meta table
  command @7 :Text;        # its id
  actor @8 :C.Actor;
  events @9 :List(Event);
}

# `body` is a message of its own in canonical form: its root is the struct that `type` names in
# event.capnp, at `version`. The checksum is CRC-32C over type, version (little-endian) and body.
struct Event {
  type @0 :UInt16;
  version @1 :UInt16;
  checksum @2 :UInt32;
  body @3 :Data;
}
