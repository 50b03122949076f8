#include "cli/commands/acting.h"
#include "cli/verbs.h"
#include "engine/base/utf8.h"

namespace checkride::cli {

namespace {

std::string not_utf8(const std::string& text) {
  return is_valid_utf8(text) ? std::string() : std::string("it is not UTF-8");
}

template <class Options>
void add_reason(CLI::App& verb, const std::shared_ptr<Options>& options) {
  verb.add_option("--why", options->why, "reason, kept in the log")->check(not_utf8);
  verb.add_option("--as", options->claimed, "act under this name")->check(not_utf8);
}

}  // namespace

void add_acting_verbs(Parser& parser) {
  parser.verb<RunOptions>(
      "run", "start a procedure and follow it until it needs a person", cmd_run,
      [](CLI::App& verb, const std::shared_ptr<RunOptions>& options) {
        verb.add_option("workflow", options->workflow, "shipped name or YAML file")->required();
        verb.add_option("-p,--param", options->params, "parameter as name=value")
            ->allow_extra_args(false);
        verb.add_option("--params", options->params_file, "JSON file of parameters");
        verb.add_option("--id", options->id, "run id; default WORKFLOW-N");
        verb.add_option("--as", options->claimed, "act under this name")->check(not_utf8);
        auto* detach = verb.add_flag("--detach", options->detach, "go on in the background");
        auto* dry = verb.add_flag("--dry-run", options->dry_run,
                                  "print the plan; nothing is started or written");
        auto* rehearse = verb.add_option("--rehearse", options->rehearse,
                                         "play scripted outcomes from this YAML file; nothing is "
                                         "started or written");
        verb.add_option("--case", options->only, "the case of that file")->needs(rehearse);
        rehearse->excludes(dry)->excludes(detach);
        dry->excludes(detach);
      });
  parser.verb<ResumeOptions>("resume", "go on with an interrupted run", cmd_resume,
                             [](CLI::App& verb, const std::shared_ptr<ResumeOptions>& options) {
                               verb.add_option("run", options->run)->required();
                               add_reason(verb, options);
                             });
  parser.verb<SignalOptions>(
      "signal", "send a message to a run", cmd_signal,
      [](CLI::App& verb, const std::shared_ptr<SignalOptions>& options) {
        verb.add_option("run", options->run)->required();
        verb.add_option("message", options->name, "declared under `messages`")->required();
        verb.add_option("--data", options->data, "JSON of the message's type");
        add_reason(verb, options);
      });
  parser.verb<EndOptions>("pause", "start nothing new until `resume`; running jobs go on",
                          cmd_pause,
                          [](CLI::App& verb, const std::shared_ptr<EndOptions>& options) {
                            verb.add_option("run", options->run)->required();
                            add_reason(verb, options);
                          });
  parser.verb<AnswerOptions>(
      "answer", "answer a gate", cmd_answer,
      [](CLI::App& verb, const std::shared_ptr<AnswerOptions>& options) {
        verb.add_option("run", options->run)->required();
        verb.add_option("gate", options->gate, "state of the gate, where several are open");
        auto* decision = verb.add_option_group("decision")->require_option(1);
        for (const char* name : {"approve", "reject", "waive"})
          decision->add_flag_callback(std::string("--") + name,
                                      [options, name] { options->decision = name; });
        decision->add_option("--choose", options->decision, "one of the gate's own options");
        add_reason(verb, options);
      });
  parser.verb<ResolveOptions>(
      "resolve", "end an incident; without a choice: what each would do", cmd_resolve,
      [](CLI::App& verb, const std::shared_ptr<ResolveOptions>& options) {
        verb.add_option("run", options->run)->required();
        verb.add_option("incident", options->incident);
        auto* how = verb.add_option_group("choice")->require_option(0, 1);
        for (const char* name : {"retry", "give-up"})
          how->add_flag_callback(std::string("--") + name,
                                 [options, name] { options->how = name; });
        for (const auto& [name, help] : {std::pair("started", "the job runs: look for it again"),
                                         std::pair("finished", "it ended, with --result"),
                                         std::pair("lost", "it is gone: the state sees an error")})
          how->add_option_function<std::vector<std::string>>(
                 std::string("--") + name,
                 [options, how_it_was = name](const std::vector<std::string>& jobs) {
                   options->how = how_it_was;
                   options->job = jobs.empty() ? std::string() : jobs.front();
                 },
                 help)
              ->expected(0, 1)
              ->type_name("[JOB]");
        how->add_option_function<std::string>("--goto", [options](const std::string& state) {
          options->how = "goto";
          options->state = state;
        });
        verb.add_option("--result", options->result_file, "JSON file with the job's result")
            ->needs(how->get_option("--finished"));
        add_reason(verb, options);
      });
  parser.verb<EndOptions>("cancel", "end a run; its jobs are stopped", cmd_cancel,
                          [](CLI::App& verb, const std::shared_ptr<EndOptions>& options) {
                            verb.add_option("run", options->run)->required();
                            add_reason(verb, options);
                          });
  parser.verb<EndOptions>("rollback", "undo what a run did; the failed work is kept", cmd_rollback,
                          [](CLI::App& verb, const std::shared_ptr<EndOptions>& options) {
                            verb.add_option("run", options->run)->required();
                            verb.add_flag("--yes", options->yes, "do not ask");
                            add_reason(verb, options);
                          });
}

}  // namespace checkride::cli
