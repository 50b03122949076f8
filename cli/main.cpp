// The composition root: the only place where concrete classes meet. Reads the command line and
// hands each verb what it needs.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>

#include "cli/definitions.h"
#include "cli/kernels/child.h"
#include "cli/kernels/kinds.h"
#include "cli/store.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "engine/base/version.h"
#include "engine/cel/text.h"
#include "engine/runners/local/supervisor.h"

namespace checkride::cli {
namespace {

// One sentence about what could not be read, and where its help is.
std::string usage_error(const CLI::App* app, const CLI::Error& error) {
  std::string command = app->get_name();
  const CLI::App* verb = app;
  while (!verb->get_subcommands().empty()) {
    verb = verb->get_subcommands().front();
    command += " " + verb->get_name();
  }
  std::string what = error.what();
  if (const auto unknown = app->remaining(true); !unknown.empty()) {
    what = "not known here:";
    for (const std::string& word : unknown) what += " " + word;
    std::vector<std::string> known;
    for (const CLI::App* below : verb->get_subcommands({})) known.push_back(below->get_name());
    for (const CLI::Option* option : verb->get_options()) known.push_back(option->get_name());
    if (const std::string meant = cel::did_you_mean(unknown.front(), known); !meant.empty())
      what += " (" + meant + ")";
  }
  return command + ": " + what + "; see `" + command + " --help`\n";
}

// A pipe whose other end has read enough, as under `| head`: no failure.
bool reader_left() {
  struct stat is {};
  return ::fstat(STDOUT_FILENO, &is) == 0 && (S_ISFIFO(is.st_mode) || S_ISSOCK(is.st_mode));
}

// Where the caller closed a standard stream, the next file to be opened would get its number, and
// what is printed would be written into the store.
void open_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != stream) std::abort();
}

}  // namespace

int run(int argc, char** argv) {
  Parser parser;
  parser.app.fallthrough();  // --store and --resource are taken behind the verb too
  parser.app.set_version_flag("--version", std::string(build_version));
  parser.app.add_option("--store", parser.store, "folder of the store (default $CHECKRIDE_STORE)");
  parser.app
      .add_option("--resource", parser.resources,
                  "what the store's runs may lease, as gpu=2 or port=8001,8002; kept in the store")
      ->allow_extra_args(false);
  parser.app.require_subcommand(1);
  parser.app.failure_message(usage_error);
  add_acting_verbs(parser);
  const std::vector<CLI::App*> acting = parser.app.get_subcommands({});
  add_reading_verbs(parser);
  add_kernel_verbs(parser);
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = parser.app.exit(error, std::cout, std::cerr);
    return code == 0 ? exit_ok : exit_usage;
  }

  const CLI::App* verb = parser.app.get_subcommands().front();
  if (!parser.resources.empty() && std::find(acting.begin(), acting.end(), verb) == acting.end()) {
    std::cerr << "checkride: --resource is kept by the verbs that act, such as `checkride run`; `"
              << verb->get_name() << "` keeps nothing\n";
    return exit_usage;
  }

  const JobCatalog catalog = all_jobs();
  std::map<Digest, std::shared_ptr<const Definition>> definitions;
  Context context{std::cout, std::cerr, parser.json, ::isatty(STDOUT_FILENO) == 1, {}, catalog,
                  {},        {},        {}};
  context.colours = context.terminal && terminal_has_colours();
  context.redraw = context.terminal && terminal_moves_cursor();
  if (parser.store.empty()) {
    auto folder = default_store_path();
    if (!folder) return report_error(context, folder.error());
    context.store = *folder;
  } else {
    std::error_code failed;
    context.store = std::filesystem::absolute(parser.store, failed).lexically_normal();
    if (failed)
      return report_error(context, Error{ErrorCode::invalid_argument,
                                         "there is no folder to find '" + parser.store +
                                             "' from: " + failed.message(),
                                         {}});
  }
  context.open_reader = [&] { return open_for_reading(context.store); };
  context.definition = [&](const LogReader& log,
                           const Digest& hash) -> Result<std::shared_ptr<const Definition>> {
    if (const auto found = definitions.find(hash); found != definitions.end()) return found->second;
    StoredDefinitions stored(log, catalog);
    CR_TRY(auto definition, stored.definition(hash));
    for (const auto& [machine_hash, machine] : definition->machines)
      definitions[machine_hash] = machine;
    definitions[hash] = definition;
    return definition;
  };
  context.find_source = find_source;
  context.resources = parser.resources;
  const int code = parser.chosen(context);
  std::cout.flush();
  if (std::cout || reader_left()) return code;
  std::cerr << "checkride: the output could not be written; see to where it goes\n";
  return code == exit_ok ? exit_engine : code;
}

}  // namespace checkride::cli

int main(int argc, char** argv) {
  checkride::cli::open_closed_streams();
  // The hidden verbs come first: a supervisor has nothing to parse and must be quick and small.
  if (argc == 3 && std::string_view(argv[1]) == "supervise")
    return checkride::supervise(argv[2], checkride::cli::all_jobs());
  if (argc == 3 && std::string_view(argv[1]) == "kernel-job")
    return checkride::cli::kernel_job(argv[2]);
  std::signal(SIGPIPE, SIG_IGN);
  // What a library throws where nothing can be done about it: no file descriptors, threads, memory.
  try {
    return checkride::cli::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "checkride: it cannot go on: " << error.what()
              << "; what was acknowledged is kept, and running jobs go on\n";
    return checkride::cli::exit_engine;
  }
}
