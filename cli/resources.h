// What a store's runs may lease: `STORE/resources` names it, one resource a line, and GPUs are
// found by themselves where the file does not speak of them.
//
//   gpu = 2
//   port = 8001, 8002
//
// A number counts units, names name them. `--resource gpu=2` writes such a line. Counted GPUs are
// the machine's own as far as it has so many, so that two stores mean the same ones.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace checkride::cli {

// Adds "gpu=2" or "port=8001,8002" to the store's file, in place of what it said of that resource.
// The store's folder must exist. invalid_argument for what is no declaration.
Result<void> declare_resources(const std::filesystem::path& store,
                               const std::vector<std::string>& declarations);

// What the store's file names, and "gpu", sorted.
Result<std::vector<std::string>> declared_resources(const std::filesystem::path& store);

// The names of a resource's units; empty where there is none. An unreadable file is an error.
Result<std::vector<std::string>> units_of(const std::filesystem::path& store,
                                          const std::string& resource);

// UUIDs of the GPUs that the driver reports, sorted. Reads /proc/driver/nvidia, else asks
// nvidia-smi, which may take a second.
std::vector<std::string> find_gpus();

}  // namespace checkride::cli
