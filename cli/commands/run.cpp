#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "cli/acting.h"
#include "cli/commands/acting.h"
#include "cli/commands/background.h"
#include "cli/commands/dry_run.h"
#include "cli/commands/rehearsal.h"
#include "cli/engine.h"
#include "cli/parameters.h"
#include "engine/base/files.h"
#include "engine/base/version.h"

extern char** environ;  // NOLINT: POSIX gives it no header

namespace checkride::cli {

namespace {

constexpr int store_tries_max = 250;

std::vector<std::string> environment_names() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// The first line a program prints; empty when it is not there.
std::string first_line(const char* command) {
  FILE* pipe = ::popen(command, "r");
  if (pipe == nullptr) return {};
  std::array<char, 256> text{};
  const bool got = std::fgets(text.data(), static_cast<int>(text.size()), pipe) != nullptr;
  ::pclose(pipe);
  std::string line = got ? text.data() : "";
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  return line;
}

std::map<std::string, std::string> machine_facts() {
  std::map<std::string, std::string> facts;
  utsname system{};
  if (::uname(&system) == 0) {
    facts["host"] = system.nodename;
    facts["kernel"] = std::string(system.sysname) + " " + system.release;
    facts["machine"] = system.machine;
  }
  facts["checkride"] = build_version;
  facts["git"] = first_line("git --version 2>/dev/null");
  return facts;
}

// Names are handed out in the store, so there must be one; where another process is making it at
// this moment, that one is waited for.
Result<void> make_store(const Context& context) {
  for (int tries = 0;; ++tries) {
    std::error_code ignored;
    if (std::filesystem::exists(context.store / "store", ignored)) return {};
    const auto engine = Engine::open(context);
    if (engine || engine.error().code != ErrorCode::locked || tries == store_tries_max)
      return engine ? Result<void>() : tl::unexpected(engine.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// "gh200-rebase-3": the next number no run of this store has, nor one that begins at this moment:
// whoever makes the run's folder has the name.
Result<RunId> next_id(const Context& context, const std::string& workflow) {
  CR_CHECK(make_store(context));
  std::uint64_t next = 1;
  if (auto log = context.open_reader())
    if (const auto heads = (*log)->heads())
      for (const RunHead& head : *heads) {
        const std::string prefix = workflow + "-";
        if (!head.run.value.starts_with(prefix)) continue;
        const std::string rest = head.run.value.substr(prefix.size());
        if (!rest.empty() && rest.size() < 10 &&
            rest.find_first_not_of("0123456789") == std::string::npos)
          next = std::max<std::uint64_t>(next, std::stoull(rest) + 1);
      }
  const std::filesystem::path folders = context.store / "runs";
  CR_CHECK(make_folders(folders));
  for (std::error_code failed;; ++next) {
    RunId id(workflow + "-" + std::to_string(next));
    if (std::filesystem::create_directory(folders / id.value, failed)) return id;
    if (failed) return fail(ErrorCode::io, "cannot make the folder of run '" + id.value + "' in '" +
                                               folders.native() + "': " + failed.message());
  }
}

// "a.4" would be a child of "a", whether there is such a run yet or not.
bool is_of_child(const std::string& id) {
  const std::size_t dot = id.rfind('.');
  return dot != std::string::npos && dot + 1 < id.size() &&
         id.find_first_not_of("0123456789", dot + 1) == std::string::npos;
}

}  // namespace

int cmd_run(const Context& context, const RunOptions& options) {
  const auto source = context.find_source(options.workflow);
  if (!source) return report_error(context, source.error());
  const auto definition = load_source(source->first, source->second, context.catalog);
  if (!definition) return report_error(context, definition.error());
  // A rehearsal's cases bring params of their own; those given here are laid over them.
  const bool complete = options.rehearse.empty();
  auto params = parse_parameters(**definition, options.params, options.params_file, complete);
  if (!params) return report_error(context, params.error());
  if (!options.rehearse.empty())
    return run_rehearsal(context, *definition, options.rehearse, options.only, *params);
  if (options.dry_run) return dry_run(context, *definition, *params);

  RunId id;
  if (options.id.empty()) {
    auto named = next_id(context, (*definition)->name);
    if (!named) return report_error(context, named.error());
    id = *std::move(named);
  } else {
    const auto parsed = parse_run_id(options.id);
    if (!parsed) return report_error(context, parsed.error());
    if (is_of_child(options.id))
      return report_error(context, Error{ErrorCode::invalid_argument,
                                         "the run id '" + options.id +
                                             "' ends in a dot and a number as those of child runs "
                                             "do; write '-' or '_' instead of that dot",
                                         {}});
    id = *parsed;
  }
  StartRun start;
  start.definition = (*definition)->hash;
  start.definition_name = (*definition)->name;
  start.params = *std::move(params);
  start.root = id;
  start.folder = (context.store / "runs" / id.value).string();
  for (const std::string& name : (*definition)->record_env)
    if (const char* value = std::getenv(name.c_str())) start.environment[name] = value;
  start.environment_names = environment_names();
  start.facts = machine_facts();

  Act todo;
  todo.root = todo.target = id;
  todo.body = std::move(start);
  todo.claimed = options.claimed;
  todo.definition = *definition;
  todo.follow = !options.detach;
  const int code = act(context, todo);
  if (!options.detach || code != exit_ok) return code;
  return continue_in_background(context, id);
}

}  // namespace checkride::cli
