// file.check, log.scan and json.read: questions about files, answered in the engine's pool. They
// are bounded by the sizes below and by RE2's linear time, and they change nothing.
#include <re2/re2.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <fstream>

#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"
#include "workflows/jobs/git.h"
#include "workflows/jobs/kind.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t checked_bytes_max = 32ULL << 20;
constexpr std::size_t scanned_bytes_max = 256ULL << 20;
constexpr std::size_t json_bytes_max = 16ULL << 20;

std::unique_ptr<re2::RE2> expression(const std::string& text, bool multi_line) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // logs need not be valid UTF-8
  options.set_max_mem(8 << 20);
  return std::make_unique<re2::RE2>(multi_line ? "(?m)" + text : text, options);
}

Error invalid_expression(const std::string& text, const re2::RE2& compiled) {
  return {ErrorCode::invalid_argument,
          "'" + text + "' is no regular expression: " + compiled.error(),
          {}};
}

// Why `text` fails one check; empty when it holds.
Result<std::string> first_problem(const cel::Value& check, const std::string& text) {
  for (const std::string& wanted : strings(check, "contains"))
    if (text.find(wanted) == std::string::npos) return "does not contain: " + wanted;
  for (const std::string& unwanted : strings(check, "lacks"))
    if (text.find(unwanted) != std::string::npos) return "contains: " + unwanted;
  for (const std::string& pattern : strings(check, "matches")) {
    const auto compiled = expression(pattern, true);
    if (!compiled->ok()) return tl::unexpected(invalid_expression(pattern, *compiled));
    if (!re2::RE2::PartialMatch(text, *compiled)) return "does not match: " + pattern;
  }
  std::size_t from = 0;
  for (const std::string& next : strings(check, "order")) {
    const std::size_t at = text.find(next, from);
    if (at == std::string::npos)
      return (text.find(next) == std::string::npos ? "does not contain: " : "not in this order: ") +
             next;
    from = at + next.size();
  }
  return std::string();
}

Result<JobOutcome> file_check(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const fs::path root = path_of(in.string_or("root", "."), context.run_folder);
  BoundedList results(300);
  std::vector<std::string> failed;
  std::vector<std::string> missing;
  const auto look = [&](const cel::Value& check, const std::string& file) -> Result<void> {
    const fs::path path = path_of(file, root);
    struct stat info {};
    const bool exists = ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
    std::string problem;
    if (!exists) {
      problem = "does not exist";
      missing.push_back(file);
    } else if (info.st_size < check.int_or("min_bytes", 0)) {
      problem = "has only " + std::to_string(info.st_size) + " bytes";
    } else if (check.kind() == cel::Kind::map) {
      CR_TRY(const std::string text, read_file(path, checked_bytes_max));
      CR_TRY(problem, first_problem(check, text));
    }
    const std::string name = check.string_or("name", file);
    if (!problem.empty()) failed.push_back(name + ": " + file + " " + problem);
    cel::Map result;
    result.set("name", front_of(name, 512));
    result.set("file", front_of(file, 4096));
    result.set("ok", problem.empty());
    result.set("exists", exists);
    result.set("problem", front_of(problem, 1024));
    result.set("bytes", static_cast<std::int64_t>(exists ? info.st_size : 0));
    result.set(
        "modified",
        Timestamp{exists ? info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec : 0});
    results.add(std::move(result));
    return {};
  };
  for (const std::string& file : strings(in, "files")) CR_CHECK(look(cel::Value(), file));
  const cel::Value* checks = in.field("checks");
  if (checks != nullptr)
    for (const cel::Value& check : checks->as_list())
      CR_CHECK(look(check, check.string_or("file", "")));
  cel::Map result;
  result.set("ok", failed.empty());
  result.set("results", results.value());
  result.set("total", results.total());
  result.set("failed", list_of(failed));
  result.set("missing", list_of(missing));
  return completed(std::move(result), failed.empty() ? JobStatus::pass : JobStatus::fail);
}

