// Branches of validation checklists over results of GPU jobs (tests/fixtures/decisions): every
// guard compiles against the declared results, is taken by results that should take it, and by no
// others.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "engine/base/files.h"
#include "engine/cel/program.h"
#include "kernels/catalog/catalog.h"
#include "kernels/job/envelope.h"
#include "kernels/tensor/files.h"
#include "tests/unit/kernels/folder.h"

namespace checkride::kernels {
namespace {

namespace fs = std::filesystem;

fs::path fixtures() {
  const char* const source = std::getenv("CHECKRIDE_SOURCE");
  return fs::path(source == nullptr ? "." : source) / "tests/fixtures";
}

json::value parsed(const fs::path& path) {
  const auto text = read_file(path, std::size_t{4} << 20);
  INFO(path);
  REQUIRE(text);
  return json::parse(*text);
}

const Job& job_named(std::string_view name) {
  const Job* const job = find_job(name);
  INFO(name);
  REQUIRE(job);
  return *job;
}

// What is in `changes` takes the place of what is in `value`; objects and lists item by item.
void plant(json::value& value, const json::value& changes) {
  if (changes.is_object() && value.is_object()) {
    for (const auto& [name, change] : changes.get_object()) plant(value.get_object()[name], change);
  } else if (changes.is_array() && value.is_array() &&
             value.get_array().size() >= changes.get_array().size() &&
             !changes.get_array().empty() && changes.get_array().front().is_object()) {
    for (std::size_t i = 0; i < changes.get_array().size(); ++i)
      plant(value.get_array()[i], changes.get_array()[i]);
  } else {
    value = changes;
  }
}

json::value with_fixtures(const json::value& value) {
  if (value.is_string() && value.get_string().starts_with("@"))
    return json::value((fixtures() / std::string(value.get_string()).substr(1)).string());
  if (!value.is_array()) return value;
  json::array items;
  for (const json::value& item : value.get_array()) items.push_back(with_fixtures(item));
  return items;
}

json::object run(const Job& job, const json::object& given) {
  json::object inputs;
  for (const auto& [name, value] : given) inputs[name] = with_fixtures(value);
  static const fs::path folder = [] {
    char name[] = "/tmp/checkride-decisions-XXXXXX";
    REQUIRE(::mkdtemp(name));
    return fs::path(name);
  }();
  const auto request = request_of(inputs, folder);
  REQUIRE(request);
  const auto report = job.run(*request);
  INFO((report ? "" : report.error().text()));
  REQUIRE(report);
  std::error_code ignored;
  for (const std::string& artifact : report->artifacts) fs::remove(folder / artifact, ignored);
  fs::remove(folder, ignored);
  fs::create_directory(folder, ignored);
  return envelope(job, *request, *report, {});
}

// The first record whose inputs hold these: where it stands in its file may change when it is
// recorded anew.
json::value with_inputs(const json::array& records, const json::object& wanted) {
  const auto holds = [&](const json::value& record) {
    const json::object& inputs = record.at("inputs").as_object();
    return std::ranges::all_of(wanted, [&](const auto& input) {
      const json::value* value = inputs.if_contains(input.key());
      return value != nullptr && *value == input.value();
    });
  };
  const auto found = std::ranges::find_if(records, holds);
  INFO("no record with the inputs " << json::serialize(wanted));
  REQUIRE(found != records.end());
  return *found;
}

// A recorded report in the common envelope: some were kept whole, some as their fields alone.
json::object recorded(const Job& job, const json::object& said) {
  json::value found = parsed(fixtures() / std::string(said.at("recorded").as_string()));
  if (const json::value* at = said.if_contains("at"))
    for (const json::value& step : at->as_array()) {
      json::value next = step.is_string()   ? found.at(step.get_string())
                         : step.is_object() ? with_inputs(found.as_array(), step.get_object())
                                            : found.at(static_cast<std::size_t>(step.as_int64()));
      found = std::move(next);
    }
  JobReport report;
  report.backend = Backend::parse;
  json::object whole = envelope(job, {}, report, {});
  const auto take = [&](const json::object& from) {
    for (const auto& [name, value] : from)
      if (name != "fields" && name != "inputs") whole[name] = value;
  };
  take(found.as_object());
  if (const json::value* fields = found.as_object().if_contains("fields"))
    take(fields->as_object());
  return whole;
}

// What a guard sees: absent where the job says null.
json::value without_nulls(const json::value& value) {
  if (value.is_array()) {
    json::array items;
    for (const json::value& item : value.get_array()) items.push_back(without_nulls(item));
    return items;
  }
  if (!value.is_object()) return value;
  json::object fields;
  for (const auto& [name, item] : value.get_object())
    if (!item.is_null()) fields[name] = without_nulls(item);
  return fields;
}

std::string result_type(const Job& job) {
  return joined_record(job.result, shared_result);
}

class Decisions {
 public:
  Decisions() : said_(parsed(fixtures() / "decisions/decisions.json").as_object()) {}

