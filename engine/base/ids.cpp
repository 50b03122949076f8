#include "engine/base/ids.h"

namespace checkride {

namespace {
bool allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}
}  // namespace

Result<RunId> parse_run_id(std::string_view text) {
  if (text.empty())
    return fail(ErrorCode::invalid_argument, "the run id is empty; give a name or leave it out");
  if (text.size() > run_id_bytes_max)
    return fail(ErrorCode::invalid_argument,
                "the run id has " + std::to_string(text.size()) + " bytes; at most " +
                    std::to_string(run_id_bytes_max) + " are allowed");
  if (text.front() == '.' || text.front() == '-' || text.find("..") != std::string_view::npos)
    return fail(ErrorCode::invalid_argument, "the run id '" + std::string(text) +
                                                 "' begins with '.' or '-' or holds '..'");
  for (const char c : text)
    if (!allowed(c))
      return fail(ErrorCode::invalid_argument,
                  "the run id '" + std::string(text) + "' holds '" + std::string(1, c) +
                      "'; use letters, digits, '.', '_' and '-'");
  return RunId(std::string(text));
}

Token token_of(const RunId& run, Sequence sequence) {
  return Token(run.value + "." + std::to_string(sequence.value));
}

}  // namespace checkride
