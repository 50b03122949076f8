#include "cli/commands/test.h"

#include <algorithm>
#include <ostream>

#include "cli/commands/load.h"
#include "cli/commands/rehearsal.h"
#include "cli/given_file.h"
#include "workflows/loader/load.h"
#include "workflows/rehearsal/expect.h"

namespace checkride::cli {

namespace {

struct CaseResult {
  std::string name;
  Place place;
  std::string outcome;
  int exit_code = 0;
  std::size_t steps = 0;
  std::vector<std::string> problems;
  std::vector<std::pair<std::string, std::string>> paths;  // run and the states it went through
  bool ok() const { return problems.empty(); }
};

struct TestResult {
  std::string workflow;
  std::string source_name;  // of the cases
  std::vector<CaseResult> cases;
  std::vector<std::string> notes;
  std::vector<rehearsal::CoverageRow> rows;
  rehearsal::CoverageRow total;
  std::size_t failed() const {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(), [](const auto& one) { return !one.ok(); }));
  }
};

std::string at(const std::string& source, Place place) {
  return source + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

// "61.5 %", never rounded up to 100.
std::string percent(std::size_t reached, std::size_t total) {
  const std::size_t tenths = total == 0 ? 1000 : reached * 1000 / total;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

Result<std::shared_ptr<const Definition>> load(const Context& context, const std::string& name) {
  CR_TRY(const auto source, context.find_source(name));
  LoadOptions options;
  options.signatures = context.catalog.signatures();
  options.find_machine = [&](const std::string& machine) -> Result<std::string> {
    CR_TRY(auto found, context.find_source(machine));
    return std::move(found.first);
  };
  LoadResult loaded = load_definition(source.first, source.second, options);
  if (loaded.definition) return std::move(loaded.definition);
  std::string all;
  for (const LoadDiagnostic& diagnostic : loaded.diagnostics)
    if (diagnostic.severity == LoadDiagnostic::Severity::error)
      all += (all.empty() ? "" : "\n") + to_string(diagnostic);
  return fail(ErrorCode::invalid_argument, all);
}

Result<std::shared_ptr<const rehearsal::CaseFile>> find_cases(const TestOptions& options,
                                                              const Definition& definition) {
  if (!options.cases.empty()) {
    CR_TRY(const std::string text, read_given(options.cases, document_bytes_max));
    return load_cases(text, options.cases, definition);
  }
  const std::string text =
      options.shipped_cases ? options.shipped_cases(options.definition) : std::string();
  if (text.empty())
    return fail(ErrorCode::invalid_argument, "no cases are shipped with '" + options.definition +
                                                 "'; name a file: checkride test " +
                                                 shell_word(options.definition) + " CASES.yaml");
  return load_cases(text, definition.name + ".cases.yaml", definition);
}

Result<CaseResult> play(const Context& context, const std::shared_ptr<const Definition>& definition,
                        const rehearsal::CaseFile& file, const rehearsal::Case& one,
                        rehearsal::Coverage& coverage, std::set<const void*>& used) {
  MemoryLog log;
  Context plain = context;
  plain.json = false;  // expectations are about the lines people read
  CR_TRY(const PlayedCase played, play_case(plain, definition, file, one, log, coverage));
  const rehearsal::Rehearsed& rehearsed = played.rehearsed;
  CaseResult result;
  result.name = one.name;
  result.place = one.place;
  result.outcome = rehearsed.outcome();
  result.exit_code = rehearsed.exit_code();
  result.steps = rehearsed.steps;
  result.problems = rehearsal::differences(one, rehearsed, played.report);
  if (rehearsed.problem.empty())
    for (const rehearsal::Unused& left : rehearsal::unused(one.script, rehearsed.used))
      result.problems.push_back(left.what + " was not used (" + at(file.source_name, left.place) +
                                ")");
  used.insert(rehearsed.used.begin(), rehearsed.used.end());
  for (const rehearsal::RehearsedRun& run : rehearsed.runs)
    result.paths.emplace_back(
        run.parent_state.empty()
            ? definition->name
            : run.parent_state + (run.element.empty() ? "" : "/" + run.element),
        rehearsal::path_text(run));
  return result;
}

Result<TestResult> test(const Context& context, const TestOptions& options) {
  CR_TRY(const auto definition, load(context, options.definition));
  CR_TRY(const auto file, find_cases(options, *definition));
  TestResult result;
  result.workflow = definition->name;
  result.source_name = file->source_name;
  rehearsal::Coverage coverage(definition);
  std::set<const void*> used;
  for (const rehearsal::Case& one : file->cases) {
    if (!options.only.empty() && one.name != options.only) continue;
    CR_TRY(CaseResult played, play(context, definition, *file, one, coverage, used));
    result.cases.push_back(std::move(played));
  }
  if (result.cases.empty())
    return fail(ErrorCode::invalid_argument,
                "there is no case '" + options.only + "' in " + file->source_name);
  if (options.only.empty())
    for (const rehearsal::Unused& left : rehearsal::unused(file->usual, used))
      result.notes.push_back(at(file->source_name, left.place) + ": usual " + left.what +
                             " is used by no case");
  result.rows = coverage.rows();
  result.total = coverage.total();
  return result;
}

void print(const Context& context, const TestResult& result) {
  const Style style = style_of(context);
  for (const CaseResult& one : result.cases) {
    context.out << style(one.ok() ? Tone::good : Tone::bad, one.ok() ? "ok    " : "FAIL  ")
                << clean(one.name)
                << style(Tone::dim, ": " + one.outcome + ", " + counted(one.steps, "step")) << "\n";
    if (one.ok()) continue;
    context.out << "      at " << at(result.source_name, one.place) << "\n";
    for (const std::string& problem : one.problems)
      context.out << wrapped(problem, "      - ", "        ");
    for (const auto& [run, path] : one.paths)
      context.out << wrapped(run + ": " + path, "      went ", "           ");
  }
  for (const std::string& note : result.notes) context.out << "note  " << note << "\n";
  context.out << "\n";
  Table table({"coverage", "states", "transitions"});
  const auto row = [&](const std::string& name, const rehearsal::CoverageRow& one) {
    const auto cell = [](std::size_t reached, std::size_t total) {
      return std::to_string(reached) + " of " + std::to_string(total) + " (" +
             percent(reached, total) + ")";
    };
    table.row({name, cell(one.states_reached, one.states_total),
               cell(one.transitions_reached, one.transitions_total)});
  };
  for (const rehearsal::CoverageRow& one : result.rows) row(one.name, one);
  if (result.rows.size() > 1) row("together", result.total);
  context.out << table.text(style);
  bool heading = false;
  for (const rehearsal::CoverageRow& one : result.rows)
    for (const rehearsal::Unreached& left : one.unreached) {
      if (!heading) context.out << "\nno case reaches\n";
      heading = true;
      context.out << "  " << at(left.source_name, left.place) << ": " << left.what << "\n";
    }
  context.out << "\n"
              << counted(result.cases.size(), "case") << ", " << result.failed() << " failed\n";
}

json::object coverage_json(const rehearsal::CoverageRow& row) {
  json::array unreached;
  for (const rehearsal::Unreached& left : row.unreached)
    unreached.push_back(json::object{{"source", left.source_name},
                                     {"line", left.place.line},
                                     {"column", left.place.column},
                                     {"what", left.what}});
  return {{"name", row.name},
          {"states_reached", row.states_reached},
          {"states_total", row.states_total},
          {"transitions_reached", row.transitions_reached},
          {"transitions_total", row.transitions_total},
          {"unreached", std::move(unreached)}};
}

json::object as_json(const TestResult& result) {
  json::array cases;
  for (const CaseResult& one : result.cases) {
    json::array paths;
    for (const auto& [run, path] : one.paths)
      paths.push_back(json::object{{"run", run}, {"path", path}});
    cases.push_back(json::object{{"name", one.name},
                                 {"line", one.place.line},
                                 {"ok", one.ok()},
                                 {"outcome", one.outcome},
                                 {"exit_code", one.exit_code},
                                 {"steps", one.steps},
                                 {"problems", cli::as_json(one.problems)},
                                 {"paths", std::move(paths)}});
  }
  json::array coverage;
  for (const rehearsal::CoverageRow& row : result.rows) coverage.push_back(coverage_json(row));
  return {{"workflow", result.workflow},         {"source", result.source_name},
          {"cases", std::move(cases)},           {"failed", result.failed()},
          {"notes", cli::as_json(result.notes)}, {"coverage", std::move(coverage)},
          {"total", coverage_json(result.total)}};
}

}  // namespace

int cmd_test(const Context& context, const TestOptions& options) {
  const auto result = test(context, options);
  if (!result) return report_error(context, result.error());
  const bool covered =
      !options.min_coverage || rehearsal::covers(result->total, *options.min_coverage);
  if (context.json) {
    context.out << document(as_json(*result));
  } else {
    print(context, *result);
    if (!covered)
      context.out << "the coverage is lower than the " << *options.min_coverage << " % asked for\n";
  }
  return result->failed() > 0 || !covered ? exit_failed : exit_ok;
}

}  // namespace checkride::cli