  const json::array& branches() const { return said_.at("branches").as_array(); }
  const json::object& reports() const { return said_.at("reports").as_object(); }

  json::value report(std::string_view name) {
    INFO(name);
    const auto made = made_.find(name);
    if (made != made_.end()) return made->second;
    const json::value* found = reports().if_contains(name);
    REQUIRE(found);
    const json::object& said = found->as_object();
    const Job& job = job_named(said.at("job").as_string());
    json::value whole =
        said.contains("run") ? run(job, said.at("run").as_object()) : recorded(job, said);
    if (const json::value* planted = said.if_contains("planted")) plant(whole, *planted);
    whole = without_nulls(whole);
    const auto type = cel::parse_type(result_type(job));
    const auto value = cel::from_json(json::serialize(whole));
    REQUIRE(type);
    REQUIRE(value);
    const auto fits = cel::conforms(*value, *type);
    INFO((fits ? "" : fits.error().text()));
    CHECK(fits);
    made_.emplace(name, whole);
    return whole;
  }

  json::value value_of(const std::string& type, const json::value& given) {
    if (given.is_object()) return given.at("is");
    if (given.is_string()) {
      const json::value one = report(given.get_string());
      return type.starts_with("cells of ") ? one.at("cells") : one;
    }
    json::array all;
    for (const json::value& name : given.as_array()) all.push_back(report(name.as_string()));
    return all;
  }

 private:
  json::object said_;
  std::map<std::string, json::value, std::less<>> made_;
};

cel::Type type_of(const std::string& words) {
  std::string text = words;
  if (find_job(words) != nullptr) text = result_type(*find_job(words));
  if (words.starts_with("list of ")) text = "list<" + result_type(job_named(words.substr(8))) + ">";
  if (!words.starts_with("cells of ")) {
    const auto type = cel::parse_type(text);
    REQUIRE(type);
    return *type;
  }
  const auto type = cel::parse_type(result_type(job_named(words.substr(9))));
  REQUIRE(type);
  const cel::Field* cells = type->field("cells");
  REQUIRE(cells);
  return cells->type;
}

enum class End { takes, leaves, parks };

End end_of(const cel::Program& guard, const json::object& types, const json::object& values,
           Decisions& decisions) {
  cel::VariableActivation activation;
  for (const auto& [name, type] : types) {
    const json::value* given = values.if_contains(name);
    REQUIRE(given);
    const auto value =
        cel::from_json(json::serialize(decisions.value_of(std::string(type.as_string()), *given)));
    REQUIRE(value);
    activation.set(std::string(name), *value);
  }
  const auto result = guard.evaluate(activation);
  if (!result) return End::parks;
  return result->as_bool() ? End::takes : End::leaves;
}

TEST_CASE("each branch is taken by results that should take it, and by no others", "[decisions]") {
  Decisions decisions;
  std::set<std::string> jobs;
  for (const json::value& one : decisions.branches()) {
    const json::object& branch = one.as_object();
    const std::string text(branch.at("guard").as_string());
    INFO(text);
    cel::Environment environment;
    for (const auto& [name, type] : branch.at("of").as_object())
      environment.variable(std::string(name), type_of(std::string(type.as_string())));
    const auto guard = cel::Program::compile(text, environment);
    INFO((guard ? "" : guard.error().front().message));
    REQUIRE(guard);
    CHECK_FALSE(branch.at("takes").as_array().empty());
    for (const auto& [key, expected] :
         {std::pair("takes", End::takes), {"leaves", End::leaves}, {"parks", End::parks}}) {
      const json::value* cases = branch.if_contains(key);
      if (cases == nullptr) continue;
      for (const json::value& values : cases->as_array()) {
        INFO(key << " " << json::serialize(values));
        CHECK((end_of(*guard, branch.at("of").as_object(), values.as_object(), decisions) ==
               expected));
      }
    }
  }
  for (const auto& [name, said] : decisions.reports())
    jobs.insert(std::string(said.at("job").as_string()));
  CHECK(jobs.size() == 14);
}

TEST_CASE("scales that are no numbers fail, in a report of its type", "[decisions]") {
  const test::Folder folder;
  Tensor scales = zeros(ElementType::f32, {1});
  set_value(scales, 0, std::nan(""));
  const std::string path = (folder.path / "scales.npy").string();
  REQUIRE(write_npy(path, scales));
  const Job& job = job_named("quant.e4m3");
  const json::value whole = run(job, {{"shape", {1, 1, 16, 16}}, {"scales", path}});
  CHECK(whole.at("status") == "fail");
  const auto type = cel::parse_type(result_type(job));
  const auto value = cel::from_json(json::serialize(without_nulls(whole)));
  REQUIRE(type);
  REQUIRE(value);
  CHECK(cel::conforms(*value, *type));
}

}  // namespace
}  // namespace checkride::kernels
