#include "cli/commands/graph.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ostream>

#include "cli/commands/documents.h"
#include "cli/render/json.h"
#include "workflows/views/graph.h"

namespace checkride::cli {
namespace {

constexpr std::size_t svg_bytes_max = 64 << 20;

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  const std::string folders = path == nullptr ? "" : path;
  for (std::size_t at = 0; at < folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const std::string file = folders.substr(at, end - at) + "/" + name;
    if (::access(file.c_str(), X_OK) == 0) return file;
    at = end + 1;
  }
  return fail(ErrorCode::unavailable,
              "SVG is drawn by Graphviz, which is not installed; install it (Debian: graphviz), or "
              "use --format dot or mermaid");
}

Result<std::string> svg_of(const std::string& dot, const std::string& program) {
  CR_TRY(const std::string file, find_program(program));
  if (file.find('\'') != std::string::npos)
    return fail(ErrorCode::invalid_argument, "a program's path must not hold a quote: " + file);
  // A file, not a pipe to its input: a program that writes before it has read all cannot block us.
  std::string path = (std::filesystem::temp_directory_path() / "checkride-graph-XXXXXX").string();
  const int handle = ::mkstemp(path.data());
  if (handle < 0) return fail_errno("make a temporary file", path);
  ::close(handle);
  struct Remove {
    const std::string& path;
    ~Remove() { ::unlink(path.c_str()); }
  } remove{path};
  std::ofstream out(path, std::ios::binary);
  out << dot;
  out.close();
  if (!out) return fail_errno("write", path);
  std::FILE* pipe = ::popen(("'" + file + "' -Tsvg '" + path + "'").c_str(), "r");
  if (pipe == nullptr) return fail_errno("start", file);
  std::string svg;
  char buffer[1 << 16];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    if (svg.size() + got <= svg_bytes_max) svg.append(buffer, got);
  }
  if (::pclose(pipe) != 0 || svg.find("<svg") == std::string::npos)
    return fail(ErrorCode::unavailable,
                file + " gave no picture; try --format dot and run it by hand");
  return svg;
}

}  // namespace

int cmd_graph(const Context& context, const GraphOptions& options) {
  const auto definition = load_document(context, options.source);
  if (!definition) return definition.error();
  const Definition* drawn = definition->get();
  bool machines = true;
  if (!options.machine.empty() && options.machine == drawn->name) machines = false;
  if (!options.machine.empty() && options.machine != drawn->name) {
    drawn = nullptr;
    std::string known;
    for (const Definition* machine : machines_by_name(**definition)) {
      const std::string name = machine->name.substr(machine->name.find('/') + 1);
      known += (known.empty() ? "" : ", ") + name;
      if (name == options.machine || machine->name == options.machine) drawn = machine;
    }
    if (drawn == nullptr)
      return report_error(context, Error{ErrorCode::not_found,
                                         "there is no machine '" + options.machine + "'; it has " +
                                             (known.empty() ? "none" : known),
                                         {}});
    machines = false;
  }
  std::string picture =
      options.format == "mermaid" ? to_mermaid(*drawn) : to_dot(*drawn, machines);
  if (options.format == "svg") {
    auto svg = svg_of(picture, options.dot);
    if (!svg) {
      report_error(context, svg.error());
      return exit_failed;
    }
    picture = *std::move(svg);
  }
  if (context.json)
    context.out << document(
        json::object{{"workflow", (*definition)->name}, {options.format, picture}});
  else
    context.out << picture;
  return exit_ok;
}

}  // namespace checkride::cli
