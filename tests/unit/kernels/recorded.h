// Reports of jobs as an H200 gave them: facts, not targets.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

namespace checkride::tests {

// Empty where there is no such record.
inline boost::json::object recorded_h200(const std::string& job) {
  const char* const source = std::getenv("CHECKRIDE_SOURCE");
  std::ifstream file((source == nullptr ? std::string(".") : std::string(source)) +
                     "/tests/fixtures/h200/" + job + ".json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(text, error);
  return value.is_object() ? value.get_object() : boost::json::object{};
}

}  // namespace checkride::tests
