// The JSON side of the verbs: small shorthands over Boost.JSON. Objects keep the order in which
// keys were put in; keys are snake_case and stable, fields are only ever added. Times are ISO 8601
// text, durations seconds, digests hexadecimal text, absent things are left out or null as said.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "cli/render/view.h"

namespace checkride::cli {

namespace json = boost::json;

// int beyond 53 bits stay int64; NaN and infinities, bytes, timestamps and durations are texts.
json::value as_json(const cel::Value& value);
json::value as_json(const View& view, const cel::Value& value);  // secrets masked
json::array as_json(const std::vector<std::string>& texts);
json::string as_json(Timestamp time);
json::string as_json(const Digest& digest);
json::object as_json(const Actor& actor);
double seconds(Duration duration);

// On one line. Texts of the world outside (names of files, output) need not be UTF-8; JSON is.
std::string serialized(const json::value& value);
// The same with a line end.
std::string document(const json::value& value);

}  // namespace checkride::cli
