// JSON for people: indented, keys in the order in which they were put in.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace checkride {

std::string indented(const boost::json::value& value);

}  // namespace checkride
