// The verbs that act: they start, continue, answer and end runs. Options as the command line gives them.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"

namespace checkride::cli {

struct RunOptions {
  std::string workflow;               // shipped name or path
  std::vector<std::string> params;    // "name=value"
  std::string params_file;            // JSON object
  std::string id;
  std::string claimed;
  bool detach = false;
  bool dry_run = false;  // the plan alone
  std::string rehearse;  // a document of cases: scripted outcomes, nothing is run
  std::string only;      // the case of it
};
int cmd_run(const Context& context, const RunOptions& options);

struct ResumeOptions {
  std::string run;
  std::string why;        // kept where the run was paused
  std::string claimed;
};
int cmd_resume(const Context& context, const ResumeOptions& options);

struct AnswerOptions {
  std::string run;
  std::string gate;       // state id or token; may be left out when one gate is open
  std::string decision;   // approve, reject, waive or an option
  std::string why;
  std::string claimed;
};
int cmd_answer(const Context& context, const AnswerOptions& options);

struct ResolveOptions {
  std::string run;
  std::string incident;
  std::string how;        // retry, started, finished, lost, goto, give-up; empty: explain
  std::string job;
  std::string result_file;
  std::string state;
  std::string why;
  std::string claimed;
};
int cmd_resolve(const Context& context, const ResolveOptions& options);

struct SignalOptions {
  std::string run;
  std::string name;       // of the message
  std::string data;       // JSON
  std::string why;
  std::string claimed;
};
int cmd_signal(const Context& context, const SignalOptions& options);

struct EndOptions {
  std::string run;
  std::string why;
  std::string claimed;
  bool yes = false;       // rollback asks on a terminal unless set
};
int cmd_pause(const Context& context, const EndOptions& options);
int cmd_cancel(const Context& context, const EndOptions& options);
int cmd_rollback(const Context& context, const EndOptions& options);

}  // namespace checkride::cli
