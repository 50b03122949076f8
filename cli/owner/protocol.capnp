# Between a command line and the process that owns the store: length-prefixed messages over a Unix
# socket (four bytes little-endian, then one message in flat form). Requests are answered in order; a
# long answer comes in several replies, all but the last with `more`. After `follow` the connection
# carries notices only.
@0xd9a1f3b2c4e58701;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");
using C = import "/store/schema/command.capnp";

struct Request {
  version @0 :UInt16;
  union {
    heads @1 :Void;
    head @2 :Text;
    read @3 :Range;          # records from a sequence on
    snapshot @4 :Range;      # the newest at or before a sequence
    definition @5 :Data;     # by hash
    find @6 :Find;
    storeDefinition @7 :Data;  # as store/codec writes one
    submit @8 :Submit;
    follow @9 :Text;         # a root run: drive it while this connection lives
    verify @10 :Text;        # a run, or empty for all
    driven @11 :Void;        # the root runs that the owner drives, as keys
  }
}
struct Range {
  run @0 :Text;
  sequence @1 :UInt64;
}
struct Find {
  factType @0 :Text;
  countMax @1 :UInt64;
}
struct Submit {
  id @0 :Text;
  run @1 :Text;
  claimed @2 :Text;          # a name somebody gave; empty: the user of the socket's other end
  body @3 :C.CommandBody;
}

struct Reply {
  version @0 :UInt16;
  more @1 :Bool;
  union {
    ok @2 :Void;
    error @3 :Failure;
    items @4 :List(Item);    # as store/codec writes heads, records, snapshots, definitions, rows
    answer @5 :Answer;
    moved @6 :Range;         # notice: a run of the followed tree has records up to here
    rest @7 :Void;           # notice: nothing in the followed tree can move without a person
    verified @8 :Verified;
  }
}
struct Item {
  key @0 :Text;              # the run, for records and snapshots
  sequence @1 :UInt64;       # their first or last sequence
  value @2 :Data;
  build @3 :Text;            # for records: the program that wrote it
}
struct Failure {
  code @0 :UInt16;           # ErrorCode
  message @1 :Text;
}
struct Answer {
  accepted @0 :Bool;
  repeated @1 :Bool;
  sequence @2 :UInt64;
  reason @3 :Text;
}
struct Verified {
  runs @0 :UInt64;
  records @1 :UInt64;
  events @2 :UInt64;
  bytes @3 :UInt64;
  snapshots @4 :UInt64;
  artifacts @5 :UInt64;
  took @6 :Int64;            # nanoseconds
  problems @7 :List(Text);
}
