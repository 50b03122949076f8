#include "kernels/tools/report_text.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "kernels/job/inputs.h"

namespace checkride::kernels::tools {

Result<std::string> report_text(const json::object& inputs) {
  if (has(inputs, "report") == has(inputs, "text"))
    return fail(ErrorCode::invalid_argument, "give either `report`, a file, or `text`");
  std::string report = text(inputs, "text");
  if (has(inputs, "report")) {
    CR_TRY(report, file_text(text(inputs, "report"), report_bytes_max));
  }
  if (report.empty()) return fail(ErrorCode::invalid_argument, "the report is empty");
  return report;
}

bool takes_room(const json::value& value, std::size_t& room) {
  const std::size_t bytes = json::serialize(value).size();
  if (bytes > room) return false;
  room -= bytes;
  return true;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array all;
  for (const std::string& text : texts)
    if (all.size() < 16) all.emplace_back(text.substr(0, 300));
  return all;
}

JobReport no_answer(JobReport report, Status status, std::string reason, std::string message) {
  report.status = status;
  report.reasons = {std::move(reason)};
  report.message = std::move(message);
  return report;
}

}  // namespace checkride::kernels::tools
