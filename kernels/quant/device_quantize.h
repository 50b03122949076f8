// The quantiser on the device, for a tensor already there. Bound: the input read twice (once where
// it stays in L2) and the codes written, over the bandwidth of device memory. Results are the
// host's bit for bit.
#pragma once

#include "kernels/cuda/check.h"
#include "kernels/quant/quantize.h"

struct CUstream_st;

namespace checkride::kernels::quant {

class DeviceQuantizer {
 public:
  // `input` is of `type`, 16-byte aligned, in device memory, and outlives this.
  // Errors: of check_plan, unavailable, no_space.
  static Result<DeviceQuantizer> plan(const Plan& plan, ElementType type, const void* input);
  // Queues both passes; may be captured into a graph.
  Result<void> launch(CUstream_st* stream) const;
  // Waits, then reads what the last launch left.
  Result<Quantized> result() const;
  // Every byte of the codes becomes 0xff, which no code of e4m3 is.
  Result<void> poison();
  // Where the codes lie.
  const cuda::DeviceBuffer& codes() const { return plan_.transpose ? turned_ : codes_; }

 private:
  Plan plan_;
  Layout layout_{};
  ElementType type_ = ElementType::f32;
  const void* input_ = nullptr;
  cuda::DeviceBuffer codes_, turned_, amax_, sums_, counts_;
};

}  // namespace checkride::kernels::quant
