#include "engine/cel/type.h"

#include <array>
#include <cctype>

#include "engine/base/assert.h"
#include "engine/cel/type_text.h"

namespace checkride::cel {

Type Type::list(Type element) {
  Type t(Kind::list);
  t.arguments_ = std::make_shared<const std::vector<Type>>(std::vector<Type>{std::move(element)});
  return t;
}

Type Type::map(Type key, Type value) {
  Type t(Kind::map);
  t.arguments_ = std::make_shared<const std::vector<Type>>(std::vector<Type>{
      std::move(value), std::move(key)});  // the element first, as element() reads
  return t;
}

Type Type::optional(Type value) {
  Type t(Kind::optional);
  t.arguments_ = std::make_shared<const std::vector<Type>>(std::vector<Type>{std::move(value)});
  return t;
}

Type Type::type_of(Type type) {
  Type t(Kind::type);
  t.arguments_ = std::make_shared<const std::vector<Type>>(std::vector<Type>{std::move(type)});
  return t;
}

Type Type::record(std::vector<Field> fields) {
  Type t(Kind::record);
  t.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return t;
}

Type Type::parameter(std::string name) {
  Type t(Kind::parameter);
  t.name_ = std::move(name);
  return t;
}

Type Type::nullable(Type type) {
  Type t(Kind::nullable);
  t.arguments_ = std::make_shared<const std::vector<Type>>(std::vector<Type>{std::move(type)});
  return t;
}

Type Type::opaque(std::string name, std::vector<Type> parameters) {
  Type t(Kind::opaque);
  t.name_ = std::move(name);
  t.arguments_ = std::make_shared<const std::vector<Type>>(std::move(parameters));
  return t;
}

const std::vector<Type>& Type::parameters() const {
  static const std::vector<Type> none;
  return kind_ == Kind::opaque && arguments_ != nullptr ? *arguments_ : none;
}

const Type& Type::element() const {
  static const Type any;
  return arguments_ == nullptr ? any : arguments_->front();
}

const Type& Type::key() const {
  static const Type any;
  return arguments_ == nullptr || arguments_->size() < 2 ? any : (*arguments_)[1];
}

const std::vector<Field>& Type::fields() const {
  static const std::vector<Field> none;
  return fields_ == nullptr ? none : *fields_;
}

const Field* Type::field(std::string_view name) const {
  for (const Field& f : fields())
    if (f.name == name) return &f;
  return nullptr;
}

bool operator==(const Type& a, const Type& b) {
  if (a.kind_ != b.kind_ || a.name_ != b.name_) return false;
  switch (a.kind_) {
    case Type::Kind::map: return a.key() == b.key() && a.element() == b.element();
    case Type::Kind::list:
    case Type::Kind::optional:
    case Type::Kind::nullable:
    case Type::Kind::type: return a.element() == b.element();
    case Type::Kind::opaque: return a.parameters() == b.parameters();
    case Type::Kind::record: return a.fields_ == b.fields_ || a.fields() == b.fields();
    default: return true;
  }
}

namespace {

struct NamedType {
  std::string_view name;
  Type (*make)();
};

// `path` is a string that a definition means as a file name; guards see a string.
constexpr std::array<NamedType, 10> named_types = {{{"dyn", &Type::dyn},
                                                    {"bool", &Type::boolean},
                                                    {"int", &Type::integer},
                                                    {"uint", &Type::unsigned_integer},
                                                    {"double", &Type::floating},
                                                    {"string", &Type::string},
                                                    {"path", &Type::string},
                                                    {"bytes", &Type::bytes},
                                                    {"timestamp", &Type::timestamp},
                                                    {"duration", &Type::duration}}};

std::string opaque_text(const Type& type) {
  if (type.parameters().empty()) return type.name();
  std::string text = type.name() + "<";
  for (const Type& parameter : type.parameters())
    text += (&parameter == &type.parameters().front() ? "" : ", ") + to_string(parameter);
  return text + ">";
}

}  // namespace

std::string to_string(const Type& type) {
  switch (type.kind()) {
    case Type::Kind::dyn: return "dyn";
    case Type::Kind::null: return "null";
    case Type::Kind::boolean: return "bool";
    case Type::Kind::integer: return "int";
    case Type::Kind::unsigned_integer: return "uint";
    case Type::Kind::floating: return "double";
    case Type::Kind::string: return "string";
    case Type::Kind::bytes: return "bytes";
    case Type::Kind::timestamp: return "timestamp";
    case Type::Kind::duration: return "duration";
    case Type::Kind::list: return "list<" + to_string(type.element()) + ">";
    case Type::Kind::map:
      return "map<" + to_string(type.key()) + ", " + to_string(type.element()) + ">";
    case Type::Kind::optional: return "optional<" + to_string(type.element()) + ">";
    case Type::Kind::type: return "type<" + to_string(type.element()) + ">";
    case Type::Kind::parameter: return type.name();
    case Type::Kind::error: return "error";
    case Type::Kind::nullable: return "nullable<" + to_string(type.element()) + ">";
    case Type::Kind::opaque: return opaque_text(type);
    case Type::Kind::record: break;
  }
  std::string text = "{";
  for (const Field& f : type.fields()) {
    if (text.size() > 1) text += ", ";
    text += f.name + (f.optional ? "?: " : ": ") + to_string(f.type);
  }
  return text + "}";
}

TypeReader::TypeReader(std::string_view text, bool signatures)
    : text_(text), signatures_(signatures) {}

void TypeReader::skip_space() {
  while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
}

bool TypeReader::accept(char c) {
  skip_space();
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

Result<void> TypeReader::expect(char c) {
  if (accept(c)) return {};
  const std::string found = at_ < text_.size() ? "'" + std::string(1, text_[at_]) + "'" : "the end";
  return fail(ErrorCode::invalid_argument, "expected '" + std::string(1, c) + "' but found " +
                                               found + " at character " + std::to_string(at_ + 1) +
                                               " of the type '" + std::string(text_) + "'");
}

std::string_view TypeReader::word() {
  skip_space();
  const std::size_t start = at_;
  while (at_ < text_.size() &&
         (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
    ++at_;
  return text_.substr(start, at_ - start);
}

bool TypeReader::at_end() {
  skip_space();
  return at_ >= text_.size();
}

Result<Type> TypeReader::read(int depth) {
  if (depth > 32) return fail(ErrorCode::invalid_argument, "a type is nested more than 32 deep");
  if (accept('{')) return read_record(depth);
  const std::string_view name = word();
  for (const NamedType& t : named_types)
    if (t.name == name) return t.make();
  if (name == "list" || name == "optional" || (signatures_ && name == "type")) {
    CR_CHECK(expect('<'));
    CR_TRY(Type element, read(depth + 1));
    CR_CHECK(expect('>'));
    if (name == "list") return Type::list(std::move(element));
    if (name == "optional") return Type::optional(std::move(element));
    return Type::type_of(std::move(element));
  }
  if (name == "map") {
    CR_CHECK(expect('<'));
    CR_TRY(Type key, read(depth + 1));
    CR_CHECK(expect(','));
    CR_TRY(Type value, read(depth + 1));
    CR_CHECK(expect('>'));
    const bool key_fits = key.kind() == Type::Kind::string || key.kind() == Type::Kind::integer ||
                          key.kind() == Type::Kind::unsigned_integer ||
                          key.kind() == Type::Kind::boolean || key.kind() == Type::Kind::dyn;
    if (!signatures_ && !key_fits)
      return fail(ErrorCode::invalid_argument,
                  "a map's key must be bool, int, uint or string, not " + to_string(key));
    return Type::map(std::move(key), std::move(value));
  }
  if (signatures_ && name == "null") return Type::null();
  if (signatures_ && name.size() == 1 && name[0] >= 'A' && name[0] <= 'Z')
    return Type::parameter(std::string(name));
  return fail(
      ErrorCode::invalid_argument,
      (name.empty() ? "a type is missing" : "'" + std::string(name) + "' is not a type") +
          std::string("; write bool, int, uint, double, string, bytes, timestamp, duration, "
                      "path, dyn, list<T>, map<K, V>, optional<T> or {name: T}"));
}

Result<Type> TypeReader::read_record(int depth) {
  std::vector<Field> fields;
  while (!accept('}')) {
    if (!fields.empty()) {
      CR_CHECK(expect(','));
      if (accept('}')) break;  // a trailing comma
    }
    Field field;
    field.name = std::string(word());
    if (field.name.empty() || (field.name[0] >= '0' && field.name[0] <= '9'))
      return fail(ErrorCode::invalid_argument, "a field name is missing at character " +
                                                   std::to_string(at_ + 1) + " of the type '" +
                                                   std::string(text_) + "'");
    for (const Field& f : fields)
      if (f.name == field.name)
        return fail(ErrorCode::invalid_argument, "the field '" + f.name + "' is declared twice");
    field.optional = accept('?');
    CR_CHECK(expect(':'));
    CR_TRY(field.type, read(depth + 1));
    fields.push_back(std::move(field));
  }
  return Type::record(std::move(fields));
}

Result<Type> parse_type(std::string_view text) {
  TypeReader reader(text, false);
  CR_TRY(Type type, reader.read(0));
  if (!reader.at_end())
    return fail(ErrorCode::invalid_argument,
                "the type '" + std::string(text) + "' has text behind its end");
  return type;
}

namespace {

std::string expected(const std::string& path, const Type& type, const Value& value) {
  return (path.empty() ? "expected " : path + ": expected ") + to_string(type) + ", found " +
         std::string(to_string(value.kind()));
}

Result<void> conforms_at(const Value& value, const Type& type, const std::string& path);

Result<void> conforms_record(const Map& map, const Type& type, const std::string& path) {
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const Field& f : type.fields()) {
    const Value* v = map.find(f.name);
    if (v != nullptr)
      CR_CHECK(conforms_at(*v, f.type, prefix + f.name));
    else if (!f.optional)
      return fail(ErrorCode::invalid_argument,
                  prefix + f.name + ": missing; expected " + to_string(f.type));
  }
  for (const MapEntry& e : map)
    if (e.first.kind() != Kind::string || type.field(e.first.as_string()) == nullptr)
      return fail(ErrorCode::invalid_argument,
                  (path.empty() ? "" : path + ": ") + "unknown field " + to_cel(e.first));
  return {};
}

Result<void> conforms_at(const Value& value, const Type& type, const std::string& path) {
  const auto is = [&](Kind kind) -> Result<void> {
    if (value.kind() == kind) return {};
    return fail(ErrorCode::invalid_argument, expected(path, type, value));
  };
  switch (type.kind()) {
    case Type::Kind::dyn:
    case Type::Kind::parameter: return {};
    case Type::Kind::null: return is(Kind::null);
    case Type::Kind::boolean: return is(Kind::boolean);
    case Type::Kind::integer: return is(Kind::integer);
    case Type::Kind::unsigned_integer: return is(Kind::unsigned_integer);
    case Type::Kind::floating: return is(Kind::floating);
    case Type::Kind::string: return is(Kind::string);
    case Type::Kind::bytes: return is(Kind::bytes);
    case Type::Kind::timestamp: return is(Kind::timestamp);
    case Type::Kind::duration: return is(Kind::duration);
    case Type::Kind::type: return is(Kind::type);
    case Type::Kind::list: {
      CR_CHECK(is(Kind::list));
      const List& list = value.as_list();
      for (std::size_t i = 0; i < list.size(); ++i)
        CR_CHECK(conforms_at(list[i], type.element(), path + "[" + std::to_string(i) + "]"));
      return {};
    }
    case Type::Kind::map:
      CR_CHECK(is(Kind::map));
      for (const MapEntry& e : value.as_map()) {
        const std::string part = path + "[" + to_cel(e.first) + "]";
        CR_CHECK(conforms_at(e.first, type.key(), part + " (its key)"));
        CR_CHECK(conforms_at(e.second, type.element(), part));
      }
      return {};
    case Type::Kind::optional: {
      CR_CHECK(is(Kind::optional));
      const Value* content = value.as_optional();
      if (content != nullptr) return conforms_at(*content, type.element(), path);
      return {};
    }
    case Type::Kind::record:
      CR_CHECK(is(Kind::map));
      return conforms_record(value.as_map(), type, path);
    case Type::Kind::nullable:
      return value.is_null() ? Result<void>() : conforms_at(value, type.element(), path);
    case Type::Kind::opaque:
    case Type::Kind::error: break;
  }
  return fail(ErrorCode::invalid_argument, expected(path, type, value));
}

}  // namespace

Result<void> conforms(const Value& value, const Type& type) {
  return conforms_at(value, type, "");
}

}  // namespace checkride::cel
