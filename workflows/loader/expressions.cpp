// Scalars, keys, expressions and templates of a definition: the leaves that every other part reads.
#include <algorithm>
#include <unordered_set>

#include "workflows/loader/reader.h"
#include "workflows/loader/types.h"

namespace checkride::loader {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

bool is_word(std::string_view text, std::string_view more) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

}  // namespace

void DefinitionReader::broken(Place place, std::string_view rule, std::string message,
                              std::string suggestion) {
  structure_sound_ = false;
  reporter_.error(place, rule, std::move(message), std::move(suggestion));
}

void DefinitionReader::check_keys(const Node& map, const std::vector<std::string>& known,
                                  std::string_view what) {
  for (const Entry& entry : map.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    std::string keys;
    for (const std::string& key : known) keys += (keys.empty() ? "" : ", ") + key;
    broken(entry.place, "unknown-key",
           std::string(what) + " has no key '" + entry.key + "'; it may have " + keys,
           reporter_.did_you_mean(entry.key, known));
  }
}

bool DefinitionReader::expect_map(const Node& node, std::string_view what) {
  if (node.is_map()) return true;
  broken(node.place, "shape",
         std::string(what) + " must be a map, not " + std::string(describe(node)));
  return false;
}

std::optional<std::string> DefinitionReader::text_of(const Node& node, std::string_view what) {
  if (node.is_scalar()) return node.text;
  reporter_.error(node.place, "shape",
                  std::string(what) + " must be text, not " + std::string(describe(node)));
  return std::nullopt;
}

std::string DefinitionReader::text_or(const Node& map, std::string_view key, std::string fallback) {
  const Node* node = map.find(key);
  if (node == nullptr) return fallback;
  return text_of(*node, key).value_or(std::move(fallback));
}

bool DefinitionReader::flag(const Node& map, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr) return false;
  const auto value = scalar_value(*node);
  if (value && value->kind() == cel::Kind::boolean) return value->as_bool();
  reporter_.error(
      node->place, "shape",
      "'" + std::string(key) + "' must be true or false, not " + std::string(describe(*node)));
  return false;
}

std::optional<Duration> DefinitionReader::duration_of(const Node& node, std::string_view what) {
  const auto text = text_of(node, what);
  if (!text) return std::nullopt;
  auto duration = parse_duration(*text);
  if (duration) return *duration;
  reporter_.error(node.place, "duration", std::string(what) + ": " + duration.error().message);
  return std::nullopt;
}

std::optional<std::int64_t> DefinitionReader::int_of(const Node& node, std::string_view what,
                                                     std::int64_t least, std::int64_t most) {
  const auto value = scalar_value(node);
  if (value && value->kind() == cel::Kind::integer && value->as_int() >= least &&
      value->as_int() <= most)
    return value->as_int();
  reporter_.error(node.place, "shape",
                  std::string(what) + " must be an int from " + std::to_string(least) + " to " +
                      std::to_string(most));
  return std::nullopt;
}

std::vector<std::string> DefinitionReader::names_of(const Node& node, std::string_view what) {
  std::vector<std::string> names;
  std::unordered_set<std::string> known;
  if (!node.is_list()) {
    reporter_.error(
        node.place, "shape",
        std::string(what) + " must be a list of names, not " + std::string(describe(node)));
    return names;
  }
  for (const Node& item : node.items) {
    const auto name = text_of(item, what);
    if (!name) continue;
    if (name->empty())
      reporter_.error(item.place, "shape", std::string(what) + " holds an empty name");
    else if (!known.insert(*name).second)
      reporter_.error(item.place, "shape", std::string(what) + " holds '" + *name + "' twice");
    else
      names.push_back(*name);
  }
  return names;
}

std::optional<cel::Type> DefinitionReader::type_of(const Node& node) {
  // {a: int} without quotes is a YAML map; a person means the record type of that text.
  if (node.is_map()) {
    std::vector<cel::Field> fields;
    for (const Entry& entry : node.entries) {
      const bool optional = entry.key.ends_with('?');
      auto type = type_of(entry.value);
      if (!type) return std::nullopt;
      fields.push_back(
          {entry.key.substr(0, entry.key.size() - (optional ? 1 : 0)), *std::move(type), optional});
    }
    return cel::Type::record(std::move(fields));
  }
  const auto text = text_of(node, "a type");
  if (!text) return std::nullopt;
  auto type = cel::parse_type(*text);
  if (type) return *std::move(type);
  reporter_.error(node.place, "type", type.error().message,
                  reporter_.did_you_mean(*text, {"bool", "int", "uint", "double", "string", "bytes",
                                                 "path", "timestamp", "duration", "dyn"}));
  return std::nullopt;
}

void DefinitionReader::report(const Node& node, const std::vector<cel::Diagnostic>& diagnostics) {
  for (const cel::Diagnostic& d : diagnostics)
    reporter_.error(place_within(node, d.position, document_), "expression", d.message,
                    d.suggestion);
}

std::optional<cel::Program> DefinitionReader::program(const Node& node, const Scope& scope,
                                                      const cel::Type& type,
                                                      std::string_view what) {
  if (!node.is_scalar()) {
    reporter_.error(
        node.place, "shape",
        std::string(what) + " must be a CEL expression, not " + std::string(describe(node)));
    return std::nullopt;
  }
  const std::string_view source = trimmed(node.text);
  if (source.starts_with("${") && source.ends_with('}')) {
    reporter_.error(node.place, "expression",
                    std::string(what) + " is a CEL expression already; write it without ${}");
    return std::nullopt;
  }
  if (reporter_.hopeless()) return std::nullopt;
  auto compiled = cel::Program::compile(source, *scope.environment);
  if (!compiled) {
    report(node, compiled.error());
    return std::nullopt;
  }
  if (!assignable(compiled->type(), type)) {
    reporter_.error(node.place, "type",
                    std::string(what) + " must be " + cel::to_string(type) + ", but this is " +
                        cel::to_string(compiled->type()));
    return std::nullopt;
  }
  return *std::move(compiled);
}

