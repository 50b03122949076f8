#include "kernels/bandwidth/datasheet.h"

#include <cmath>
#include <cstdio>

namespace checkride::kernels::bandwidth {

namespace {

struct Published {
  int sm, bus_bits, clock_mhz;
  double GBps;
};
// As the makers' data sheets give it; a few percent below width x clock.
constexpr Published published[] = {
    {80, 5120, 1215, 1555},  // A100 40 GB
    {80, 5120, 1512, 1935},  // A100 80 GB PCIe
    {80, 5120, 1593, 2039},  // A100 80 GB SXM
    {90, 5120, 1593, 2039},  // H100 PCIe
    {90, 5120, 2619, 3350},  // H100 SXM
    {90, 6144, 2619, 4000},  // GH200 96 GB
    {90, 6016, 3201, 4800},  // H200: 47 of 48 parts of its bus are in use
};

std::string with_unit(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f GB/s", value);
  return text;
}

}  // namespace

std::optional<Datasheet> datasheet_of(const MemoryFacts& facts) {
  if (facts.bus_bits <= 0 || facts.clock_mhz <= 0) return std::nullopt;
  for (const Published& device : published)
    if (device.sm == facts.sm && device.bus_bits == facts.bus_bits &&
        std::abs(device.clock_mhz - facts.clock_mhz) * 50 <= device.clock_mhz)
      return Datasheet{device.GBps, "published"};
  return Datasheet{2.0 * facts.clock_mhz * 1e6 * facts.bus_bits / 8.0 / 1e9, "computed"};
}

Judgement judge(const std::vector<Figure>& figures, const std::optional<Datasheet>& datasheet,
                std::optional<double> baseline_copy_GBps) {
  Judgement judgement;
  const auto add = [&](std::string reason, const std::string& sentence) {
    judgement.reasons.push_back(std::move(reason));
    if (judgement.message.empty()) judgement.message = sentence;
  };
  for (const Figure& figure : figures)
    if (!(figure.verify_max_rel <= verify_bound)) {
      add("verify_failed", std::string(to_string(figure.kernel)) +
                               " left wrong values; the figures mean nothing, test the memory");
      break;
    }
  for (const Figure& figure : figures) {
    if (!datasheet || figure.kernel == Kernel::l2_read || figure.median() <= datasheet->GBps)
      continue;
    judgement.impossible = true;
    add("above_physical_limit", std::string(to_string(figure.kernel)) + " reads " +
                                    with_unit(figure.median()) + ", above the " +
                                    with_unit(datasheet->GBps) +
                                    " of the device: a cache was measured; give more bytes");
    break;
  }
  for (const Figure& figure : figures) {
    if (figure.kernel != Kernel::copy) continue;
    if (datasheet && figure.median() < least_of_datasheet * datasheet->GBps)
      add("below_datasheet", "copy reaches " + with_unit(figure.median()) + ", below " +
                                 with_unit(least_of_datasheet * datasheet->GBps) +
                                 ", 0.85 of the data sheet; look for throttling or other users");
    if (baseline_copy_GBps && figure.median() < least_of_baseline * *baseline_copy_GBps)
      add("below_baseline", "copy reaches " + with_unit(figure.median()) + ", below 0.97 of the " +
                                with_unit(*baseline_copy_GBps) + " this device had before");
  }
  return judgement;
}

}  // namespace checkride::kernels::bandwidth
