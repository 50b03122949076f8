#include "kernels/tools/ncu_report.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "kernels/tools/csv.h"

namespace checkride::kernels::tools {

namespace {

using enum NcuField;

constexpr std::size_t kernels_max = 20000;
constexpr std::size_t warnings_max = 32;
constexpr std::size_t line_bytes_max = 1000;
constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

// "(8, 1, 1)" as 8, 1, 1; empty for anything else.
std::vector<std::int64_t> extent_of(std::string_view text) {
  std::vector<std::int64_t> extent;
  for (std::size_t at = 0; at < text.size() && extent.size() < 3;) {
    if (text[at] < '0' || text[at] > '9') {
      ++at;
      continue;
    }
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (read.ec != std::errc()) return {};
    extent.push_back(value);
    at = static_cast<std::size_t>(read.ptr - text.data());
  }
  return extent;
}

class Reader {
 public:
  NcuReport read(std::string_view text) {
    each_line(text, [&](std::string_view line) { note(line); });
    bool first = true;
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      if (starts_header(line)) {
        first = false;
        report_.csv_seen = true;
      } else if (first || !line.starts_with('"')) {
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        continue;
      }
      bool whole = true;
      const bool ends = text.find('\n') == std::string_view::npos;
      const auto fields = take_csv_record(text, whole);
      if (!whole || (ends && fields.size() < columns_needed()))
        report_.truncated = true;
      else
        record(fields);
    }
    finish();
    return std::move(report_);
  }

 private:
  static bool starts_header(std::string_view line) { return line.starts_with("\"ID\","); }

  void warn(std::string_view what) {
    if (report_.warnings.size() < warnings_max && warned_.insert(std::string(what)).second)
      report_.warnings.emplace_back(what.substr(0, line_bytes_max));
  }

  // Lines of ncu's own.
  void note(std::string_view line) {
    const auto has = [&](std::string_view words) { return line.find(words) != line.npos; };
    if (!line.starts_with("==")) return;
    if (has("ERR_NVGPUCTRPERM")) report_.counters_denied = true;
    if (has("LibraryNotLoaded") || has("Failed to initialize the profiler"))
      report_.profiler_failed = true;
    if (has("No kernels were profiled")) report_.nothing_profiled = true;
    constexpr std::string_view code = "returned an error code (";
    if (const std::size_t at = line.find(code); at != line.npos) {
      int exit = 1;
      std::from_chars(line.data() + at + code.size(), line.data() + line.size(), exit);
      report_.target_exit = exit;
    }
    if (line.starts_with("==ERROR==") && report_.error_line.empty())
      report_.error_line = line.substr(0, line_bytes_max);
    if (line.starts_with("==WARNING==")) warn(line);
  }

  // Rows of the long format may leave out the columns after the value.
  std::size_t columns_needed() const { return value_ == nowhere ? columns_.size() : value_ + 1; }
  std::size_t column(std::string_view name) const {
    const auto found = std::ranges::find(columns_, name);
    return found == columns_.end() ? nowhere : static_cast<std::size_t>(found - columns_.begin());
  }
  static std::string_view at(const std::vector<std::string>& fields, std::size_t column) {
    return column < fields.size() ? std::string_view(fields[column]) : std::string_view();
  }

  void record(const std::vector<std::string>& fields) {
    if (fields.front() == "ID") {
      columns_ = fields;
      id_ = column("ID");
      process_ = column("Process ID");
      name_ = column("Kernel Name");
      metric_ = column("Metric Name");
      unit_ = column("Metric Unit");
      value_ = column("Metric Value");
      units_.clear();
      return;
    }
    if (fields.size() < columns_needed() || fields.size() > columns_.size()) return;
    if (metric_ == nowhere && at(fields, id_).empty()) {
      units_ = fields;
      return;
    }
    NcuKernel* kernel = kernel_of(fields);
    if (kernel == nullptr) return;
    if (metric_ != nowhere) {
      keep(*kernel, at(fields, metric_), at(fields, unit_), at(fields, value_));
      return;
    }
    for (std::size_t i = 0; i < fields.size(); ++i)
      keep(*kernel, columns_[i], at(units_, i), fields[i]);
  }

  NcuKernel* kernel_of(const std::vector<std::string>& fields) {
    const std::string id = std::string(at(fields, process_)) + ":" + std::string(at(fields, id_));
    const auto [found, is_new] = index_.emplace(id, report_.kernels.size());
    if (!is_new) return &report_.kernels[found->second];
    if (report_.kernels.size() == kernels_max) {
      index_.erase(found);
      report_.truncated = true;
      return nullptr;
    }
    NcuKernel& kernel = report_.kernels.emplace_back();
    kernel.id = id;
    kernel.name = at(fields, name_);
    kernel.grid = extent_of(at(fields, column("Grid Size")));
    kernel.block = extent_of(at(fields, column("Block Size")));
    return &kernel;
  }

  void keep(NcuKernel& kernel, std::string_view name, std::string_view unit,
            std::string_view value) {
    const NcuMetric* metric = ncu_metric(name);
    double number = 0;
    if (metric == nullptr || !read_number(value, number)) return;
    const auto scaled = in_field_unit(metric->field, number, unit);
    if (!scaled)
      return warn("the unit '" + std::string(unit) + "' of " + std::string(name) +
                  " is not known here; its value is left out");
    if (!metric->warning.empty()) warn(metric->warning);
    auto& place = kernel.values[static_cast<std::size_t>(metric->field)];
    if (!place) place = scaled;
  }

  static bool is_part(NcuField field) {
    constexpr NcuField parts[] = {smem_static_bytes, smem_dynamic_bytes, local_load_insts,
                                  local_store_insts, dram_read_bytes,    dram_write_bytes};
    return std::ranges::find(parts, field) != std::end(parts);
  }

  void finish() {
    std::set<std::string_view> missing;
    for (NcuKernel& kernel : report_.kernels) {
      const auto add_up = [&](NcuField sum, NcuField a, NcuField b, bool better) {
        auto& place = kernel.values[static_cast<std::size_t>(sum)];
        if ((!place || better) && kernel.value(a) && kernel.value(b))
          place = *kernel.value(a) + *kernel.value(b);
      };
      // ncu's own sum has the block's reserved kilobyte in it.
      add_up(smem_bytes, smem_static_bytes, smem_dynamic_bytes, true);
      add_up(spill_insts, local_load_insts, local_store_insts, false);
      add_up(dram_bytes, dram_read_bytes, dram_write_bytes, false);
      for (const NcuMetric& metric : ncu_metrics()) {
        // The first name of a field in the table is its own.
        const auto own = std::ranges::find(ncu_metrics(), metric.field, &NcuMetric::field);
        if (!is_part(metric.field) && !kernel.value(metric.field)) missing.insert(own->name);
      }
    }
    for (const std::string_view name : missing) report_.missing_metrics.emplace_back(name);
  }

  NcuReport report_;
  std::vector<std::string> columns_, units_;
  std::size_t id_ = nowhere, process_ = nowhere, name_ = nowhere, metric_ = nowhere,
              unit_ = nowhere, value_ = nowhere;
  std::map<std::string, std::size_t> index_;
  std::set<std::string> warned_;
};

}  // namespace

NcuReport read_ncu_report(std::string_view text) {
  return Reader().read(text);
}

}  // namespace checkride::kernels::tools