// "${expr}" alone, whose value is wanted with its type.
std::optional<cel::Program> DefinitionReader::hole(const Node& node, const Scope& scope,
                                                   std::string_view what) {
  const std::string_view text = node.is_scalar() ? trimmed(node.text) : std::string_view{};
  if (!text.starts_with("${") || !text.ends_with('}')) {
    reporter_.error(node.place, "shape", std::string(what) + " must be one ${expression}");
    return std::nullopt;
  }
  if (reporter_.hopeless()) return std::nullopt;
  auto compiled =
      cel::Program::compile(trimmed(text.substr(2, text.size() - 3)), *scope.environment);
  if (compiled) return *std::move(compiled);
  for (cel::Diagnostic& d : compiled.error())
    if (d.position.line == 1) d.position.column += 2;
  report(node, compiled.error());
  return std::nullopt;
}

std::optional<cel::Template> DefinitionReader::text_template(const Node& node, const Scope& scope) {
  if (!node.is_scalar()) {
    reporter_.error(node.place, "shape", "this must be text, not " + std::string(describe(node)));
    return std::nullopt;
  }
  if (reporter_.hopeless()) return std::nullopt;
  auto compiled = cel::Template::compile(node.text, *scope.environment);
  if (compiled) return *std::move(compiled);
  report(node, compiled.error());
  return std::nullopt;
}

std::optional<ValueTemplate> DefinitionReader::scalar_template(const Node& node, const Scope& scope,
                                                               const cel::Type& type,
                                                               const std::string& what,
                                                               bool may_be_none) {
  if (!node.is_string() || node.text.find("${") == std::string::npos) {
    auto value = literal(node, type, what);
    if (!value) return std::nullopt;
    return ValueTemplate{*std::move(value)};
  }
  auto text = text_template(node, scope);
  if (!text) return std::nullopt;
  // An optional input whose value is optional.none() is left out.
  const cel::Type given = text->type();
  const bool unwrapped =
      may_be_none && given.kind() == cel::Type::Kind::optional && assignable(given.element(), type);
  if (!unwrapped && !assignable(given, type)) {
    reporter_.error(
        node.place, "type",
        what + " must be " + cel::to_string(type) + ", but this is " + cel::to_string(given));
    return std::nullopt;
  }
  return ValueTemplate{*std::move(text)};
}

std::optional<ValueTemplate> DefinitionReader::value_template(const Node& node, const Scope& scope,
                                                              const cel::Type& type,
                                                              const std::string& what,
                                                              bool may_be_none) {
  using Kind = cel::Type::Kind;
  const bool any = type.kind() == Kind::dyn;
  if (!node.is_list() && !node.is_map())
    return scalar_template(node, scope, type, what, may_be_none);
  const bool fits = node.is_list() ? any || type.kind() == Kind::list
                                   : any || type.kind() == Kind::record || type.kind() == Kind::map;
  if (!fits) {
    reporter_.error(
        node.place, "type",
        what + " must be " + cel::to_string(type) + ", not " + std::string(describe(node)));
    return std::nullopt;
  }
  bool whole = true;
  if (node.is_list()) {
    ValueTemplate::ListOf items;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      auto item = value_template(node.items[i], scope, any ? type : type.element(),
                                 what + "[" + std::to_string(i) + "]");
      whole = whole && item.has_value();
      if (item) items.push_back(*std::move(item));
    }
    if (!whole) return std::nullopt;
    return ValueTemplate{std::move(items)};
  }
  ValueTemplate::MapOf entries;
  if (type.kind() == Kind::record) {
    const std::size_t before = reporter_.errors();
    read_inputs(node, type, what, scope, entries);
    if (reporter_.errors() != before) return std::nullopt;
    return ValueTemplate{std::move(entries)};
  }
  for (const Entry& entry : node.entries) {
    auto value =
        value_template(entry.value, scope, any ? type : type.element(), what + "." + entry.key);
    whole = whole && value.has_value();
    if (value) entries.emplace_back(entry.key, *std::move(value));
  }
  if (!whole) return std::nullopt;
  return ValueTemplate{std::move(entries)};
}

// Titles are shown where no run may exist yet: they may read params and nothing else.
void DefinitionReader::check_shown_text(const Node& node) {
  static_cast<void>(text_template(node, Scope{&shown_}));
}

std::optional<std::string> DefinitionReader::event_name(const Node& node) {
  const auto name = text_of(node, "an event name");
  if (!name) return std::nullopt;
  if (!is_word(*name, "._-") || name->front() == '.' || name->back() == '.' ||
      name->find("..") != std::string::npos) {
    reporter_.error(
        node.place, "event-name",
        "'" + *name + "' is no event name; write letters, digits, '_', '-' and single dots");
    return std::nullopt;
  }
  // What these say is recorded fact; a definition must not forge it.
  for (const std::string_view reserved :
       {"done", "answer", "after", "exhausted", "error.invoke", "error.execution"}) {
    if (*name != reserved && !name->starts_with(std::string(reserved) + ".")) continue;
    reporter_.error(node.place, "event-name",
                    "events '" + std::string(reserved) +
                        ".*' come from the engine; give this one another name");
    return std::nullopt;
  }
  if (!definition_->messages.empty() && name->starts_with(message_prefix)) {
    reporter_.error(node.place, "event-name",
                    "messages come from outside, by `checkride signal`; give this event another "
                    "name");
    return std::nullopt;
  }
  return name;
}

}  // namespace checkride::loader
