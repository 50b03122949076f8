#include "cli/commands/ls.h"

#include <ostream>

#include "cli/commands/load.h"
#include "engine/ports/clock.h"

namespace checkride::cli {

int cmd_ls(const Context& context, const LsOptions& options) {
  std::vector<RunHead> heads;
  auto reader = context.open_reader();
  if (reader) {
    auto found = (*reader)->heads();
    if (!found) return report_error(context, found.error());
    heads = *std::move(found);
  } else if (reader.error().code != ErrorCode::not_found) {
    return report_error(context, reader.error());
  }
  const std::vector<RunRow> rows = run_rows(heads, options.all, options.driven);
  if (context.json) {
    json::array runs;
    for (const RunRow& row : rows) runs.push_back(as_json(row));
    context.out << document(json::object{{"runs", std::move(runs)}});
    return exit_ok;
  }
  if (rows.empty())
    context.out << "no runs in " << context.store.string()
                << "; `checkride run WORKFLOW` starts one\n";
  else
    context.out << list_text(rows, SystemClock().now(), style_of(context));
  return exit_ok;
}

}  // namespace checkride::cli
