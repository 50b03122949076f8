#include "kernels/attention/forward_host.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numbers>

#include "engine/base/assert.h"
#include "kernels/attention/forward_e4m3.h"
#include "kernels/attention/host_rows.h"
#include "kernels/math/e4m3.h"

namespace checkride::kernels::attention {
namespace {

struct Partial {
  explicit Partial(std::size_t dim) : o(dim) {}
  float m = no_score();
  float l = 0.0f;
  std::vector<float> o;
};

// Tensors as values, without their scales, and what depends on their type.
struct Operands {
  std::vector<float> q, k, v;
  std::vector<float> scale_log2;  // by head: what scores are multiplied with
  std::vector<float> out_scale;   // by head: what outputs are multiplied with
  float p_bias_log2;              // probabilities carry the factor 2 to this power
  std::function<float(float)> round_p;
};

struct Head {
  const Operands& operands;
  const float* q;  // the row
  const float* k;  // the head
  const float* v;
  float scale_log2;
  std::size_t dim;
  std::size_t visible;
};

// One tile of keys taken into `partial`, as a warpgroup does: probabilities are summed in fp32
// before and multiplied with V after their rounding.
void take_keys(const Head& head, std::size_t first, std::size_t last, Partial& partial) {
  last = std::min(last, head.visible);
  if (first >= last) return;
  std::vector<float> score(last - first);
  float raw_max = no_score();
  for (std::size_t key = first; key < last; ++key) {
    float dot = 0.0f;
    for (std::size_t d = 0; d < head.dim; ++d) dot += head.q[d] * head.k[key * head.dim + d];
    score[key - first] = dot;
    raw_max = std::max(raw_max, dot);
  }
  const float before = partial.m;
  const float now = std::max(before, folded_max(raw_max, head.scale_log2));
  const float shrink = rescale(before, before, now);
  partial.m = now;
  partial.l *= shrink;
  for (float& o : partial.o) o *= shrink;
  const float raised = now - head.operands.p_bias_log2;
  for (std::size_t key = first; key < last; ++key) {
    const float p = probability(score[key - first], head.scale_log2, raised);
    partial.l += p;
    const float rounded = head.operands.round_p(p);
    for (std::size_t d = 0; d < head.dim; ++d) partial.o[d] += rounded * head.v[key * head.dim + d];
  }
}

void join_into(Partial& a, const Partial& b, JoinFunction join_partials) {
  const Joined joined = join_partials(a.m, a.l, b.m, b.l);
  a.m = joined.m;
  a.l = joined.l;
  for (std::size_t d = 0; d < a.o.size(); ++d)
    a.o[d] = std::fma(joined.weight_a, a.o[d], joined.weight_b * b.o[d]);
}

Partial row_of(const Head& head, const Tiling& tiling) {
  const auto keys = static_cast<std::size_t>(tiling.keys);
  std::vector<Partial> part(static_cast<std::size_t>(tiling.parts), Partial(head.dim));
  if (tiling.parts == 1)
    for (std::size_t first = 0; first < head.visible; first += keys)
      take_keys(head, first, first + keys, part[0]);
  else
    for (std::size_t g = 0; g < part.size(); ++g)
      take_keys(head, g * keys, (g + 1) * keys, part[g]);
  // Within blocks, then between them.
  if (tiling.parts > 1) join_into(part[0], part[1], tiling.join_partials);
  if (tiling.parts > 2) {
    join_into(part[2], part[3], tiling.join_partials);
    join_into(part[0], part[2], tiling.join_partials);
  }
  return part[0];
}

std::vector<std::uint16_t> forward(const ForwardProblem& problem, const Operands& operands,
                                   const Tiling& tiling, int threads, const Rows& rows,
                                   std::vector<float>* lse) {
  CR_ASSERT(tiling.keys > 0 && (tiling.parts == 1 || tiling.parts == 2 || tiling.parts == 4));
  CR_ASSERT(tiling.parts == 1 || tiling.parts * tiling.keys >= problem.keys());
  const HostShape shape(problem);
  const std::size_t count = rows.empty() ? shape.rows : rows.size();
  std::vector<std::uint16_t> out(count * shape.dim, poison);
  if (lse != nullptr) lse->resize(count);
  for_rows(count, threads, [&](std::size_t at) {
    const std::size_t row = rows.empty() ? at : rows[at];
    const std::size_t first = shape.first_key(row) * shape.dim;
    const Head head{operands,
                    operands.q.data() + row * shape.dim,
                    operands.k.data() + first,
                    operands.v.data() + first,
                    operands.scale_log2[shape.head(row)],
                    shape.dim,
                    shape.visible(row)};
    const Partial result = row_of(head, tiling);
    const float inverse = reciprocal(result.l) * operands.out_scale[shape.head(row)];
    for (std::size_t d = 0; d < shape.dim; ++d)
      out[at * shape.dim + d] = bits_from_float(problem.dtype, result.o[d] * inverse);
    if (lse != nullptr)
      (*lse)[at] =
          (result.m + std::log2(result.l) - operands.p_bias_log2) * std::numbers::ln2_v<float>;
  });
  return out;
}

std::vector<float> widen_codes(const std::vector<std::uint8_t>& codes) {
  std::vector<float> values(codes.size());
  std::transform(codes.begin(), codes.end(), values.begin(), float_from_e4m3);
  return values;
}

}  // namespace

std::vector<std::uint16_t> forward_host(const ForwardProblem& problem, const HostTensors& tensors,
                                        const Tiling& tiling, int threads, const Rows& rows,
                                        std::vector<float>* lse) {
  const auto heads =
      static_cast<std::size_t>(problem.batch) * static_cast<std::size_t>(problem.heads);
  const Operands operands{widen(problem.dtype, tensors.q),
                          widen(problem.dtype, tensors.k),
                          widen(problem.dtype, tensors.v),
                          std::vector<float>(heads, problem.scale * log2_e),
                          std::vector<float>(heads, 1.0f),
                          0.0f,
                          [dtype = problem.dtype](float p) { return round_to(dtype, p); }};
  return forward(problem, operands, tiling, threads, rows, lse);
}

std::vector<std::uint16_t> forward_host(const ForwardProblem& problem, const E4m3Host& tensors,
                                        const Tiling& tiling, int threads, const Rows& rows,
                                        std::vector<float>* lse) {
  Operands operands{widen_codes(tensors.q),
                    widen_codes(tensors.k),
                    widen_codes(tensors.v),
                    {},
                    {},
                    p_bias_log2,
                    [](float p) { return float_from_e4m3(e4m3_from_float(p)); }};
  const auto shared = static_cast<std::size_t>(problem.heads / problem.key_heads());
  for (std::size_t head = 0; head < tensors.q_scale.size(); ++head) {
    operands.scale_log2.push_back(problem.scale * log2_e *
                                  (tensors.q_scale[head] * tensors.k_scale[head / shared]));
    operands.out_scale.push_back(tensors.v_scale[head / shared]);
  }
  return forward(problem, operands, tiling, threads, rows, lse);
}

}  // namespace checkride::kernels::attention