// What one pattern found.
struct Scan {
  std::string text;
  std::unique_ptr<re2::RE2> pattern;
  std::int64_t count = 0;
  std::int64_t line = 0;
  std::string last;
  std::string capture;
  BoundedList lines;
};

cel::Map line_record(std::int64_t number, const std::string& text) {
  cel::Map record;
  record.set("line", number);
  record.set("text", front_of(text, 2048));
  return record;
}

Result<JobOutcome> log_scan(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const fs::path path = path_of(in.string_or("file", ""), context.run_folder);
  const auto lines_max =
      static_cast<std::size_t>(std::clamp<std::int64_t>(in.int_or("max_lines", 20), 0, 200));
  const auto around =
      static_cast<std::size_t>(std::clamp<std::int64_t>(in.int_or("around", 0), 0, 20));
  std::map<std::string, Scan> scans;
  const cel::Value* patterns = in.field("patterns");
  if (patterns == nullptr || patterns->as_map().size() > 64)
    return fail(ErrorCode::invalid_argument, "log.scan takes 1 to 64 patterns");
  const std::size_t budget = (96U << 10) / std::max<std::size_t>(1, patterns->as_map().size());
  for (const auto& [name, text] : patterns->as_map()) {
    Scan scan;
    scan.text = text.as_string();
    scan.pattern = expression(scan.text, false);
    scan.lines = BoundedList(lines_max * (2 * around + 1), budget);
    if (!scan.pattern->ok()) return tl::unexpected(invalid_expression(scan.text, *scan.pattern));
    scans.emplace(name.as_string(), std::move(scan));
  }
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  const bool exists = fs::is_regular_file(path, ignored) && file.is_open();
  std::deque<std::string> before;
  std::int64_t number = 0;
  std::size_t bytes = 0;
  std::map<std::string, std::size_t> after;   // lines still to be shown behind a match
  std::map<std::string, std::int64_t> shown;  // last line shown
  bool truncated = false;
  std::string line;
  while (exists && std::getline(file, line)) {
    bytes += line.size() + 1;
    if (bytes > scanned_bytes_max) {
      truncated = true;
      break;
    }
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    for (auto& [name, scan] : scans) {
      std::string capture;
      const bool matched = scan.pattern->NumberOfCapturingGroups() > 0
                               ? re2::RE2::PartialMatch(line, *scan.pattern, &capture)
                               : re2::RE2::PartialMatch(line, *scan.pattern);
      if (matched) {
        ++scan.count;
        if (scan.line == 0) scan.line = number;
        scan.last = line;
        scan.capture = capture;
        std::int64_t at = number - static_cast<std::int64_t>(before.size());
        for (const std::string& earlier : before) {
          if (at > shown[name]) scan.lines.add(line_record(at, earlier));
          ++at;
        }
        after[name] = around;
      } else if (after[name] > 0) {
        --after[name];
      } else {
        continue;
      }
      scan.lines.add(line_record(number, line));
      shown[name] = number;
    }
    if (around == 0) continue;
    before.push_back(front_of(line, 2048));
    if (before.size() > around) before.pop_front();
  }
  cel::Map matches;
  for (auto& [name, scan] : scans) {
    cel::Map found;
    found.set("count", scan.count);
    found.set("found", scan.count > 0);
    found.set("first_line", scan.line);
    found.set("last", front_of(scan.last, 1024));
    found.set("capture", front_of(scan.capture, 1024));
    found.set("lines", scan.lines.value());
    matches.set(name, std::move(found));
  }
  cel::Map result;
  result.set("exists", exists);
  result.set("matches", std::move(matches));
  result.set("lines", number);
  result.set("truncated", truncated);
  return completed(std::move(result));
}

