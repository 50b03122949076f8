#include "cli/render/json.h"

#include <cmath>

#include "engine/base/utf8.h"

namespace checkride::cli {

json::value as_json(const cel::Value& value) {
  switch (value.kind()) {
    case cel::Kind::null: return nullptr;
    case cel::Kind::boolean: return value.as_bool();
    case cel::Kind::integer: return value.as_int();
    case cel::Kind::unsigned_integer: return value.as_uint();
    case cel::Kind::floating:
      if (!std::isfinite(value.as_double())) break;
      return value.as_double();
    case cel::Kind::string: return json::string(value.as_string());
    case cel::Kind::list: {
      json::array array;
      for (const cel::Value& item : value.as_list()) array.push_back(as_json(item));
      return array;
    }
    case cel::Kind::map: {
      json::object object;
      for (const auto& [key, item] : value.as_map())
        object[key.kind() == cel::Kind::string ? key.as_string() : cel::to_cel(key)] =
            as_json(item);
      return object;
    }
    case cel::Kind::optional:
      if (const cel::Value* inner = value.as_optional()) return as_json(*inner);
      return nullptr;
    case cel::Kind::bytes:
    case cel::Kind::timestamp:
    case cel::Kind::duration:
    case cel::Kind::type: break;
  }
  // A text in CEL's own JSON form: quoted there, so the quotes go.
  const std::string text = cel::to_json(value);
  if (text.size() >= 2 && text.front() == '"') return json::string(text.substr(1, text.size() - 2));
  return json::string(text);
}

json::value as_json(const View& view, const cel::Value& value) {
  return as_json(view.value(value));
}

json::array as_json(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) array.push_back(json::string(text));
  return array;
}

json::string as_json(Timestamp time) {
  return json::string(to_iso8601(time));
}
json::string as_json(const Digest& digest) {
  return json::string(to_hex(digest));
}

json::object as_json(const Actor& actor) {
  const char* kind = "engine";
  if (actor.kind == Actor::Kind::local) kind = "local";
  if (actor.kind == Actor::Kind::claimed) kind = "claimed";
  return {{"kind", kind}, {"name", actor.name}};
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string serialized(const json::value& value) {
  return valid_utf8(json::serialize(value));
}

std::string document(const json::value& value) {
  return serialized(value) + "\n";
}

}  // namespace checkride::cli
