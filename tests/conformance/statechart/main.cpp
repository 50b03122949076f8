// Runs statechart conformance files: machines, events and the configurations they must lead to.
// Arguments are files, or folders of .json files. Prints a line a test, then totals for each file
// and tier; mismatches of the order of exits and entries have lines and totals of their own. Exit
// code 0: no failure and no order mismatch; 1: some; 2: a file cannot be read; 77: nothing to run.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "engine/base/files.h"
#include "tests/conformance/statechart/session.h"

namespace checkride::conformance {
namespace {

namespace json = boost::json;

constexpr std::size_t file_bytes_max = 64U << 20;
constexpr std::size_t shown_max = 12;

struct Verdict {
  enum class Kind { pass, fail, skip } kind = Kind::pass;
  std::string reason;
  std::string order_mismatch;  // empty: none, or there was nothing to compare
};

struct Totals {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::size_t order_mismatches = 0;
};

std::string joined(const std::vector<std::string>& items) {
  std::string text = "[";
  for (std::size_t i = 0; i < items.size() && i < shown_max; ++i) {
    text += (i == 0 ? "" : " ") + items[i];
  }
  if (items.size() > shown_max) text += " ... " + std::to_string(items.size()) + " in all";
  return text + "]";
}

std::vector<std::string> strings(const json::value& value) {
  std::vector<std::string> result;
  if (!value.is_array()) return result;
  for (const json::value& item : value.get_array()) {
    if (item.is_string()) result.emplace_back(item.get_string().data(), item.get_string().size());
  }
  return result;
}

// Compares where the machine stands with what `expected` says under `configuration_key`; both parts
// may be absent. Returns the reason of a failure, or nothing.
std::string compare(Session& session, const json::object& expected, const char* configuration_key,
                    const std::string& where, Verdict& verdict) {
  const std::vector<std::string> order = session.take_order();
  const json::value* expected_order = expected.if_contains("order");
  if (expected_order != nullptr && verdict.order_mismatch.empty()) {
    const std::vector<std::string> wanted = strings(*expected_order);
    if (wanted != order) {
      verdict.order_mismatch = where + ": expected " + joined(wanted) + ", got " + joined(order);
    }
  }
  const json::value* parked = expected.if_contains("parked");
  if (session.parked() != (parked != nullptr && parked->is_bool() && parked->get_bool())) {
    return where + (session.parked() ? ": a failure parked it" : ": no failure parked it");
  }
  const json::value* configuration = expected.if_contains(configuration_key);
  if (configuration == nullptr) return {};
  std::vector<std::string> wanted = strings(*configuration);
  std::sort(wanted.begin(), wanted.end());
  const std::vector<std::string> got = session.configuration();
  if (wanted == got) return {};
  return where + ": expected " + joined(wanted) + ", got " + joined(got);
}

Verdict failed(std::string reason) {
  return {Verdict::Kind::fail, std::move(reason), {}};
}

Verdict run_test(const json::object& test) {
  const json::value* machine_json = test.if_contains("machine");
  if (machine_json == nullptr || !machine_json->is_object()) return failed("there is no machine");
  auto machine = build_machine(machine_json->get_object());
  if (!machine) {
    if (machine.error().code == ErrorCode::unsupported) {
      return {Verdict::Kind::skip, machine.error().text(), {}};
    }
    return failed(machine.error().text());
  }
  const json::value* errors = test.if_contains("errors");
  Session session(*std::move(machine),
                  errors != nullptr && errors->is_string() && errors->get_string() == "park");
  Verdict verdict;
  const auto fail_with = [&](std::string reason) {
    verdict.kind = Verdict::Kind::fail;
    verdict.reason = std::move(reason);
    return verdict;
  };
  if (const auto started = session.start(); !started) {
    return fail_with("start: " + started.error().text());
  }
  if (std::string reason = compare(session, test, "initial", "start", verdict); !reason.empty()) {
    return fail_with(std::move(reason));
  }
  const json::value* steps = test.if_contains("steps");
  if (steps == nullptr || !steps->is_array()) return verdict;
  std::size_t number = 0;
  for (const json::value& step : steps->get_array()) {
    const std::string where = "step " + std::to_string(++number);
    if (!step.is_object()) return fail_with(where + " is no object");
    const json::object& object = step.get_object();
    if (const json::value* after = object.if_contains("after")) {
      if (!after->is_int64() || after->get_int64() < 0) return fail_with(where + ": bad 'after'");
      const auto passed = session.advance(std::chrono::milliseconds(after->get_int64()));
      if (!passed) return fail_with(where + ": " + passed.error().text());
    }
    const json::value* event = object.if_contains("event");
    if (event != nullptr && event->is_string()) {
      const std::string name(event->get_string().data(), event->get_string().size());
      const auto sent = session.send(name);
      if (!sent) return fail_with(where + ": " + sent.error().text());
    }
    std::string reason = compare(session, object, "configuration", where, verdict);
    if (!reason.empty()) return fail_with(std::move(reason));
  }
  return verdict;
}

std::string text_or(const json::object& object, const char* key, const char* otherwise) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return otherwise;
  return {value->get_string().data(), value->get_string().size()};
}

void report(const std::string& id, const Verdict& verdict, Totals& totals) {
  switch (verdict.kind) {
    case Verdict::Kind::pass:
      ++totals.passed;
      std::cout << "PASS " << id << '\n';
      break;
    case Verdict::Kind::fail:
      ++totals.failed;
      std::cout << "FAIL " << id << ": " << verdict.reason << '\n';
      break;
    case Verdict::Kind::skip:
      ++totals.skipped;
      std::cout << "SKIP " << id << ": " << verdict.reason << '\n';
      break;
  }
  if (verdict.order_mismatch.empty()) return;
  ++totals.order_mismatches;
  std::cout << "ORDER " << id << ": " << verdict.order_mismatch << '\n';
}

Result<std::map<std::string, Totals>> run_file(const std::filesystem::path& path) {
  CR_TRY(const std::string text, read_file(path, file_bytes_max));
  json::parse_options options;
  options.max_depth = 512;
  boost::system::error_code error;
  const json::value document = json::parse(text, error, {}, options);
  if (error) {
    return fail(ErrorCode::invalid_argument, path.string() + " is no JSON: " + error.message());
  }
  const json::value* tests =
      document.is_object() ? document.get_object().if_contains("tests") : &document;
  if (tests == nullptr || !tests->is_array()) {
    return fail(ErrorCode::invalid_argument, path.string() + " has no list of tests");
  }
  std::map<std::string, Totals> tiers;
  for (const json::value& test : tests->get_array()) {
    if (!test.is_object()) {
      report("?", failed("the test is no object"), tiers["?"]);
      continue;
    }
    const json::object& object = test.get_object();
    report(text_or(object, "id", "?"), run_test(object), tiers[text_or(object, "tier", "?")]);
  }
  return tiers;
}

// Folders become the .json files in them, sorted by name; what is absent is said and left out.
std::vector<std::filesystem::path> collect(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path path = argv[i];
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      paths.push_back(path);
      continue;
    }
    std::vector<std::filesystem::path> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      if (entry.path().extension() == ".json") inside.push_back(entry.path());
    }
    std::sort(inside.begin(), inside.end());
    paths.insert(paths.end(), inside.begin(), inside.end());
  }
  return paths;
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: statechart_conformance FILE|FOLDER...\n";
    return 2;
  }
  if (argc == 2 && !std::filesystem::exists(argv[1])) {
    std::cout << "skipped: " << argv[1] << " is not here\n";
    return 77;
  }
  const std::vector<std::filesystem::path> paths = collect(argc, argv);
  if (paths.empty()) {
    std::cout << "skipped: no .json files are here\n";
    return 77;
  }
  bool unreadable = false;
  bool wrong = false;
  std::vector<std::string> summary;
  for (const std::filesystem::path& path : paths) {
    const auto tiers = run_file(path);
    if (!tiers) {
      std::cerr << tiers.error().text() << '\n';
      unreadable = true;
      continue;
    }
    if (tiers->empty()) {
      std::cerr << path.string() << ": no case is in it\n";
      unreadable = true;
    }
    for (const auto& [tier, totals] : *tiers) {
      wrong = wrong || totals.failed > 0 || totals.order_mismatches > 0;
      summary.push_back(path.filename().string() + " " + tier + ": " +
                        std::to_string(totals.passed) + " passed, " +
                        std::to_string(totals.failed) + " failed, " +
                        std::to_string(totals.skipped) + " skipped, " +
                        std::to_string(totals.order_mismatches) + " with another order");
    }
  }
  for (const std::string& line : summary) std::cout << line << '\n';
  if (unreadable) return 2;
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace checkride::conformance

int main(int argc, char** argv) {
  return checkride::conformance::run(argc, argv);
}
