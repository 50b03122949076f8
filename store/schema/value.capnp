# CEL values, as parameters, run data, job inputs and results hold them (engine/cel/value.h).
# Fields and alternatives are only ever appended; numbers are never reused.
@0xb1d0c7a9e2f84c01;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("checkride::schema");

# One value. An element of `map` is a Value that also has a key: `name` for a string key, `key` for
# any other. Keeping the key in the element saves a pointer and a struct for every entry.
struct Value {
  union {
    null @0 :Void;
    boolean @1 :Bool;
    integer @2 :Int64;
    unsignedInteger @3 :UInt64;
    floating @4 :UInt64;        # the IEEE 754 bits: NaNs keep their payload
    string @5 :Text;
    bytes @6 :Data;
    list @7 :List(Value);
    map @8 :List(Value);        # in the order of cel::order, no key twice
    timestamp :group {
      seconds @9 :Int64;        # since 1970-01-01T00:00:00Z
      nanos @10 :Int32;         # 0 to 999,999,999, forward from seconds
    }
    duration @11 :Int64;        # nanoseconds
    type @12 :Type;
    someOptional @13 :Value;    # optional.of(x)
    noneOptional @14 :Void;     # optional.none()
  }
  name @15 :Text;
  key @16 :Value;
}

struct Type {
  kind @0 :TypeKind;
  arguments @1 :List(Type);     # list, optional, type: one; map: key, value
  fields @2 :List(Field);       # of a record, as declared
  name @3 :Text;                # of a type parameter
}

struct Field {
  name @0 :Text;
  type @1 :Type;
  optional @2 :Bool;
}

enum TypeKind {
  dyn @0; null @1; boolean @2; integer @3; unsignedInteger @4; floating @5; string @6; bytes @7;
  timestamp @8; duration @9; list @10; map @11; optional @12; type @13; record @14; parameter @15;
  error @16;
}

# Optional numbers: a pointer that is null when there is none.
struct OptionalInt64 { value @0 :Int64; }
struct OptionalUInt64 { value @0 :UInt64; }
struct OptionalText { value @0 :Text; }
