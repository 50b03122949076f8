#include "kernels/query/driver_view.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>

namespace checkride::kernels::query {

namespace {

constexpr std::size_t text_bytes_max = 1U << 20;

// Names as nvidia-smi takes them; it prints some of them differently (see row_of).
constexpr std::string_view wanted =
    "name,uuid,pci.bus_id,driver_version,memory.total,memory.free,clocks.max.sm,"
    "clocks.max.memory,clocks.sm,clocks.mem,temperature.gpu,power.draw,enforced.power.limit,"
    "clocks_throttle_reasons.active,pcie.link.gen.current,pcie.link.gen.max,"
    "pcie.link.width.current,pcie.link.width.max,ecc.mode.current,"
    "ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total,"
    "ecc.errors.corrected.aggregate.total,ecc.errors.uncorrected.aggregate.total,"
    "remapped_rows.correctable,remapped_rows.uncorrectable,remapped_rows.pending,"
    "remapped_rows.failure,mig.mode.current,compute_mode";

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  while (true) {
    const auto comma = line.find(',');
    std::string_view cell = line.substr(0, comma);
    while (!cell.empty() && (cell.front() == ' ' || cell.front() == '\t')) cell.remove_prefix(1);
    while (!cell.empty() && (cell.back() == ' ' || cell.back() == '\r')) cell.remove_suffix(1);
    cells.emplace_back(cell);
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

// By the printed name without its unit: "memory.total [MiB]" is "memory.total".
using Row = std::map<std::string, std::string>;

std::optional<std::string> words(const Row& row, const std::string& name) {
  const auto found = row.find(name);
  if (found == row.end() || found->second.empty() || found->second.front() == '[' ||
      found->second == "N/A")
    return std::nullopt;
  return found->second;
}

template <class T>
std::optional<T> number(const Row& row, const std::string& name) {
  const auto text = words(row, name);
  if (!text) return std::nullopt;
  T value{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<bool> yes(const Row& row, const std::string& name) {
  const auto text = words(row, name);
  if (!text) return std::nullopt;
  if (*text == "Enabled" || *text == "Yes" || *text == "1") return true;
  if (*text == "Disabled" || *text == "No" || *text == "0") return false;
  return std::nullopt;
}

std::optional<std::uint64_t> mebibytes(const Row& row, const std::string& name) {
  const auto count = number<std::uint64_t>(row, name);
  if (!count) return std::nullopt;
  return *count << 20;
}

std::optional<std::uint64_t> bits(const Row& row, const std::string& name) {
  const auto text = words(row, name);
  if (!text || !text->starts_with("0x")) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text->data() + 2, text->data() + text->size(), value, 16);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<int> compute_mode(const Row& row) {
  const auto text = words(row, "compute_mode");
  if (text == "Default") return 0;
  if (text == "Prohibited") return 2;
  if (text == "Exclusive_Process") return 3;
  return std::nullopt;
}

DriverView view_of(const Row& row) {
  DriverView view;
  nvml::Facts& facts = view.facts;
  facts.name = words(row, "name").value_or("");
  facts.uuid = words(row, "uuid").value_or("");
  facts.pci_bus_id = words(row, "pci.bus_id").value_or("");
  facts.driver = words(row, "driver_version").value_or("");
  facts.mem_total_bytes = mebibytes(row, "memory.total");
  facts.sm_clock_max_mhz = number<int>(row, "clocks.max.sm");
  facts.mem_clock_max_mhz = number<int>(row, "clocks.max.memory");
  facts.power_limit_w = number<double>(row, "enforced.power.limit");
  facts.pcie_gen_now = number<int>(row, "pcie.link.gen.current");
  facts.pcie_gen_max = number<int>(row, "pcie.link.gen.max");
  facts.pcie_width_now = number<int>(row, "pcie.link.width.current");
  facts.pcie_width_max = number<int>(row, "pcie.link.width.max");
  facts.ecc_mode = yes(row, "ecc.mode.current");
  facts.mig = yes(row, "mig.mode.current");
  facts.compute_mode = compute_mode(row);
  const auto pending = yes(row, "remapped_rows.pending");
  const auto failed = yes(row, "remapped_rows.failure");
  if (pending && failed)
    facts.rows = nvml::RemappedRows{number<int>(row, "remapped_rows.correctable").value_or(0),
                                    number<int>(row, "remapped_rows.uncorrectable").value_or(0),
                                    *pending, *failed};
  view.sample.power_w = number<double>(row, "power.draw");
  view.sample.temp_c = number<int>(row, "temperature.gpu");
  view.sample.sm_clock_mhz = number<int>(row, "clocks.current.sm");
  view.sample.mem_clock_mhz = number<int>(row, "clocks.current.memory");
  view.sample.memory_free_bytes = mebibytes(row, "memory.free");
  // The first name is that of drivers since 535.
  view.sample.throttle_reasons = bits(row, "clocks_event_reasons.active");
  if (!view.sample.throttle_reasons)
    view.sample.throttle_reasons = bits(row, "clocks_throttle_reasons.active");
  view.ecc.corrected_volatile = number<std::uint64_t>(row, "ecc.errors.corrected.volatile.total");
  view.ecc.uncorrected_volatile =
      number<std::uint64_t>(row, "ecc.errors.uncorrected.volatile.total");
  view.ecc.corrected_aggregate = number<std::uint64_t>(row, "ecc.errors.corrected.aggregate.total");
  view.ecc.uncorrected_aggregate =
      number<std::uint64_t>(row, "ecc.errors.uncorrected.aggregate.total");
  view.sources = {"nvidia-smi"};
  return view;
}

template <class T>
void complete(std::optional<T>& value, const std::optional<T>& other) {
  if (!value) value = other;
}
void complete(std::string& value, const std::string& other) {
  if (value.empty()) value = other;
}

void complete(DriverView& view, const DriverView& other) {
  complete(view.facts.pci_bus_id, other.facts.pci_bus_id);
  complete(view.facts.driver, other.facts.driver);
  complete(view.facts.sm_clock_max_mhz, other.facts.sm_clock_max_mhz);
  complete(view.facts.mem_clock_max_mhz, other.facts.mem_clock_max_mhz);
  complete(view.facts.power_limit_w, other.facts.power_limit_w);
  complete(view.facts.pcie_gen_now, other.facts.pcie_gen_now);
  complete(view.facts.pcie_gen_max, other.facts.pcie_gen_max);
  complete(view.facts.pcie_width_now, other.facts.pcie_width_now);
  complete(view.facts.pcie_width_max, other.facts.pcie_width_max);
  complete(view.facts.ecc_mode, other.facts.ecc_mode);
  complete(view.facts.rows, other.facts.rows);
  complete(view.facts.mig, other.facts.mig);
  complete(view.facts.compute_mode, other.facts.compute_mode);
  complete(view.sample.power_w, other.sample.power_w);
  complete(view.sample.temp_c, other.sample.temp_c);
  complete(view.sample.sm_clock_mhz, other.sample.sm_clock_mhz);
  complete(view.sample.throttle_reasons, other.sample.throttle_reasons);
  complete(view.ecc.uncorrected_volatile, other.ecc.uncorrected_volatile);
  complete(view.ecc.uncorrected_aggregate, other.ecc.uncorrected_aggregate);
  view.sources.insert(view.sources.end(), other.sources.begin(), other.sources.end());
}

// Whether the library alone says what a verdict needs.
bool enough(const DriverView& view) {
  return view.facts.rows && view.facts.ecc_mode && view.ecc.uncorrected_volatile &&
         view.sample.throttle_reasons && view.facts.pcie_width_now && view.facts.mig;
}

}  // namespace

Result<DriverView> parse_smi(std::string_view csv, std::string_view uuid) {
  std::vector<std::string> names;
  while (!csv.empty()) {
    const auto end = csv.find('\n');
    const std::string_view line = csv.substr(0, end);
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    std::vector<std::string> cells = cells_of(line);
    if (names.empty()) {
      for (std::string& cell : cells) cell = cell.substr(0, cell.find(" ["));
      if (std::ranges::find(cells, "uuid") == cells.end())
        return fail(ErrorCode::invalid_argument, "nvidia-smi did not print the line of names: " +
                                                     std::string(line.substr(0, 200)));
      names = std::move(cells);
      continue;
    }
    if (cells.size() != names.size()) continue;  // a warning between the rows
    Row row;
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = cells[i];
    if (uuid.empty() || row["uuid"] == uuid) return view_of(row);
  }
  return fail(ErrorCode::not_found, "nvidia-smi lists no device " + std::string(uuid));
}

Result<std::string> smi_query() {
  const char* const named = std::getenv("CHECKRIDE_NVIDIA_SMI");
  const std::string program = named != nullptr && *named != '\0' ? named : "nvidia-smi";
  if (program.find('\'') != std::string::npos)
    return fail(ErrorCode::unavailable, "CHECKRIDE_NVIDIA_SMI holds a quote");
  const std::string command = "exec timeout -k 1 10 '" + program +
                              "' --query-gpu=" + std::string(wanted) +
                              " --format=csv,nounits 2>/dev/null </dev/null";
  std::FILE* const pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return fail_errno("start nvidia-smi", program);
  std::string text;
  std::array<char, 4096> part{};
  while (text.size() < text_bytes_max) {
    const std::size_t count = std::fread(part.data(), 1, part.size(), pipe);
    if (count == 0) break;
    text.append(part.data(), count);
  }
  const int status = pclose(pipe);
  if (status != 0)
    return fail(ErrorCode::unavailable,
                program + " failed, exit code " +
                    std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 255));
  return text;
}

Result<DriverView> driver_view(std::string_view uuid) {
  DriverView view;
  const auto device = nvml::Device::open(uuid);
  if (device) {
    view.facts = device->facts();
    view.sample = device->sample();
    view.ecc = device->ecc();
    view.sources = {"nvml"};
    if (enough(view)) return view;
  }
  const auto text = smi_query();
  const auto other = text ? parse_smi(*text, uuid) : tl::unexpected(text.error());
  if (!device && !other) return tl::unexpected(device.error());
  if (!device) return *other;
  if (other) complete(view, *other);
  return view;
}

}  // namespace checkride::kernels::query
