#include <ostream>

#include "cli/context.h"
#include "engine/cel/value.h"

namespace checkride::cli {

int report_error(const Context& context, const Error& error) {
  if (context.json) {
    std::string line = "{\"error\": {\"code\": ";
    cel::append_json_string(line, to_string(error.code));
    line += ", \"message\": ";
    cel::append_json_string(line, error.text());
    context.out << line << "}}\n";
  } else {
    context.err << "checkride: " << error.text() << "\n";
  }
  switch (error.code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::already_exists: return exit_usage;
    case ErrorCode::timeout: return exit_interrupted;
    default: return exit_engine;
  }
}

}  // namespace checkride::cli
