// Validates JSON against the part of JSON Schema (2020-12) that the project's own schema uses. A
// keyword it does not know is a failure of its own, so that no check passes by being ignored.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "workflows/loader/yaml.h"

namespace checkride::test {

// Nothing when `document` is valid, else where and why not: "/states/a/invoke: no property 'jop'".
std::optional<std::string> schema_error(const boost::json::value& schema,
                                        const boost::json::value& document);

// A YAML document as an editor sees it; ints beyond 64 bits become text.
boost::json::value as_json(const loader::Node& node);

}  // namespace checkride::test
