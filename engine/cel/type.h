// CEL's static types (google/cel-spec, section "Gradual type checking"), with one addition: a record,
// a map with string keys whose fields are declared. Parameters, run data, job inputs and job results
// are records, so a guard that reads a field that cannot exist is refused when it is loaded.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/cel/value.h"

namespace checkride::cel {

struct Field;

class Type {
 public:
  enum class Kind : std::uint8_t {
    dyn, null, boolean, integer, unsigned_integer, floating, string, bytes, timestamp, duration,
    list, map, optional, type, record, parameter, error, nullable, opaque,
  };

  Type() = default;  // dyn
  static Type dyn() { return Type(); }
  static Type null() { return Type(Kind::null); }
  static Type boolean() { return Type(Kind::boolean); }
  static Type integer() { return Type(Kind::integer); }
  static Type unsigned_integer() { return Type(Kind::unsigned_integer); }
  static Type floating() { return Type(Kind::floating); }
  static Type string() { return Type(Kind::string); }
  static Type bytes() { return Type(Kind::bytes); }
  static Type timestamp() { return Type(Kind::timestamp); }
  static Type duration() { return Type(Kind::duration); }
  static Type list(Type element);
  static Type map(Type key, Type value);
  static Type optional(Type value);
  static Type type_of(Type type);              // type(int): the type of a type literal
  static Type record(std::vector<Field> fields);
  static Type parameter(std::string name);     // a type variable of a function signature
  // What declared functions may speak of though no value here has it: a value or null (the standard's
  // wrapper types), and types of which only name and parameters are known (its abstract types).
  static Type nullable(Type type);
  static Type opaque(std::string name, std::vector<Type> parameters);

  Kind kind() const { return kind_; }
  // Element of a list, value of a map, content of an optional or nullable, subject of a type.
  const Type& element() const;
  const Type& key() const;  // of a map
  const std::vector<Field>& fields() const;  // of a record, in declared order
  const Field* field(std::string_view name) const;
  const std::string& name() const { return name_; }  // of a type parameter or an opaque type
  const std::vector<Type>& parameters() const;       // of an opaque type

  friend bool operator==(const Type& a, const Type& b);

 private:
  explicit Type(Kind kind) : kind_(kind) {}
  Kind kind_ = Kind::dyn;
  std::string name_;
  std::shared_ptr<const std::vector<Type>> arguments_;
  std::shared_ptr<const std::vector<Field>> fields_;
};

struct Field {
  std::string name;
  Type type;
  bool optional = false;  // may be absent: a guard must ask has() first
  bool operator==(const Field&) const = default;
};

// "list<string>", "map<string, double>", "{exit_code: int, log?: string}".
std::string to_string(const Type& type);
// The inverse, as definitions write types: bool int uint double string bytes timestamp duration dyn,
// path (a string), list<T>, map<K, V>, optional<T>, {name: T, name?: T}.
Result<Type> parse_type(std::string_view text);
// Whether a value may stand where `type` is declared; the error says which part does not fit. An int
// does not pass for a double.
Result<void> conforms(const Value& value, const Type& type);

}  // namespace checkride::cel
