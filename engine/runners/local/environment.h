// What a job sees of the environment: a fixed list of variables passed on from the engine, what its
// kind adds, its token and run, and the secrets its definition names. Everything else stays out, so
// a job behaves the same from every shell and no stray credential reaches it or its logs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/job.h"

namespace checkride {

using EnvironmentVariables = std::vector<std::pair<std::string, std::string>>;

// Passed on where set: who and where (PATH HOME USER LOGNAME SHELL TMPDIR XDG_*), how texts and
// times look (LANG LANGUAGE LC_* TZ), the ways out (SSH_AUTH_SOCK, proxies, certificate stores),
// and the devices (CUDA_*, NVIDIA_VISIBLE_DEVICES, LD_LIBRARY_PATH).
bool passes_to_jobs(std::string_view name);

// Values of the spec's secrets from the calling process's environment; `unavailable` names the
// first that is not set or empty.
Result<EnvironmentVariables> find_secrets(const JobSpec& spec);

// The whole environment of a job, a later entry of one name winning: allow-list, `added`, secrets,
// CHECKRIDE_TOKEN, CHECKRIDE_RUN and CHECKRIDE_ATTEMPT.
EnvironmentVariables job_environment(const JobSpec& spec, const ProcessIdentity& supervisor,
                                     const EnvironmentVariables& added,
                                     const EnvironmentVariables& secrets);

// Replaces the environment of the calling process; for a child between fork and exec.
void replace_environment(const EnvironmentVariables& variables);

}  // namespace checkride
