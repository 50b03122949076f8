#include "cli/commands/report.h"

#include <ostream>

#include "cli/commands/load.h"
#include "cli/render/report.h"

namespace checkride::cli {

namespace {

Result<void> gather(const LogReader& reader, const RunTree& tree, TreeEvidence& all) {
  RunEvidence evidence;
  // No further than the state shown: a live run may move on while this reads.
  CR_CHECK(reader.read(tree.state.run, Sequence(1), [&](const Record& record) {
    if (record.first > tree.head.last) return false;
    evidence.add(record);
    return true;
  }));
  all[tree.state.run] = std::move(evidence);
  for (const RunTree& child : tree.children) CR_CHECK(gather(reader, child, all));
  return {};
}

Result<std::string> make_report(const Context& context, const ReportOptions& options) {
  if (options.format != "md" && options.format != "json")
    return fail(ErrorCode::invalid_argument,
                "there is no report format '" + options.format + "'; use md or json");
  CR_TRY(const auto reader, context.open_reader());
  CR_TRY(const RunId typed, parse_run_id(options.run));
  CR_TRY(const RunId id, find_run(*reader, typed));
  return report_text(context, *reader, id, context.json ? "json" : options.format);
}

}  // namespace

Result<std::string> report_text(const Context& context, const LogReader& reader, const RunId& run,
                                const std::string& format) {
  RunLoader loader(context, reader);
  CR_TRY(const RunTree tree, loader.tree(run));
  CR_CHECK(loader.definition(tree.state.start.definition));
  TreeEvidence evidence;
  CR_CHECK(gather(reader, tree, evidence));
  if (format == "json") return document(report_json(tree, evidence));
  return report_markdown(tree, evidence);
}

int cmd_report(const Context& context, const ReportOptions& options) {
  const auto report = make_report(context, options);
  if (!report) return report_error(context, report.error());
  context.out << *report;
  return exit_ok;
}

}  // namespace checkride::cli
