#include "cli/commands/import_scxml.h"

#include <filesystem>
#include <ostream>

#include "cli/commands/load.h"
#include "cli/commands/scxml_remarks.h"
#include "cli/given_file.h"
#include "workflows/loader/load.h"
#include "workflows/scxml/scxml.h"

namespace checkride::cli {

int cmd_import_scxml(const Context& context, const ImportScxmlOptions& options) {
  const auto text = read_given(options.file, document_bytes_max);
  if (!text) return report_error(context, text.error());
  const auto imported = import_scxml(*text, std::filesystem::path(options.file).stem().string());
  if (!imported) {
    Error error = imported.error();
    error.message = options.file + ":" + error.message;
    return report_error(context, error);
  }
  if (context.json) {
    context.out << document(json::object{{"definition", imported->yaml},
                                         {"complete", imported->complete()},
                                         {"remarks", remarks_json(imported->remarks)}});
  } else {
    context.out << imported->yaml;
    print_remarks(context, options.file, imported->remarks);
  }
  return imported->complete() ? exit_ok : exit_usage;
}

}  // namespace checkride::cli
