#include "cli/commands/status.h"

#include <ostream>

#include "cli/commands/load.h"
#include "cli/commands/ls.h"
#include "engine/ports/clock.h"

namespace checkride::cli {

namespace {

Result<RunTree> load(RunLoader& loader, const LogReader& reader, const std::string& typed) {
  CR_TRY(const RunId id, parse_run_id(typed));
  CR_TRY(const RunId run, find_run(reader, id));
  return loader.tree(run);
}

}  // namespace

int cmd_status(const Context& context, const StatusOptions& options) {
  if (!options.run) return cmd_ls(context, LsOptions{false, options.driven});
  const auto reader = context.open_reader();
  if (!reader) return report_error(context, reader.error());
  RunLoader loader(context, **reader);
  const auto tree = load(loader, **reader, *options.run);
  if (!tree) return report_error(context, tree.error());
  loader.print_notes();
  const std::optional<bool> driven =
      options.driven ? options.driven(tree->state.start.root) : std::nullopt;
  if (context.json)
    context.out << document(status_json(*tree, driven));
  else
    context.out << status_text(*tree, SystemClock().now(), driven, style_of(context));
  return exit_ok;
}

}  // namespace checkride::cli
