// Parameters as a person types them: "-p name=value", by the type the definition declares.
#pragma once

#include <string>
#include <vector>

#include "engine/decider/definition.h"

namespace checkride::cli {

// `given` holds "name=value"; `json_file`, when not empty, a JSON object read first. Strings stand as
// they are; lists, maps and numbers are JSON (a list of strings may also be "a,b,c"); paths become
// absolute. Defaults of path params are made absolute too, so that they no longer depend on the
// current folder. Unless `complete`, only those given are there, checked one by one.
Result<cel::Map> parse_parameters(const Definition& definition,
                                  const std::vector<std::string>& given,
                                  const std::string& json_file, bool complete = true);

// One value as it stands behind `name=`.
Result<cel::Value> parse_value(const std::string& text, const cel::Type& type);

// A JSON value fitted to a declared type: whole numbers become double or uint where one is wanted,
// ISO 8601 text a timestamp, "30s" a duration; null in an optional field is as if left out.
Result<cel::Value> fit(const cel::Value& value, const cel::Type& type);

}  // namespace checkride::cli
