#include "cli/kernels/kernel.h"
#include "cli/verbs.h"

namespace checkride::cli {

void add_kernel_verbs(Parser& parser) {
  CLI::App* kernel = parser.app.add_subcommand("kernel", "the GPU jobs by hand");
  kernel->require_subcommand(1);
  parser.verb<KernelListOptions>(
      "list", "what GPU jobs there are, or what one of them takes and gives", cmd_kernel_list,
      [](CLI::App& verb, const auto& o) { verb.add_option("name", o->name, "this job alone"); },
      kernel);
  parser.verb<KernelRunOptions>(
      "run", "run a GPU job in a process of its own", cmd_kernel_run,
      [](CLI::App& verb, const auto& o) {
        verb.add_option("name", o->name)->required();
        verb.add_option("-p,--param", o->params, "an input, name=value")->allow_extra_args(false);
        verb.add_option("--inputs", o->inputs, "a file with all inputs as JSON, or -");
        verb.add_option("--folder", o->folder, "where files it writes go (default: here)");
        verb.add_flag("--exit-zero", o->report_is_all,
                      "exit with 0 whatever the report says, for callers that read it");
        verb.add_flag("--in-process", o->in_process,
                      "not in a process of its own and without a timeout, for profilers");
        verb.add_option("--timeout", o->timeout_s, "seconds it may take; 0: any time")
            ->check(CLI::Range(0L, 604800L));
      },
      kernel);
}

}  // namespace checkride::cli
