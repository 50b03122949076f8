// YAML nodes as values: what a document writes where a value of a declared type is wanted (defaults
// of params and data, scripted results of rehearsals). Internal to workflows.
#pragma once

#include <optional>
#include <string>

#include "engine/cel/type.h"
#include "workflows/loader/reporter.h"
#include "workflows/loader/yaml.h"

namespace checkride::loader {

// What a document writes as int or text where the type is a double, duration or timestamp: YAML has
// no words of its own for these. Anything else stays as it is.
cel::Value adapted(const cel::Value& value, const cel::Type& type);

// The node by YAML's core schema alone; nothing after reporting why.
std::optional<cel::Value> untyped_literal(const Node& node, Reporter& reporter);

// The node as a value of `type`. Every part that does not fit is reported where it stands: unknown
// fields (with the nearest one there is), missing fields, other types. `what` names the whole in
// messages.
std::optional<cel::Value> typed_literal(const Node& node, const cel::Type& type,
                                        const std::string& what, Reporter& reporter);

}  // namespace checkride::loader
