#include <set>

#include "cli/commentary.h"
#include "cli/commands/doctor.h"
#include "cli/commands/export_scxml.h"
#include "cli/commands/explain.h"
#include "cli/commands/graph.h"
#include "cli/commands/history.h"
#include "cli/commands/import_scxml.h"
#include "cli/commands/inbox.h"
#include "cli/commands/lint.h"
#include "cli/commands/logs.h"
#include "cli/commands/ls.h"
#include "cli/commands/replay.h"
#include "cli/commands/report.h"
#include "cli/commands/schema.h"
#include "cli/commands/show.h"
#include "cli/commands/status.h"
#include "cli/commands/test.h"
#include "cli/commands/verify.h"
#include "cli/commands/why.h"
#include "cli/interrupt.h"
#include "cli/owner/client.h"
#include "cli/resources.h"
#include "cli/store.h"
#include "engine/runners/local/gpu_lock.h"
#include "cli/verbs.h"
#include "engine/runners/local/settle.h"
#include "workflows/definitions/shipped.h"

namespace checkride::cli {

namespace {

// Without an owner nobody drives anything; with one, it drives what its clients follow.
Driven driven_by_owner(const Context& context) {
  std::set<RunId> driven;
  if (const auto socket = owner_socket(context.store))
    if (const auto owner = OwnerClient::connect(*socket)) {
      auto roots = (*owner)->driven();
      if (!roots) return {};  // it left meanwhile, or is another version: not known
      driven = *std::move(roots);
    }
  return [driven = std::move(driven)](const RunId& root) -> std::optional<bool> {
    return driven.contains(root);
  };
}

int ls(const Context& context, const LsOptions& given) {
  LsOptions options = given;
  options.driven = driven_by_owner(context);
  return cmd_ls(context, options);
}
int status(const Context& context, const StatusOptions& given) {
  StatusOptions options = given;
  options.driven = driven_by_owner(context);
  return cmd_status(context, options);
}
int logs(const Context& context, const LogsOptions& given) {
  LogsOptions options = given;
  std::optional<Interruption> interruption;
  if (options.follow) {
    interruption.emplace();
    options.hooks.look = [&](const Token& token) {
      return look_at_attempt(context.attempts() / token.value, token).trace;
    };
    options.hooks.interrupted = [&] { return interruption->came(); };
    options.driven = [&](const RunId& root) -> std::optional<bool> {
      const Driven now = driven_by_owner(context);
      return now ? now(root) : std::nullopt;
    };
  }
  return cmd_logs(context, options);
}
int verify(const Context& context, const VerifyOptions& given) {
  VerifyOptions options = given;
  options.verify = [&](const std::optional<RunId>& run) { return verify_store(context.store, run); };
  return cmd_verify(context, options);
}

int doctor(const Context& context, const DoctorOptions& given) {
  DoctorOptions options = given;
  options.owner = [&]() -> std::optional<std::string> {
    std::string owner = store_owner(context.store);
    return owner.empty() ? std::nullopt : std::optional(std::move(owner));
  };
  options.commentary = commentary_path(context.store);
  options.units = [&]() -> Result<std::vector<DoctorUnit>> {
    std::vector<DoctorUnit> all;
    CR_TRY(const std::vector<std::string> resources, declared_resources(context.store));
    for (const std::string& resource : resources) {
      CR_TRY(std::vector<std::string> units, units_of(context.store, resource));
      for (std::string& unit : units) all.push_back({resource, std::move(unit)});
    }
    return all;
  };
  options.locks = []() -> Result<std::vector<DoctorLock>> {
    std::vector<DoctorLock> all;
    CR_TRY(const std::vector<GpuLockFile> files, gpu_lock_files());
    for (const GpuLockFile& file : files) all.push_back({file.gpu, file.held});
    return all;
  };
  return cmd_doctor(context, options);
}

int test(const Context& context, const TestOptions& given) {
  TestOptions options = given;
  options.shipped_cases = [](const std::string& name) {
    for (const Shipped& shipped : shipped_definitions())
      if (shipped.name == name) return std::string(shipped.cases);
    return std::string();
  };
  return cmd_test(context, options);
}

}  // namespace

void add_reading_verbs(Parser& parser) {
  parser.verb<LsOptions>("ls", "the runs of this store", ls, [](CLI::App& verb, const auto& o) {
    verb.add_flag("--all", o->all, "child runs too");
  });
  parser.verb<StatusOptions>("status", "where a run stands", status,
                             [](CLI::App& verb, const auto& o) { verb.add_option("run", o->run); });
  parser.verb<InboxOptions>("inbox", "what waits for a person", cmd_inbox,
                            [](CLI::App&, const auto&) {});
  parser.verb<LogsOptions>("logs", "what the jobs printed", logs,
                           [](CLI::App& verb, const auto& o) {
                             verb.add_option("run", o->run)->required();
                             verb.add_option("state", o->state, "of this state only");
                             verb.add_option("--tail", o->tail_bytes, "last bytes of each stream")
                                 ->check(CLI::NonNegativeNumber);
                             verb.add_flag("-f,--follow", o->follow,
                                           "what jobs print, until the run ends or waits for a person");
                             verb.add_flag("--last", o->last, "the last attempt of each state");
                           });
  parser.verb<HistoryOptions>("history", "the events of a run", cmd_history,
                              [](CLI::App& verb, const auto& o) {
                                verb.add_option("run", o->run)->required();
                                verb.add_option("--type", o->types, "events of this type only");
                                verb.add_option("--from", o->from, "first sequence")
                                    ->check(CLI::NonNegativeNumber);
                                verb.add_option("--limit", o->limit, "at most so many")
                                    ->check(CLI::NonNegativeNumber);
                              });
  parser.verb<ShowOptions>("show", "the full state of a run at any sequence", cmd_show,
                           [](CLI::App& verb, const auto& o) {
                             verb.add_option("run", o->target, "RUN or RUN@N")->required();
                           });
  parser.verb<WhyOptions>("why", "the guards, facts and verdicts behind a branch", cmd_why,
                          [](CLI::App& verb, const auto& o) {
                            verb.add_option("run", o->target, "RUN, RUN@N or RUN@STATE")->required();
                            verb.add_option("state", o->state, "a state or a sequence");
                          });
  parser.verb<ReplayOptions>("replay", "decide again from the recorded inputs and compare",
                             cmd_replay, [](CLI::App& verb, const auto& o) {
                               verb.add_option("run", o->run)->required();
                             });
  parser.verb<VerifyOptions>("verify", "is the log intact", verify, [](CLI::App& verb, const auto& o) {
    verb.add_option("run", o->run);
    verb.add_option("--head", o->head, "a chain head a report or export named");
  });
  parser.verb<ReportOptions>("report", "the filled checklist", cmd_report,
                             [](CLI::App& verb, const auto& o) {
                               verb.add_option("run", o->run)->required();
                               verb.add_option("--format", o->format, "md or json")
                                   ->check(CLI::IsMember({"md", "json"}));
                             });
  parser.verb<LintOptions>("lint", "check definitions", cmd_lint, [](CLI::App& verb, const auto& o) {
    verb.add_option("definitions", o->sources, "shipped names or YAML files")->required();
  });
  parser.verb<GraphOptions>("graph", "a definition as a picture", cmd_graph,
                            [](CLI::App& verb, const auto& o) {
                              verb.add_option("definition", o->source)->required();
                              verb.add_option("--format", o->format, "mermaid, dot or svg")
                                  ->check(CLI::IsMember({"mermaid", "dot", "svg"}));
                              verb.add_option("--machine", o->machine,
                                              "one machine alone, or the workflow without them");
                            });
  parser.verb<TestOptions>(
      "test", "rehearse a definition's cases and see what they reach", test,
      [](CLI::App& verb, const auto& o) {
        verb.add_option("definition", o->definition, "shipped name or YAML file")->required();
        verb.add_option("cases", o->cases, "YAML file; default: those shipped with the definition");
        verb.add_option("--case", o->only, "this case alone");
        verb.add_option("--min-coverage", o->min_coverage,
                        "percent of states and transitions that must be reached")
            ->check(CLI::Range(0.0, 100.0));
      });
  parser.verb<ExportScxmlOptions>("export-scxml", "a definition as SCXML, for other tools",
                                  cmd_export_scxml, [](CLI::App& verb, const auto& o) {
                                    verb.add_option("definition", o->source)->required();
                                  });
  parser.verb<ImportScxmlOptions>("import-scxml", "an SCXML chart as a definition",
                                  cmd_import_scxml, [](CLI::App& verb, const auto& o) {
                                    verb.add_option("file", o->file)->required();
                                  });
  parser.verb<ExplainOptions>("explain", "a definition in prose, step by step", cmd_explain,
                              [](CLI::App& verb, const auto& o) {
                                verb.add_option("definition", o->source)->required();
                              });
  parser.verb<SchemaOptions>("schema", "the definition language, for editors or people", cmd_schema,
                             [](CLI::App& verb, const auto& o) {
                               verb.add_option("--format", o->format, "json (JSON Schema) or md")
                                   ->check(CLI::IsMember({"json", "md"}));
                               verb.add_flag("--cases", o->cases,
                                             "the language of rehearsal cases instead");
                             });
  parser.verb<DoctorOptions>("doctor", "is this machine fit, is this store healthy", doctor,
                             [](CLI::App&, const auto&) {});
}

}  // namespace checkride::cli
