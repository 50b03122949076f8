#include "kernels/tools/ncu_metrics.h"

#include <algorithm>

namespace checkride::kernels::tools {

namespace {

using enum NcuField;

constexpr std::string_view old_tensor_name =
    "sm__pipe_tensor_active is no metric of this device; it is read as "
    "sm__pipe_tensor_cycles_active";
constexpr std::string_view lsu_only =
    "bank conflicts are counted for load and store instructions only, not for bulk copies (TMA) or "
    "warpgroup matrix instructions";

constexpr std::array metrics = {
    NcuMetric{duration_us, "gpu__time_duration.sum", "Duration", ""},
    NcuMetric{duration_us, "gpu__time_duration.avg", "", ""},
    NcuMetric{tensor_active_pct_active,
              "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active", "", ""},
    NcuMetric{tensor_active_pct_elapsed,
              "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed", "", ""},
    NcuMetric{tensor_active_pct_active, "sm__pipe_tensor_active.avg.pct_of_peak_sustained_active",
              "", old_tensor_name},
    NcuMetric{tensor_active_pct_elapsed, "sm__pipe_tensor_active.avg.pct_of_peak_sustained_elapsed",
              "", old_tensor_name},
    NcuMetric{tensor_inst_gmma, "sm__inst_executed_pipe_tensor_op_gmma.sum", "", ""},
    NcuMetric{tensor_inst_hmma, "sm__inst_executed_pipe_tensor_op_hmma.sum", "", ""},
    NcuMetric{dram_pct, "dram__throughput.avg.pct_of_peak_sustained_elapsed", "DRAM Throughput",
              ""},
    NcuMetric{l2_pct, "lts__throughput.avg.pct_of_peak_sustained_elapsed", "L2 Cache Throughput",
              ""},
    NcuMetric{l2_pct, "lts__t_sectors.avg.pct_of_peak_sustained_elapsed", "", ""},
    NcuMetric{sm_pct, "sm__throughput.avg.pct_of_peak_sustained_elapsed", "Compute (SM) Throughput",
              ""},
    NcuMetric{warps_active_pct, "sm__warps_active.avg.pct_of_peak_sustained_active",
              "Achieved Occupancy", ""},
    NcuMetric{regs, "launch__registers_per_thread", "Registers Per Thread", ""},
    NcuMetric{smem_bytes, "launch__shared_mem_per_block", "", ""},
    NcuMetric{smem_static_bytes, "launch__shared_mem_per_block_static",
              "Static Shared Memory Per Block", ""},
    NcuMetric{smem_dynamic_bytes, "launch__shared_mem_per_block_dynamic",
              "Dynamic Shared Memory Per Block", ""},
    NcuMetric{spill_insts, "sass__inst_executed_register_spilling", "", ""},
    NcuMetric{local_load_insts, "smsp__inst_executed_op_local_ld.sum", "", ""},
    NcuMetric{local_store_insts, "smsp__inst_executed_op_local_st.sum", "", ""},
    NcuMetric{bank_conflicts, "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum", "", lsu_only},
    NcuMetric{dram_bytes, "dram__bytes.sum", "", ""},
    NcuMetric{dram_read_bytes, "dram__bytes_read.sum", "", ""},
    NcuMetric{dram_write_bytes, "dram__bytes_write.sum", "", ""},
};

struct Scale {
  std::string_view unit;
  double factor;
};
constexpr std::array times_us = {
    Scale{"ns", 1e-3}, Scale{"nsecond", 1e-3}, Scale{"us", 1.0}, Scale{"usecond", 1.0},
    Scale{"ms", 1e3},  Scale{"msecond", 1e3},  Scale{"s", 1e6},  Scale{"second", 1e6}};
constexpr std::array sizes_bytes = {Scale{"byte", 1.0}, Scale{"Kbyte", 1e3}, Scale{"Mbyte", 1e6},
                                    Scale{"Gbyte", 1e9}, Scale{"Tbyte", 1e12}};
constexpr std::array counts = {Scale{"", 1.0},      Scale{"inst", 1.0},  Scale{"Kinst", 1e3},
                               Scale{"Minst", 1e6}, Scale{"Ginst", 1e9}, Scale{"K", 1e3},
                               Scale{"M", 1e6},     Scale{"G", 1e9},     Scale{"register", 1.0}};
constexpr std::array percents = {Scale{"%", 1.0}};

std::span<const Scale> scales_of(NcuField field) {
  switch (field) {
    case duration_us: return times_us;
    case tensor_active_pct_active:
    case tensor_active_pct_elapsed:
    case dram_pct:
    case l2_pct:
    case sm_pct:
    case warps_active_pct: return percents;
    case smem_bytes:
    case smem_static_bytes:
    case smem_dynamic_bytes:
    case dram_bytes:
    case dram_read_bytes:
    case dram_write_bytes: return sizes_bytes;
    default: return counts;
  }
}

}  // namespace

std::span<const NcuMetric> ncu_metrics() {
  return metrics;
}

const NcuMetric* ncu_metric(std::string_view name_or_label) {
  for (const NcuMetric& metric : metrics)
    if (metric.name == name_or_label || (!metric.label.empty() && metric.label == name_or_label))
      return &metric;
  return nullptr;
}

std::string_view ncu_metrics_asked() {
  return "gpu__time_duration.sum,"
         "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active,"
         "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed,"
         "sm__inst_executed_pipe_tensor_op_gmma.sum,sm__inst_executed_pipe_tensor_op_hmma.sum,"
         "dram__throughput.avg.pct_of_peak_sustained_elapsed,"
         "lts__throughput.avg.pct_of_peak_sustained_elapsed,"
         "sm__throughput.avg.pct_of_peak_sustained_elapsed,"
         "sm__warps_active.avg.pct_of_peak_sustained_active,launch__registers_per_thread,"
         "launch__shared_mem_per_block_static,launch__shared_mem_per_block_dynamic,"
         "smsp__inst_executed_op_local_ld.sum,"
         "smsp__inst_executed_op_local_st.sum,"
         "l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum,dram__bytes.sum";
}

std::optional<double> in_field_unit(NcuField field, double value, std::string_view unit) {
  // "Kbyte/block" and "register/thread" are per what the field is of anyway.
  for (const std::string_view per : {"/block", "/thread"})
    if (unit.ends_with(per)) unit.remove_suffix(per.size());
  const auto scales = scales_of(field);
  const auto found = std::ranges::find(scales, unit, &Scale::unit);
  if (found == scales.end()) return std::nullopt;
  return value * found->factor;
}

}  // namespace checkride::kernels::tools
