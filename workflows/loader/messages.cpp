// `messages` and `needs`: what a run hears from outside, and what an attempt leases.
#include <algorithm>

#include "workflows/loader/language.h"
#include "workflows/loader/reader.h"

namespace checkride::loader {
namespace {

bool is_message_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

bool is_resource_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

}  // namespace

void DefinitionReader::read_messages(const Node* node) {
  if (node == nullptr || !expect_map(*node, "'messages'")) return;
  for (const Entry& entry : node->entries) {
    MessageSpec message;
    message.name = entry.key;
    message.place = entry.place;
    if (!is_message_name(entry.key)) {
      reporter_.error(entry.place, "name",
                      "'" + entry.key +
                          "' is no name for a message; write one word of letters, digits, '-' "
                          "and '_'");
      continue;
    }
    const bool bare = entry.value.is_null();
    if (!bare && !expect_map(entry.value, "a message")) continue;
    if (!bare) {
      check_keys(entry.value, keys_of("message"), "a message");
      if (const Node* type = entry.value.find("type"))
        if (auto read = type_of(*type)) message.type = *std::move(read);
      if (const Node* ttl = entry.value.find("ttl")) {
        message.ttl = duration_of(*ttl, "'ttl'");
        if (message.ttl && *message.ttl <= Duration(0))
          reporter_.error(ttl->place, "shape", "'ttl' must be longer than nothing, such as 2h");
      }
      message.title = text_or(entry.value, "title", "");
    }
    definition_->messages.push_back(std::move(message));
  }
}

void DefinitionReader::read_needs(const Node& node, InvokeSpec& spec) {
  if (!expect_map(node, "'needs'")) return;
  if (!spec.signature.supervised) {
    reporter_.error(node.place, "needs",
                    "job '" + spec.signature.name +
                        "' runs inside the engine and leases nothing; remove 'needs'");
    return;
  }
  for (const Entry& entry : node.entries) {
    if (entry.key == "exclusive") {
      spec.needs.exclusive = flag(node, "exclusive");
      continue;
    }
    if (!is_resource_name(entry.key)) {
      reporter_.error(entry.place, "name",
                      "'" + entry.key +
                          "' is no name for a resource; write one word in lower case, such as gpu");
      continue;
    }
    if (const auto units = int_of(entry.value, "'" + entry.key + "'", 1, 1024))
      spec.needs.units[entry.key] = static_cast<std::uint32_t>(*units);
  }
  if (spec.needs.units.empty())
    reporter_.error(node.place, "needs",
                    "'needs' names no resource; write how many of which, such as {gpu: 1}");
}

}  // namespace checkride::loader
