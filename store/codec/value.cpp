#include "store/codec/value.h"

#include <bit>

#include "store/codec/enums.h"

namespace checkride::codec {

namespace {

constexpr std::string_view too_deep = "a value is nested deeper than the log can hold";

bool bounded(int depth, Trouble& trouble) {
  if (depth >= value_depth_max) trouble.note(too_deep);
  return !trouble;
}

void write_key(schema::Value::Builder to, const cel::Value& key, Trouble& trouble, int depth) {
  if (key.kind() == cel::Kind::string)
    to.setName(text_of(key.as_string()));
  else
    write(to.initKey(), key, trouble, depth);
}

void read_values(capnp::List<schema::Value>::Reader from, cel::List& to, Trouble& trouble,
                 int depth) {
  to.reserve(from.size());
  for (const auto element : from) {
    if (trouble) return;
    read(element, to.emplace_back(), trouble, depth);
  }
}

cel::Type type_from(cel::Type::Kind kind, std::vector<cel::Type> arguments,
                    std::vector<cel::Field> fields, std::string name, Trouble& trouble) {
  using Kind = cel::Type::Kind;
  const std::size_t needed =
      kind == Kind::map
          ? 2
          : (kind == Kind::list || kind == Kind::optional || kind == Kind::type ? 1 : 0);
  if (arguments.size() != needed) {
    trouble.note("a type has a wrong number of arguments");
    return {};
  }
  switch (kind) {
    case Kind::dyn: return cel::Type::dyn();
    case Kind::null: return cel::Type::null();
    case Kind::boolean: return cel::Type::boolean();
    case Kind::integer: return cel::Type::integer();
    case Kind::unsigned_integer: return cel::Type::unsigned_integer();
    case Kind::floating: return cel::Type::floating();
    case Kind::string: return cel::Type::string();
    case Kind::bytes: return cel::Type::bytes();
    case Kind::timestamp: return cel::Type::timestamp();
    case Kind::duration: return cel::Type::duration();
    case Kind::list: return cel::Type::list(std::move(arguments[0]));
    case Kind::map: return cel::Type::map(std::move(arguments[0]), std::move(arguments[1]));
    case Kind::optional: return cel::Type::optional(std::move(arguments[0]));
    case Kind::type: return cel::Type::type_of(std::move(arguments[0]));
    case Kind::record: return cel::Type::record(std::move(fields));
    case Kind::parameter: return cel::Type::parameter(std::move(name));
    case Kind::error:
    case Kind::nullable:  // no log has these two
    case Kind::opaque: break;
  }
  trouble.note("a value has the type of an error");
  return {};
}

}  // namespace

void write(schema::Value::Builder to, const cel::Value& value, Trouble& trouble, int depth) {
  if (!bounded(depth, trouble)) return;
  switch (value.kind()) {
    case cel::Kind::null: return to.setNull();
    case cel::Kind::boolean: return to.setBoolean(value.as_bool());
    case cel::Kind::integer: return to.setInteger(value.as_int());
    case cel::Kind::unsigned_integer: return to.setUnsignedInteger(value.as_uint());
    case cel::Kind::floating:
      return to.setFloating(std::bit_cast<std::uint64_t>(value.as_double()));
    case cel::Kind::string: return to.setString(text_of(value.as_string()));
    case cel::Kind::bytes: {
      const std::string& data = value.as_bytes().data;
      return to.setBytes(
          capnp::Data::Reader(reinterpret_cast<const capnp::byte*>(data.data()), data.size()));
    }
    case cel::Kind::list: {
      const cel::List& list = value.as_list();
      auto elements = to.initList(static_cast<unsigned>(list.size()));
      unsigned i = 0;
      for (const cel::Value& element : list) write(elements[i++], element, trouble, depth + 1);
      return;
    }
    case cel::Kind::map: {
      const cel::Map& map = value.as_map();
      return write_map(to.initMap(static_cast<unsigned>(map.size())), map, trouble, depth + 1);
    }
    case cel::Kind::timestamp: {
      const cel::Instant instant = value.as_instant();
      auto timestamp = to.initTimestamp();
      timestamp.setSeconds(instant.seconds);
      timestamp.setNanos(instant.nanos);
      return;
    }
    case cel::Kind::duration: return to.setDuration(value.as_duration().count());
    case cel::Kind::type: return write(to.initType(), value.as_type(), trouble, depth + 1);
    case cel::Kind::optional: {
      const cel::Value* content = value.as_optional();
      if (content == nullptr) return to.setNoneOptional();
      return write(to.initSomeOptional(), *content, trouble, depth + 1);
    }
  }
}

void read(schema::Value::Reader from, cel::Value& value, Trouble& trouble, int depth) {
  if (!bounded(depth, trouble)) return;
  switch (from.which()) {
    case schema::Value::NULL_: value = cel::Value(); return;
    case schema::Value::BOOLEAN: value = cel::Value(from.getBoolean()); return;
    case schema::Value::INTEGER: value = cel::Value(std::int64_t{from.getInteger()}); return;
    case schema::Value::UNSIGNED_INTEGER:
      value = cel::Value(std::uint64_t{from.getUnsignedInteger()});
      return;
    case schema::Value::FLOATING:
      value = cel::Value(std::bit_cast<double>(std::uint64_t{from.getFloating()}));
      return;
    case schema::Value::STRING: value = cel::Value(string_of(from.getString())); return;
    case schema::Value::BYTES: value = cel::Value(cel::Bytes{string_of(from.getBytes())}); return;
    case schema::Value::LIST: {
      cel::List list;
      read_values(from.getList(), list, trouble, depth + 1);
      value = cel::Value(std::move(list));
      return;
    }
    case schema::Value::MAP: {
      cel::Map map;
      read_map(from.getMap(), map, trouble, depth + 1);
      value = cel::Value(std::move(map));
      return;
    }
    case schema::Value::TIMESTAMP: {
      const auto timestamp = from.getTimestamp();
      if (timestamp.getNanos() < 0 || timestamp.getNanos() > 999'999'999)
        return trouble.note("a timestamp has a fraction out of range");
      value = cel::Value(cel::Instant{timestamp.getSeconds(), timestamp.getNanos()});
      return;
    }
    case schema::Value::DURATION: value = cel::Value(Duration(from.getDuration())); return;
    case schema::Value::TYPE: {
      cel::Type type;
      read(from.getType(), type, trouble, depth + 1);
      value = cel::Value(std::move(type));
      return;
    }
    case schema::Value::SOME_OPTIONAL: {
      cel::Value content;
      read(from.getSomeOptional(), content, trouble, depth + 1);
      value = cel::Value::optional_of(std::move(content));
      return;
    }
    case schema::Value::NONE_OPTIONAL: value = cel::Value::optional_none(); return;
  }
  trouble.note("a value is of a kind that this version does not know");
}

void write_map(capnp::List<schema::Value>::Builder to, const cel::Map& map, Trouble& trouble,
               int depth) {
  unsigned i = 0;
  for (const auto& [key, value] : map) {
    auto element = to[i++];
    write_key(element, key, trouble, depth);
    write(element, value, trouble, depth);
  }
}

void read_map(capnp::List<schema::Value>::Reader from, cel::Map& map, Trouble& trouble, int depth) {
  std::vector<cel::MapEntry> entries;
  entries.reserve(from.size());
  for (const auto element : from) {
    if (trouble) return;
    auto& [key, value] = entries.emplace_back();
    if (element.hasName())
      key = cel::Value(string_of(element.getName()));
    else
      read(element.getKey(), key, trouble, depth);
    read(element, value, trouble, depth);
  }
  auto built = cel::Map::from_entries(std::move(entries));
  if (!built) return trouble.note(built.error().message);
  map = *std::move(built);
}

void write(schema::Type::Builder to, const cel::Type& type, Trouble& trouble, int depth) {
  using Kind = cel::Type::Kind;
  if (!bounded(depth, trouble)) return;
  to.setKind(to_disk<schema::TypeKind>(type.kind()));
  switch (type.kind()) {
    case Kind::list:
    case Kind::optional:
    case Kind::type: write(to.initArguments(1)[0], type.element(), trouble, depth + 1); break;
    case Kind::map: {
      auto arguments = to.initArguments(2);
      write(arguments[0], type.key(), trouble, depth + 1);
      write(arguments[1], type.element(), trouble, depth + 1);
      break;
    }
    case Kind::record: {
      auto fields = to.initFields(static_cast<unsigned>(type.fields().size()));
      unsigned i = 0;
      for (const auto& [name, field_type, optional] : type.fields()) {
        auto field = fields[i++];
        field.setName(text_of(name));
        write(field.initType(), field_type, trouble, depth + 1);
        field.setOptional(optional);
      }
      break;
    }
    case Kind::parameter: to.setName(text_of(type.name())); break;
    case Kind::error: trouble.note("a value has the type of an error"); break;
    case Kind::nullable:
    case Kind::opaque: trouble.note("a type of declared functions is no type of a value"); break;
    default: break;
  }
}

void read(schema::Type::Reader from, cel::Type& type, Trouble& trouble, int depth) {
  if (!bounded(depth, trouble)) return;
  cel::Type::Kind kind = cel::Type::Kind::dyn;
  read_enum(from.getKind(), kind, trouble);
  std::vector<cel::Type> arguments;
  for (const auto argument : from.getArguments()) {
    if (trouble) return;
    read(argument, arguments.emplace_back(), trouble, depth + 1);
  }
  std::vector<cel::Field> fields;
  for (const auto field : from.getFields()) {
    if (trouble) return;
    auto& [name, field_type, optional] = fields.emplace_back();
    name = string_of(field.getName());
    read(field.getType(), field_type, trouble, depth + 1);
    optional = field.getOptional();
  }
  if (trouble) return;
  type =
      type_from(kind, std::move(arguments), std::move(fields), string_of(from.getName()), trouble);
}

}  // namespace checkride::codec
