// What a runner makes sure of before it reports an outcome: the result has the type its kind
// declared and a bounded size, and what was expected of the job held.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/decider/job.h"

namespace checkride {

// A completed outcome whose result does not conform ends `code`, a bug of the kind; one that is
// larger than result_bytes_max (facts count too) ends `resource`. Messages are cut to 4 KiB.
void check_outcome(JobOutcome& outcome, const JobSignature& signature);

// Unmet expectations make an outcome not completed, class code, unless it already has a reason.
void apply_unmet(JobOutcome& outcome, const std::vector<std::string>& unmet);

// One sentence for each expected file that is not there.
std::vector<std::string> missing_files(const Expectation& expect,
                                       const std::filesystem::path& folder);

}  // namespace checkride
