// `checkride why RUN[@N or STATE]`: the guards, facts and verdicts behind a branch.
#pragma once

#include <string>

#include "cli/context.h"

namespace checkride::cli {

struct WhyOptions {
  std::string target;  // "RUN", "RUN@57", "RUN@state", "RUN:state"
  std::string state;   // a second word on the command line: a state or a sequence
};
int cmd_why(const Context& context, const WhyOptions& options);

}  // namespace checkride::cli