// RFC 6901; nullptr where it leads nowhere.
const cel::Value* at_pointer(const cel::Value& root, const std::string& pointer) {
  const cel::Value* at = &root;
  std::size_t from = 0;
  while (from < pointer.size()) {
    if (pointer[from] != '/') return nullptr;
    const std::size_t end = std::min(pointer.find('/', from + 1), pointer.size());
    std::string token = pointer.substr(from + 1, end - from - 1);
    for (std::size_t i = 0; (i = token.find('~', i)) != std::string::npos && i + 1 < token.size();
         ++i)
      if (token[i + 1] == '0' || token[i + 1] == '1')
        token.replace(i, 2, token[i + 1] == '0' ? "~" : "/");
    if (at->kind() == cel::Kind::list) {
      if (token.empty() || token.size() > 9 ||
          token.find_first_not_of("0123456789") != std::string::npos ||
          (token.size() > 1 && token[0] == '0'))
        return nullptr;
      const auto index = static_cast<std::size_t>(std::stoul(token));
      if (index >= at->as_list().size()) return nullptr;
      at = &at->as_list()[index];
    } else {
      at = at->field(token);
      if (at == nullptr) return nullptr;
    }
    from = end;
  }
  return at;
}

Result<JobOutcome> json_read(const JobSpec& spec, const JobContext& context) {
  const cel::Value in(spec.inputs);
  const fs::path path = path_of(in.string_or("file", ""), context.run_folder);
  cel::Map values;
  std::vector<std::string> missing;
  std::string problem;
  std::error_code ignored;
  const bool exists = fs::is_regular_file(path, ignored);
  cel::Value root;
  bool valid = false;
  if (!exists) {
    problem = "there is no file " + path.string();
  } else {
    CR_TRY(const std::string text, read_file(path, json_bytes_max));
    auto parsed = cel::from_json(text);
    valid = parsed.has_value();
    if (valid)
      root = *std::move(parsed);
    else
      problem = parsed.error().text();
  }
  const cel::Value* pointers = in.field("pointers");
  if (pointers != nullptr)
    for (const auto& [name, pointer] : pointers->as_map()) {
      const cel::Value* found = valid ? at_pointer(root, pointer.as_string()) : nullptr;
      if (found == nullptr)
        missing.push_back(name.as_string());
      else
        values.set(name, *found);
    }
  cel::Map result;
  result.set("exists", exists);
  result.set("valid", valid);
  result.set("ok", valid && missing.empty());
  result.set("problem", front_of(problem, 1024));
  result.set("values", std::move(values));
  result.set("missing", list_of(missing));
  return completed(std::move(result), valid && missing.empty() ? JobStatus::pass : JobStatus::fail);
}

}  // namespace

void add_text_kinds(JobCatalog& catalog) {
  catalog.add(own_kind(
      {"file.check", "Whether files are there and say what they must",
       "{root?: string, files?: list<string>, checks?: list<{file: string, name?: string, "
       "contains?: list<string>, lacks?: list<string>, matches?: list<string>, "
       "order?: list<string>, min_bytes?: int}>}",
       "{ok: bool, results: list<{name: string, file: string, ok: bool, exists: bool, "
       "problem: string, bytes: int, modified: timestamp}>, total: int, failed: list<string>, "
       "missing: list<string>}",
       Repeat::safe, false},
      file_check, {file_check, {"root"}}));
  catalog.add(own_kind(
      {"log.scan", "Lines of a file that match regular expressions",
       "{file: string, patterns: map<string, string>, max_lines?: int, around?: int}",
       "{exists: bool, matches: map<string, {count: int, found: bool, first_line: int, "
       "last: string, capture: string, lines: list<{line: int, text: string}>}>, lines: int, "
       "truncated: bool}",
       Repeat::safe, false},
      log_scan, {log_scan, {"file"}}));
  catalog.add(own_kind({"json.read", "Values of a JSON file by JSON pointer",
                        "{file: string, pointers: map<string, string>}",
                        "{exists: bool, valid: bool, ok: bool, problem: string, "
                        "values: map<string, dyn>, missing: list<string>}",
                        Repeat::safe, false},
                       json_read, {json_read, {"file"}}));
}

}  // namespace checkride::jobs
