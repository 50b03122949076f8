#include "kernels/tools/sanitizer_report.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "kernels/tools/csv.h"

namespace checkride::kernels::tools {

namespace {

constexpr std::size_t records_max = 1000;
constexpr std::size_t text_bytes_max = 500;
constexpr std::string_view mark = "=========";

struct Kind {
  std::string_view beginning;
  std::string_view kind;
};
constexpr std::array kinds = {
    Kind{"Error: Race reported", "race"},     Kind{"Warning: Race reported", "race"},
    Kind{"Info: Race reported", "race"},      Kind{"ERROR: Potential", "race"},
    Kind{"WARNING: Potential", "race"},       Kind{"Error: Potential", "race"},
    Kind{"Warning: Potential", "race"},       Kind{"Invalid", "invalid_access"},
    Kind{"Misaligned", "misaligned_access"},  Kind{"Uninitialized", "uninitialized_read"},
    Kind{"Barrier error", "barrier"},         Kind{"Leaked", "leak"},
    Kind{"Program hit", "api_error"},         Kind{"Malloc/Free", "free_error"},
    Kind{"Stack overflow", "stack_overflow"}, Kind{"Unused memory", "unused_memory"}};

std::string bounded(std::string_view text) {
  return std::string(text.substr(0, text_bytes_max));
}

std::string_view after(std::string_view line, std::string_view words) {
  const std::size_t at = line.find(words);
  return at == std::string_view::npos ? std::string_view() : line.substr(at + words.size());
}

// The whole number at the beginning: "4,096 bytes" is 4096.
std::optional<std::int64_t> count_at(std::string_view text) {
  std::int64_t value = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ',' && digits > 0) continue;
    if (c < '0' || c > '9') break;
    if (++digits > 17) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return digits == 0 ? std::nullopt : std::optional(value);
}

std::int64_t count_after(std::string_view line, std::string_view words) {
  return count_at(after(line, words)).value_or(0);
}

// "kernel(int *)+0x70 in file.cu:12".
void read_place(std::string_view place, SanitizerRecord& record) {
  const std::size_t offset = place.rfind("+0x");
  if (record.kernel.empty() && offset != std::string_view::npos)
    record.kernel = bounded(place.substr(0, offset));
  std::string_view file =
      after(place.substr(offset == std::string_view::npos ? 0 : offset), " in ");
  const std::size_t colon = file.rfind(':');
  if (!record.file.empty() || colon == std::string_view::npos) return;
  record.file = bounded(file.substr(0, colon));
  record.line = count_at(file.substr(colon + 1));
}

class Reader {
 public:
  SanitizerReport read(std::string_view text) {
    each_line(text, [&](std::string_view line) {
      if (!line.starts_with(mark)) return;
      line.remove_prefix(mark.size());
      if (line.starts_with("  ")) {
        const std::size_t words = line.find_first_not_of(' ');
        if (words != std::string_view::npos) more(line.substr(words));
        return;
      }
      open_ = false;
      if (line.size() > 1) head(line.substr(1));
    });
    return std::move(report_);
  }

 private:
  void head(std::string_view line) {
    if (line.starts_with("COMPUTE-SANITIZER")) {
      report_.started = true;
    } else if (line.find("errors were not printed") != line.npos ||
               line.find("error was not printed") != line.npos) {
      report_.not_printed += count_after(line, "SUMMARY: ");
    } else if (line.starts_with("ERROR SUMMARY: ")) {
      report_.summary_seen = true;
      report_.errors += count_after(line, "SUMMARY: ");
    } else if (line.starts_with("RACECHECK SUMMARY: ")) {
      report_.summary_seen = true;
      report_.racecheck = true;
      report_.hazards += count_after(line, "SUMMARY: ");
      report_.hazard_errors += count_after(line, "(");
      report_.hazard_warnings += count_after(after(line, "("), ", ");
    } else if (line.starts_with("LEAK SUMMARY: ")) {
      report_.leaked_bytes += count_after(line, "SUMMARY: ");
      report_.leaks += count_after(line, " in ");
    } else if (line.starts_with("Target application returned an error")) {
      keep_first(report_.target_error_line, line);
    } else if (line.starts_with("Target application")) {
      keep_first(report_.tool_error_line, line);
    } else if (line.find("Device not supported") != line.npos) {
      report_.device_supported = false;
      keep_first(report_.tool_error_line, line);
    } else if (line.starts_with("Error: process didn't terminate successfully")) {
      report_.target_killed = true;
      keep_first(report_.target_error_line, line);
    } else if (const Kind* kind = kind_of(line); kind != nullptr) {
      record(*kind, line);
    } else if (line.starts_with("Error: ") || line.starts_with("Internal Sanitizer Error")) {
      keep_first(report_.tool_error_line, line);
    }
  }

  static const Kind* kind_of(std::string_view line) {
    for (const Kind& kind : kinds)
      if (line.starts_with(kind.beginning)) return &kind;
    return nullptr;
  }
  static void keep_first(std::string& place, std::string_view line) {
    if (place.empty()) place = bounded(line);
  }

  void record(const Kind& kind, std::string_view line) {
    ++report_.records_seen;
    if (kind.kind == "api_error") ++report_.api_errors;
    if (report_.records.size() == records_max) return;
    SanitizerRecord& record = report_.records.emplace_back();
    open_ = true;
    record.kind = kind.kind;
    if (kind.kind == "invalid_access" && line.find(" write of ") != line.npos)
      record.kind = "invalid_write";
    if (kind.kind == "invalid_access" && line.find(" read of ") != line.npos)
      record.kind = "invalid_read";
    record.message = bounded(line);
    record.warning = line.starts_with("Warning") || line.starts_with("WARNING");
    record.bytes = count_at(after(line, "of size "));
    if (kind.kind == "leak") record.bytes = count_at(after(line, "Leaked "));
    if (kind.kind == "race" && record.block.empty()) {
      const auto block = after(line, " in block ");
      record.block = bounded(block.substr(0, block.find(" :")));
      const auto address = after(line, " at __shared__ ");
      record.address = bounded(address.substr(0, address.find(' ')));
    }
    if (const auto place = after(line, " access at "); !place.empty()) read_place(place, record);
  }

  void more(std::string_view line) {
    if (!open_) return;
    SanitizerRecord& record = report_.records.back();
    if (line.starts_with("at ")) read_place(line.substr(3), record);
    if (line.starts_with("by thread ") && record.thread.empty()) {
      record.thread = bounded(line.substr(10, line.find(" in block ") - 10));
      record.block = bounded(after(line, " in block "));
    }
    for (const std::string_view before : {"Address ", "Access to "})
      if (line.starts_with(before) && record.address.empty())
        record.address =
            bounded(line.substr(before.size(), line.find(' ', before.size()) - before.size()));
    if (const auto thread = after(line, " Thread "); record.kind == "race" && !thread.empty()) {
      if (record.thread.empty()) record.thread = bounded(thread.substr(0, thread.find(" at ")));
      read_place(after(thread, " at "), record);
    }
    if (line.starts_with("and ") && record.kind == "race")
      if (const auto place = after(line, " access at "); !place.empty()) read_place(place, record);
  }

  SanitizerReport report_;
  bool open_ = false;
};

}  // namespace

SanitizerReport read_sanitizer_report(std::string_view text) {
  return Reader().read(text);
}

}  // namespace checkride::kernels::tools
