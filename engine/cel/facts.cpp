// FactActivation: variables rebuilt from the facts of an earlier evaluation. The texts of facts are
// expressions themselves, so the parser reads them.
#include "engine/cel/parser.h"
#include "engine/cel/program.h"

namespace checkride::cel {
namespace {

// A place in a rebuilt value: a recorded value, or the parts below it that were recorded.
struct Place {
  Value key;  // under which it lies in the place above
  std::optional<Value> value;
  bool is_map = false;  // something was looked for in it and not found
  std::vector<Place> parts;

  Place& part(const Value& wanted) {
    for (Place& place : parts)
      if (place.key == wanted) return place;
    parts.emplace_back().key = wanted;
    return parts.back();
  }
};

// A list of which single elements are known becomes a map from their indices: the same expressions
// read the same values from it.
Value build(const Place& place) {
  // A field that was asked for by has() alone: any value will do.
  if (!place.value && place.parts.empty() && !place.is_map) return Value();
  if (place.value && (place.parts.empty() || place.value->kind() != Kind::map)) return *place.value;
  Map map = place.value ? place.value->as_map() : Map();
  for (const Place& part : place.parts)
    if (!place.value || map.find(part.key) == nullptr) map.set(part.key, build(part));
  return Value(std::move(map));
}

// The root's name and the keys behind it, outermost first; false where the text is no path.
bool read_path(const Expr& e, std::string& root, std::vector<Value>& keys) {
  if (e.op == Op::name) {
    root = e.name;
    return true;
  }
  if (e.op != Op::select && e.op != Op::has && e.op != Op::index) return false;
  if (!read_path(*e.children[0], root, keys)) return false;
  if (e.op == Op::index) {
    const Expr& key = *e.children[1];
    const bool is_key = key.op == Op::literal && key.value.kind() != Kind::bytes &&
                        key.value.kind() != Kind::floating && key.value.kind() != Kind::null;
    if (!is_key) return false;
    keys.push_back(key.value);
  } else {
    keys.emplace_back(e.name);
  }
  return true;
}

constexpr std::string_view has_open = "has(";
constexpr std::string_view in_open = "In('";

}  // namespace

FactActivation::FactActivation(std::span<const Fact> facts) {
  Place roots;
  for (const Fact& fact : facts) {
    std::string_view text = fact.path;
    if (text.starts_with(in_open) && text.ends_with("')")) {
      const std::string_view id = text.substr(in_open.size(), text.size() - in_open.size() - 2);
      active_.emplace_back(std::string(id),
                           fact.value.kind() == Kind::boolean && fact.value.as_bool());
      continue;
    }
    const bool is_has = text.starts_with(has_open) && text.ends_with(")");
    if (is_has) text = text.substr(has_open.size(), text.size() - has_open.size() - 1);
    const auto parsed = parse(text);
    std::string root;
    std::vector<Value> keys;
    if (!parsed || !read_path(**parsed, root, keys)) continue;  // not one of ours
    Place* place = &roots.part(Value(root));
    const bool is_absent = is_has && !(fact.value.kind() == Kind::boolean && fact.value.as_bool());
    if (is_absent && !keys.empty()) keys.pop_back();  // only what should have held it exists
    for (const Value& key : keys) place = &place->part(key);
    if (!is_has) place->value = fact.value;
    if (is_absent) place->is_map = true;
  }
  for (const Place& root : roots.parts) roots_.emplace_back(root.key.as_string(), build(root));
}

const Value* FactActivation::find(std::string_view name) const {
  for (const auto& [known, value] : roots_)
    if (known == name) return &value;
  return nullptr;
}

bool FactActivation::in(std::string_view state_id) const {
  for (const auto& [known, active] : active_)
    if (known == state_id) return active;
  return false;
}

}  // namespace checkride::cel
