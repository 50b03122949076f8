// CEL values as tagged JSON that reads back to the same bits, for the files of an attempt folder.
// cel::to_json is for people and loses the difference between int, uint and double; a job's inputs
// must reach its supervisor exactly as the log has them.
//
// null, bool, int, string and list are plain JSON. The rest are objects of one key:
//   {"u": "7"} uint   {"d": "0.5"} double (shortest text, "inf", "-inf", "nan")   {"b": "6869"}
//   bytes
//   {"t": 12} timestamp, ns   {"n": 12} duration, ns   {"y": "list<int>"} type
//   {"o": []} or {"o": [v]} optional   {"m": [[k, v], ...]} map
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/cel/value.h"

namespace checkride {

boost::json::value value_to_json(const cel::Value& value);
// `corrupt` when the JSON is not of the form above or nests deeper than 100 values.
Result<cel::Value> value_from_json(const boost::json::value& json);

// Text to JSON: bounded nesting; strings may hold any bytes, as job output may. `corrupt` with the
// offset when it is no JSON.
Result<boost::json::value> parse_json(std::string_view text);

}  // namespace checkride
