// What could not be carried over between SCXML and a definition, for people and programs.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/render/json.h"
#include "workflows/scxml/scxml.h"

namespace checkride::cli {

// "chart.scxml:4:7: error: ...", on the error stream.
inline void print_remarks(const Context& context, const std::string& file,
                          const std::vector<ScxmlRemark>& remarks) {
  for (const ScxmlRemark& remark : remarks) {
    const bool error = remark.severity == ScxmlRemark::Severity::error;
    context.err << file << ":" << remark.place.line << ":" << remark.place.column << ": "
                << (error ? "error: " : "note: ") << remark.message << "\n";
  }
}

inline json::array remarks_json(const std::vector<ScxmlRemark>& remarks) {
  json::array array;
  for (const ScxmlRemark& remark : remarks) {
    const bool error = remark.severity == ScxmlRemark::Severity::error;
    array.push_back(json::object{{"line", remark.place.line},
                                 {"column", remark.place.column},
                                 {"severity", error ? "error" : "note"},
                                 {"message", remark.message}});
  }
  return array;
}

}  // namespace checkride::cli
