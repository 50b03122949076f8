#include "kernels/attention/e4m3_tensors.h"

#include <algorithm>
#include <cmath>

#include "kernels/attention/forward_e4m3.h"
#include "kernels/math/e4m3.h"
#include "kernels/quant/code.h"

namespace checkride::kernels::attention {
namespace {

void quantise_heads(Dtype dtype, const std::vector<std::uint16_t>& bits, std::size_t head_elements,
                    const std::vector<float>& given, std::vector<std::uint8_t>& codes,
                    std::vector<float>& scales) {
  codes.resize(bits.size());
  scales = given;
  if (given.empty()) scales.resize(bits.size() / head_elements);
  for (std::size_t head = 0; head < scales.size(); ++head) {
    const std::size_t first = head * head_elements;
    if (given.empty()) {
      float largest = 0.0f;
      for (std::size_t i = first; i < first + head_elements; ++i)
        largest = std::max(largest, std::fabs(float_from_bits(dtype, bits[i])));
      scales[head] = quant::scale_of(largest, quant::Code::e4m3, 0);
    }
    for (std::size_t i = first; i < first + head_elements; ++i)
      codes[i] = e4m3_from_float(float_from_bits(dtype, bits[i]) / scales[head]);
  }
}

}  // namespace

E4m3Host quantise(const ForwardProblem& problem, const HostTensors& tensors,
                  const std::vector<float>& v_scale) {
  const auto dim = static_cast<std::size_t>(problem.dim);
  const std::size_t q_head = static_cast<std::size_t>(problem.seq) * dim;
  const std::size_t k_head = static_cast<std::size_t>(problem.keys()) * dim;
  E4m3Host host;
  quantise_heads(problem.dtype, tensors.q, q_head, {}, host.q, host.q_scale);
  quantise_heads(problem.dtype, tensors.k, k_head, {}, host.k, host.k_scale);
  quantise_heads(problem.dtype, tensors.v, k_head, v_scale, host.v, host.v_scale);
  return host;
}

std::vector<std::uint8_t> padded_rows(const std::vector<std::uint8_t>& codes, int seq, int dim) {
  const std::size_t from = static_cast<std::size_t>(seq) * static_cast<std::size_t>(dim);
  const std::size_t to = static_cast<std::size_t>(e4m3_rows(seq)) * static_cast<std::size_t>(dim);
  std::vector<std::uint8_t> padded(codes.size() / from * to);
  for (std::size_t head = 0; head < codes.size() / from; ++head)
    std::copy_n(codes.data() + head * from, from, padded.data() + head * to);
  return padded;
}

std::vector<std::uint8_t> padded_transposed(const std::vector<std::uint8_t>& codes, int seq,
                                            int dim) {
  const auto rows = static_cast<std::size_t>(seq), columns = static_cast<std::size_t>(dim);
  const auto stride = static_cast<std::size_t>(e4m3_rows(seq));
  const std::size_t heads = codes.size() / (rows * columns);
  std::vector<std::uint8_t> padded(heads * columns * stride);
  for (std::size_t head = 0; head < heads; ++head)
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t d = 0; d < columns; ++d)
        padded[(head * columns + d) * stride + row] = codes[(head * rows + row) * columns + d];
  return padded;
}

}  // namespace checkride::kernels::attention
