#include "cli/resources.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <system_error>

#include "engine/base/files.h"

namespace checkride::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_bytes_max = 64 << 10;
constexpr std::uint32_t units_max = 1024;

using Table = std::map<std::string, std::string>;  // resource -> what stands behind '='

std::string trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1));
}

fs::path file_of(const fs::path& store) {
  return store / "resources";
}

Result<std::vector<std::string>> names_in(const std::string& resource, const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    return fail(
        ErrorCode::invalid_argument,
        "'" + resource + "=" + text + "' declares no resource: " + why +
            "; write a number such as gpu=2 or names such as port=8001,8002 (one: port=8001,)");
  };
  std::vector<std::string> names;
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc{} && end == text.data() + text.size()) {
    if (count > units_max) return refuse("there are more than " + std::to_string(units_max));
    for (std::uint32_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
    return names;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::string name = trimmed(std::string_view(text).substr(at, comma - at));
    at = comma + 1;
    if (name.empty() && at > text.size() && !names.empty()) break;  // a comma at the end
    const bool word =
        !name.empty() && name.size() <= 100 &&
        std::all_of(name.begin(), name.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ':' || c == '/';
        });
    if (!word) return refuse("'" + name + "' is no name of a unit");
    names.push_back(std::move(name));
  }
  if (names.size() > units_max) return refuse("there are more than " + std::to_string(units_max));
  return names;
}

bool is_resource(const std::string& name) {
  return !name.empty() && name.size() <= 40 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
         });
}

Result<std::pair<std::string, std::string>> parse_line(const std::string& line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string::npos || !is_resource(trimmed(line.substr(0, equals))))
    return fail(ErrorCode::invalid_argument,
                "'" + line + "' declares no resource; write a line such as gpu=2");
  std::pair<std::string, std::string> entry{trimmed(line.substr(0, equals)),
                                            trimmed(line.substr(equals + 1))};
  CR_CHECK(names_in(entry.first, entry.second));
  return entry;
}

Result<Table> read_table(const fs::path& store) {
  Table table;
  const auto text = read_file(file_of(store), file_bytes_max);
  if (!text) {
    if (text.error().code == ErrorCode::not_found) return table;
    return tl::unexpected(text.error());
  }
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string line = trimmed(std::string_view(*text).substr(at, end - at));
    at = end + 1;
    if (line.empty() || line[0] == '#') continue;
    auto entry = parse_line(line);
    if (!entry) return fail(entry.error(), file_of(store).native());
    table.insert(*std::move(entry));
  }
  return table;
}

std::vector<std::string> gpus_of_driver() {
  std::vector<std::string> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator("/proc/driver/nvidia/gpus", failed)) {
    const auto text = read_file(entry.path() / "information", file_bytes_max);
    if (!text) continue;
    constexpr std::string_view label = "GPU UUID:";
    const std::size_t at = text->find(label);
    if (at == std::string::npos) continue;
    const std::size_t end = std::min(text->find('\n', at), text->size());
    const std::string uuid =
        trimmed(std::string_view(*text).substr(at + label.size(), end - at - label.size()));
    if (uuid.starts_with("GPU-") && uuid.find('?') == std::string::npos) found.push_back(uuid);
  }
  return found;
}

// "GPU 0: NVIDIA H100 (UUID: GPU-5c...)", one a line.
std::vector<std::string> gpus_of_tool() {
  std::vector<std::string> found;
  FILE* pipe = ::popen("timeout 10 nvidia-smi -L 2>/dev/null", "r");
  if (pipe == nullptr) return found;
  std::array<char, 512> line{};
  while (found.size() < units_max &&
         std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) {
    const std::string_view text = line.data();
    const std::size_t at = text.find("UUID: GPU-");
    if (at == std::string_view::npos) continue;
    found.emplace_back(text.substr(at + 6, text.find(')', at) - at - 6));
  }
  ::pclose(pipe);
  return found;
}

}  // namespace

Result<void> declare_resources(const fs::path& store,
                               const std::vector<std::string>& declarations) {
  if (declarations.empty()) return {};
  CR_TRY(Table table, read_table(store));
  const Table before = table;
  for (const std::string& declaration : declarations) {
    CR_TRY(auto entry, parse_line(declaration));
    table[entry.first] = entry.second;
  }
  if (table == before) return {};
  std::string text = "# What runs of this store may lease.\n";
  for (const auto& [resource, units] : table) text += resource + " = " + units + "\n";
  return write_file_atomic(file_of(store), text);
}

std::vector<std::string> find_gpus() {
  std::vector<std::string> found = gpus_of_driver();
  if (found.empty()) found = gpus_of_tool();
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Result<std::vector<std::string>> declared_resources(const fs::path& store) {
  CR_TRY(Table table, read_table(store));
  table.emplace("gpu", "");
  std::vector<std::string> names;
  for (const auto& [resource, units] : table) names.push_back(resource);
  return names;
}

Result<std::vector<std::string>> units_of(const fs::path& store, const std::string& resource) {
  CR_TRY(const Table table, read_table(store));
  const auto declared = table.find(resource);
  if (declared == table.end()) return resource == "gpu" ? find_gpus() : std::vector<std::string>();
  CR_TRY(std::vector<std::string> names, names_in(resource, declared->second));
  const bool counted = !names.empty() && names.front() == "0";
  if (resource != "gpu" || !counted) return names;
  std::vector<std::string> real = find_gpus();
  if (real.size() < names.size()) return names;
  real.resize(names.size());
  return real;
}

}  // namespace checkride::cli
