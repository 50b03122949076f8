// A GPU job in a process of its own: a fault, a hang or a full memory ends that process and becomes
// a report, never more.
#pragma once

#include <chrono>
#include <optional>

#include "kernels/job/job.h"

namespace checkride::cli {

// Runs the job in a child of this program and waits for its envelope. Whatever ends the child, the
// answer is an envelope: reasons `timeout`, `crashed` (a signal of its own), `killed` (SIGKILL from
// outside, as when the system is out of memory) or `no_report` where it gave none. What it prints
// goes to standard error. Without a timeout it may run for ever. Errors: io where no process can be
// made.
Result<kernels::json::object> run_in_child(const kernels::Job& job,
                                           const kernels::JobRequest& request,
                                           std::optional<std::chrono::seconds> timeout);

// Runs the job in this process, where a profiler or a sanitizer sees it: what ends the job ends the
// program.
kernels::json::object run_here(const kernels::Job& job, const kernels::JobRequest& request);

// The body of the hidden verb `checkride kernel-job NAME`: the request as JSON on standard input,
// the envelope on standard output. Returns the exit code.
int kernel_job(std::string_view name);

}  // namespace checkride::cli
