// Which metric of Nsight Compute feeds which field, under which names, and what its units mean.
// Names of sm_90 (`ncu --query-metrics`); labels are those of the details page.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace checkride::kernels::tools {

enum class NcuField : std::uint8_t {
  duration_us,
  tensor_active_pct_active,   // of active cycles: idle multiprocessors do not count
  tensor_active_pct_elapsed,  // of all cycles: the one for guards
  tensor_inst_gmma,
  tensor_inst_hmma,
  dram_pct,
  l2_pct,
  sm_pct,
  warps_active_pct,
  regs,
  smem_bytes,         // without what the system keeps of each block
  smem_static_bytes,  // these two make smem_bytes
  smem_dynamic_bytes,
  spill_insts,
  local_load_insts,  // these two make spill_insts where it is not there: an upper bound
  local_store_insts,
  bank_conflicts,
  dram_bytes,
  dram_read_bytes,  // these two make dram_bytes where it is not there
  dram_write_bytes,
  count
};
inline constexpr std::size_t ncu_fields = static_cast<std::size_t>(NcuField::count);

struct NcuMetric {
  NcuField field;
  std::string_view name;     // of the metric
  std::string_view label;    // on the details page; may be empty
  std::string_view warning;  // where the name is an alias, or its value is easily misread
};
std::span<const NcuMetric> ncu_metrics();
// Null where no field is fed by it.
const NcuMetric* ncu_metric(std::string_view name_or_label);
// The names to ask ncu for, separated by commas.
std::string_view ncu_metrics_asked();

// A value of that unit in the field's own (us, bytes, percent, a count); nothing for a unit that
// does not fit. Prefixes are decimal: a Kbyte is 1000 bytes.
std::optional<double> in_field_unit(NcuField field, double value, std::string_view unit);

}  // namespace checkride::kernels::tools
