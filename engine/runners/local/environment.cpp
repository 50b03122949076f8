#include "engine/runners/local/environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <map>

#include "engine/runners/local/gpu_lock.h"
#include "engine/runners/local/process_identity.h"

namespace checkride {

namespace {

constexpr std::array<std::string_view, 33> allowed_names = {"PATH",
                                                            "HOME",
                                                            "USER",
                                                            "LOGNAME",
                                                            "SHELL",
                                                            "TMPDIR",
                                                            "LANG",
                                                            "LANGUAGE",
                                                            "TZ",
                                                            "XDG_RUNTIME_DIR",
                                                            "XDG_CONFIG_HOME",
                                                            "XDG_CACHE_HOME",
                                                            "XDG_DATA_HOME",
                                                            "XDG_STATE_HOME",
                                                            "SSH_AUTH_SOCK",
                                                            "SSL_CERT_FILE",
                                                            "SSL_CERT_DIR",
                                                            "HTTP_PROXY",
                                                            "HTTPS_PROXY",
                                                            "NO_PROXY",
                                                            "ALL_PROXY",
                                                            "http_proxy",
                                                            "https_proxy",
                                                            "no_proxy",
                                                            "all_proxy",
                                                            "CUDA_VISIBLE_DEVICES",
                                                            "CUDA_DEVICE_ORDER",
                                                            "CUDA_HOME",
                                                            "CUDA_PATH",
                                                            "CUDA_MPS_PIPE_DIRECTORY",
                                                            "CUDA_CACHE_PATH",
                                                            "NVIDIA_VISIBLE_DEVICES",
                                                            "LD_LIBRARY_PATH"};

// CUDA_VISIBLE_DEVICES for GPUs, and CHECKRIDE_PORT=8001,8002 for any resource.
void add_leased(const std::vector<LeasedUnit>& units, EnvironmentVariables& all) {
  std::map<std::string, std::string> by_resource;
  for (const LeasedUnit& unit : units) {
    std::string& list = by_resource[unit.resource];
    list += (list.empty() ? "" : ",") + unit.name;
  }
  for (const auto& [resource, list] : by_resource) {
    std::string name = "CHECKRIDE_";
    for (const char c : resource)
      name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    all.emplace_back(name, list);
    if (resource == gpu_resource) all.emplace_back("CUDA_VISIBLE_DEVICES", list);
  }
}

}  // namespace

bool passes_to_jobs(std::string_view name) {
  return name.starts_with("LC_") ||
         std::find(allowed_names.begin(), allowed_names.end(), name) != allowed_names.end();
}

Result<EnvironmentVariables> find_secrets(const JobSpec& spec) {
  EnvironmentVariables secrets;
  for (const std::string& name : spec.secrets) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0')
      return fail(ErrorCode::unavailable, "the secret " + name +
                                              " is not set in the environment of checkride; "
                                              "set it and retry");
    secrets.emplace_back(name, value);
  }
  return secrets;
}

EnvironmentVariables job_environment(const JobSpec& spec, const ProcessIdentity& supervisor,
                                     const EnvironmentVariables& added,
                                     const EnvironmentVariables& secrets) {
  EnvironmentVariables all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == text.npos || !passes_to_jobs(text.substr(0, equals))) continue;
    all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  all.insert(all.end(), added.begin(), added.end());
  all.insert(all.end(), secrets.begin(), secrets.end());
  add_leased(spec.leased, all);  // these win: what it was given is what it may use
  all.emplace_back(token_variable, spec.token.value);
  all.emplace_back(run_variable, spec.run.value);
  all.emplace_back(attempt_variable, attempt_mark(supervisor, spec.token));
  return all;
}

void replace_environment(const EnvironmentVariables& variables) {
  ::clearenv();
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
}

}  // namespace checkride
