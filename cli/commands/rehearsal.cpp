#include "cli/commands/rehearsal.h"

#include <map>
#include <ostream>

#include "cli/commands/load.h"
#include "cli/commands/report.h"
#include "cli/given_file.h"
#include "cli/render/live_line.h"
#include "engine/base/version.h"
#include "engine/decider/decide.h"

namespace checkride::cli {

namespace {

std::string where(const std::string& source, Place place) {
  return source + ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
}

// The lines of a run as it goes, one per thing that happens, in virtual time.
class Lines {
 public:
  Lines(const Context& context, const LogReader& log)
      : context_(context), log_(log), style_(context.terminal && !context.json) {}

  void moved(const RunId& run) {
    RunState& state = states_[run];
    static_cast<void>(log_.read(run, state.last.next(), [&](const Record& record) {
      evolve(state, record);
      const auto definition = context_.definition(log_, state.start.definition);
      if (!definition) return true;
      add_secrets(mask_, **definition, state.params);
      const View view(*definition, mask_);
      for (const LiveLine& shown : live_lines(view, state, record, style_))
        print(state, record, shown);
      return true;
    }));
  }

 private:
  void print(const RunState& state, const Record& record, const LiveLine& shown) {
    if (context_.json)
      context_.out << document(as_json(record, shown));
    else
      context_.out << style_(Tone::dim, to_iso8601(record.time).substr(11, 8)) << "  "
                   << (state.start.parent ? "  " : "") << pad(shown.mark, 3) << shown.text << "\n";
  }

  const Context& context_;
  const LogReader& log_;
  Style style_;
  Mask mask_;  // of all runs so far
  std::map<RunId, RunState> states_;
};

Result<const rehearsal::Case*> choose(const rehearsal::CaseFile& file, const std::string& name) {
  std::string all;
  for (const rehearsal::Case& one : file.cases) {
    if (one.name == name || (name.empty() && file.cases.size() == 1)) return &one;
    all += (all.empty() ? "" : ", ") + one.name;
  }
  return fail(ErrorCode::invalid_argument,
              name.empty()
                  ? file.source_name + " has several cases; name one with --case: " + all
                  : "there is no case '" + name + "' in " + file.source_name + "; it has " + all);
}

}  // namespace

Context rehearsing(const Context& context, std::shared_ptr<const Definition> definition) {
  Context local = context;
  local.definition = [definition = std::move(definition)](
                         const LogReader&,
                         const Digest& hash) -> Result<std::shared_ptr<const Definition>> {
    if (hash == definition->hash) return definition;
    if (const auto found = definition->machines.find(hash); found != definition->machines.end())
      return found->second;
    return fail(ErrorCode::not_found, "no definition " + to_hex(hash) + " is rehearsed");
  };
  return local;
}

Result<PlayedCase> play_case(const Context& context,
                             const std::shared_ptr<const Definition>& definition,
                             const rehearsal::CaseFile& file, const rehearsal::Case& one,
                             MemoryLog& log, rehearsal::Coverage& coverage,
                             std::function<void(const RunId&)> moved) {
  rehearsal::RehearsalOptions options;
  options.build = build_version;
  options.moved = std::move(moved);
  PlayedCase played;
  CR_TRY(played.rehearsed, rehearsal::rehearse(definition, file, one, log, coverage, options));
  if (!played.rehearsed.runs.empty()) {
    CR_TRY(played.report, report_text(rehearsing(context, definition), log, options.run,
                                      context.json ? "json" : "md"));
  }
  return played;
}

Result<std::shared_ptr<const rehearsal::CaseFile>> load_cases(const std::string& text,
                                                              const std::string& source_name,
                                                              const Definition& definition) {
  rehearsal::CasesResult read = rehearsal::read_cases(text, source_name, definition);
  if (read.file) return std::move(read.file);
  std::string all;
  for (const LoadDiagnostic& diagnostic : read.diagnostics)
    all += (all.empty() ? "" : "\n") + to_string(diagnostic);
  return fail(ErrorCode::invalid_argument, all);
}

int run_rehearsal(const Context& context, const std::shared_ptr<const Definition>& definition,
                  const std::string& path, const std::string& name, const cel::Map& params) {
  const auto text = read_given(path, document_bytes_max);
  if (!text) return report_error(context, text.error());
  const auto file = load_cases(*text, path, *definition);
  if (!file) return report_error(context, file.error());
  const auto chosen = choose(**file, name);
  if (!chosen) return report_error(context, chosen.error());
  // A copy has steps of its own, so the case stays where `unused` looks for it.
  rehearsal::Case one = **chosen;
  for (const auto& [key, value] : params) one.params.set(key, value);

  const Style style = style_of(context);
  if (context.json)
    context.out << document(
        json::object{{"rehearsal", true}, {"workflow", definition->name}, {"case", one.name}});
  else
    context.out << style(Tone::bold, "REHEARSAL") << " of " << definition->name << " (" << one.name
                << "): scripted outcomes, nothing is run and nothing is stored\n";
  MemoryLog log;
  rehearsal::Coverage coverage(definition);
  const Context local = rehearsing(context, definition);
  Lines lines(local, log);
  const auto played = play_case(context, definition, **file, one, log, coverage,
                                [&](const RunId& run) { lines.moved(run); });
  if (!played) return report_error(context, played.error());
  const rehearsal::Rehearsed& rehearsed = played->rehearsed;
  for (const rehearsal::Unused& left : rehearsal::unused(one.script, rehearsed.used))
    context.err << "checkride: " << where(path, left.place) << ": " << left.what
                << " was not used\n";
  if (!rehearsed.problem.empty()) {
    context.err << "checkride: " << path << ": " << rehearsed.problem << "\n";
    return exit_usage;
  }
  if (!context.json)
    context.out << "\n"
                << style(Tone::bold, "REHEARSAL") << " ended " << rehearsed.outcome()
                << (rehearsed.waits_for.empty() ? "" : " for " + rehearsed.waits_for)
                << "; the report of such a run:\n\n> REHEARSAL: nothing below has happened.\n\n";
  context.out << played->report;
  return rehearsed.exit_code();
}

}  // namespace checkride::cli
