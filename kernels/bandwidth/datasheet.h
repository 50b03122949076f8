// What a device's memory can do at most, from facts and not from its name: bus width and memory
// clock, with the published figure where the device is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/bandwidth/measure.h"

namespace checkride::kernels::bandwidth {

struct MemoryFacts {
  int sm = 0;         // compute capability, 90
  int bus_bits = 0;   // 6016 for an H200
  int clock_mhz = 0;  // of the memory; two transfers a cycle
};

struct Datasheet {
  double GBps = 0.0;
  std::string source;  // "published", "computed" (bus width x clock x 2) or "given"
};
// None where clock or width are not told.
std::optional<Datasheet> datasheet_of(const MemoryFacts& facts);

struct Judgement {
  std::vector<std::string> reasons;  // none: good
  bool impossible = false;           // a figure above the datasheet: the measurement is wrong
  std::string message;
};
// The rules of bw.device: data right; no figure but l2_read above the datasheet; copy at least 0.85
// of the datasheet, and 0.97 of the baseline where there is one.
Judgement judge(const std::vector<Figure>& figures, const std::optional<Datasheet>& datasheet,
                std::optional<double> baseline_copy_GBps);

inline constexpr double least_of_datasheet = 0.85;
inline constexpr double least_of_baseline = 0.97;

}  // namespace checkride::kernels::bandwidth
