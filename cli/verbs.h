// The verbs as the command line's parser sees them; each leaves behind what main runs.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "cli/context.h"

namespace checkride::cli {

struct Parser {
  CLI::App app{"Flies rebase and validation procedures, and keeps the log.", "checkride"};
  std::string store;
  bool json = false;
  std::vector<std::string> resources;
  std::function<int(const Context&)> chosen;

  // `above`: the verb of which this is one; the program itself when null.
  CLI::App* verb(const std::string& name, const std::string& help, CLI::App* above = nullptr) {
    CLI::App* sub = (above == nullptr ? app : *above).add_subcommand(name, help);
    sub->add_flag("--json", json, "print JSON");
    return sub;
  }
  // verb() whose options are an Options; `run` gets them once everything is parsed.
  template <class Options, class Add>
  void verb(const std::string& name, const std::string& help,
            int (*run)(const Context&, const Options&), Add&& add, CLI::App* above = nullptr) {
    auto options = std::make_shared<Options>();
    CLI::App* sub = verb(name, help, above);
    add(*sub, options);
    sub->callback([this, options, run] {
      chosen = [options, run](const Context& context) { return run(context, *options); };
    });
  }
};

void add_acting_verbs(Parser& parser);
void add_reading_verbs(Parser& parser);
void add_kernel_verbs(Parser& parser);

}  // namespace checkride::cli
