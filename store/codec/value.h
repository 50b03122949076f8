// CEL values and types <-> store/schema/value.capnp. Doubles keep their bits, maps their order.
#pragma once

#include "engine/cel/type.h"
#include "engine/cel/value.h"
#include "store/codec/fields.h"

namespace checkride::codec {

// Deeper values are refused on both sides: what is written can always be read back.
inline constexpr int value_depth_max = 400;

void write(schema::Value::Builder to, const cel::Value& value, Trouble& trouble, int depth = 0);
void read(schema::Value::Reader from, cel::Value& value, Trouble& trouble, int depth = 0);

// A map is a list of values that carry their keys.
void write_map(capnp::List<schema::Value>::Builder to, const cel::Map& map, Trouble& trouble,
               int depth = 0);
void read_map(capnp::List<schema::Value>::Reader from, cel::Map& map, Trouble& trouble,
              int depth = 0);
template <class Builder>
void put_map(Builder& to, capnp::List<schema::Value>::Builder (Builder::*init)(unsigned),
             const cel::Map& map, Trouble& trouble) {
  if (!map.empty()) write_map((to.*init)(static_cast<unsigned>(map.size())), map, trouble);
}

void write(schema::Type::Builder to, const cel::Type& type, Trouble& trouble, int depth = 0);
void read(schema::Type::Reader from, cel::Type& type, Trouble& trouble, int depth = 0);

}  // namespace checkride::codec
