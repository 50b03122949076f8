// The reference of the language, in Markdown.
#include <algorithm>

#include "workflows/loader/language.h"
#include "workflows/views/schema.h"

namespace checkride {
namespace {

using loader::MapForm;

std::string anchor(std::string_view title) {
  std::string result;
  for (const char c : title)
    result += c == ' ' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

std::string link(const MapForm& map) {
  return "[" + std::string(map.title) + "](#" + anchor(map.title) + ")";
}

// What stands behind a key: the words of a form, with the maps it may be.
std::string value_of(std::string_view form) {
  if (const MapForm* map = loader::find_map(form)) return link(*map);
  std::string text(loader::find_form(form)->words);
  struct Words {
    std::string_view form;
    std::string_view map;
  };
  constexpr Words maps[] = {
      {"params", "param"},      {"data", "data_field"},           {"machines", "machine"},
      {"states", "state"},      {"transitions", "transition"},    {"events", "transition"},
      {"delays", "transition"}, {"exhausted", "transition"},      {"actions", "action"},
      {"raise_form", "raise"},  {"branches", "if_branch"},        {"undo", "job"},
      {"retry", "retry_rule"},  {"retry_of_class", "retry_rule"}, {"limits", "timeout"},
      {"parse", "parse_rule"},
  };
  for (const Words& words : maps)
    if (words.form == form) text += "; see " + link(*loader::find_map(words.map));
  if (form == "invocation")
    text = link(*loader::find_map("job")) + ", " + link(*loader::find_map("gate")) + " or " +
           link(*loader::find_map("machine_invocation"));
  return text;
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

}  // namespace

std::string language_reference(const std::vector<const JobSignature*>& kinds) {
  std::string out =
      "# The definition language\n\n"
      "Written by `checkride schema --format md` from the tables the loader reads with; a test "
      "compares. `checkride\nschema` prints the same as JSON Schema for editors. For an "
      "introduction see\n[../guides/write-a-procedure.md](../guides/write-a-procedure.md), for "
      "what is refused [lint.md](lint.md). Keys\nmarked * must be there.\n";
  for (const MapForm& map : loader::language_maps()) {
    out += "\n## " + std::string(map.title) + "\n\n" + std::string(map.description) + "\n\n" +
           "| key | value | meaning |\n|---|---|---|\n";
    for (const loader::Key& key : map.keys)
      out += "| `" + std::string(key.name) + "`" + (key.required ? " *" : "") + " | " +
             cell(value_of(key.form)) + " | " + cell(std::string(key.description)) + " |\n";
  }
  out +=
      "\n## Types\n\n`bool int uint double string path bytes timestamp duration dyn list<T> map<K, "
      "V> optional<T>`, and records\n`{name: T, \"name?\": T}`, where `?` marks a field that may "
      "be "
      "missing. A duration is written `1h30m` (d h m s ms us\nns), a timestamp as in RFC 3339.\n"
      "\n## Kinds of job\n\nWhat an input may be is said by its type; `${CEL}` may stand for any "
      "of "
      "them. `repeat` says what may follow\nwhen the end of an attempt is unknown.\n\n"
      "| kind | what it does | inputs | result | repeat |\n|---|---|---|---|---|\n";
  for (const JobSignature* kind : kinds) {
    if (kind->performer == JobSignature::Performer::machine) continue;
    out += "| `" + kind->name + "` | " + cell(kind->title) + " | `" +
           cell(cel::to_string(kind->inputs)) + "` | `" + cell(cel::to_string(kind->result)) +
           "` | " + std::string(to_string(kind->repeat)) + " |\n";
  }
  return out;
}

}  // namespace checkride
