// `checkride report RUN [--format md|json]`: the filled checklist with its evidence and the chain
// head.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct ReportOptions {
  std::string run;
  std::string format = "md";  // "md" or "json"; --json means json too
};
int cmd_report(const Context& context, const ReportOptions& options);

// The report of a run in any log; `format` as above.
Result<std::string> report_text(const Context& context, const LogReader& reader, const RunId& run,
                                const std::string& format);

}  // namespace checkride::cli
