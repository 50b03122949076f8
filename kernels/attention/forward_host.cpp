#include "kernels/attention/forward_host.h"

#include <algorithm>
#include <array>

#include "engine/base/assert.h"
#include "kernels/attention/parallel_rows.h"

namespace checkride::kernels::attention {
namespace {

struct Partial {
  float m = no_score();
  float l = 0.0f;
  std::array<float, head_dim> o{};
};

struct Head {
  const ForwardProblem& problem;
  const float* q;  // the row
  const float* k;  // the head
  const float* v;
  int visible;
};

// One tile of keys taken into `partial`, as a warpgroup does: probabilities are summed in fp32
// before and multiplied with V after their rounding to the tensors' type.
void take_keys(const Head& head, int first, int last, Partial& partial) {
  const float scale_log2 = head.problem.scale * log2_e;
  last = std::min(last, head.visible);
  if (first >= last) return;
  std::vector<float> score(static_cast<std::size_t>(last - first));
  float raw_max = no_score();
  for (int key = first; key < last; ++key) {
    float dot = 0.0f;
    for (int d = 0; d < head_dim; ++d) dot += head.q[d] * head.k[key * head_dim + d];
    score[static_cast<std::size_t>(key - first)] = dot;
    raw_max = std::max(raw_max, dot);
  }
  const float before = partial.m;
  const float now = std::max(before, folded_max(raw_max, scale_log2));
  const float shrink = rescale(before, before, now);
  partial.m = now;
  partial.l *= shrink;
  for (float& o : partial.o) o *= shrink;
  for (int key = first; key < last; ++key) {
    const float p = probability(score[static_cast<std::size_t>(key - first)], scale_log2, now);
    partial.l += p;
    const float rounded = round_to(head.problem.dtype, p);
    for (int d = 0; d < head_dim; ++d)
      partial.o[static_cast<std::size_t>(d)] += rounded * head.v[key * head_dim + d];
  }
}

void join_into(Partial& a, const Partial& b, JoinFunction join_partials) {
  const Joined joined = join_partials(a.m, a.l, b.m, b.l);
  a.m = joined.m;
  a.l = joined.l;
  for (std::size_t d = 0; d < a.o.size(); ++d)
    a.o[d] = std::fma(joined.weight_a, a.o[d], joined.weight_b * b.o[d]);
}

}  // namespace

std::vector<std::uint16_t> forward_host(const ForwardProblem& problem, const HostTensors& tensors,
                                        int keys, int parts, int threads,
                                        JoinFunction join_partials) {
  CR_ASSERT(keys > 0 && (parts == 1 || parts == 2 || parts == 4));
  CR_ASSERT(parts == 1 || parts * keys >= problem.seq);
  const auto q = widen<float>(problem.dtype, tensors.q);
  const auto k = widen<float>(problem.dtype, tensors.k);
  const auto v = widen<float>(problem.dtype, tensors.v);
  const auto seq = static_cast<std::size_t>(problem.seq);
  constexpr auto width = static_cast<std::size_t>(head_dim);
  std::vector<std::uint16_t> out(element_count(problem), poison);
  for_rows(out.size() / width, threads, [&](std::size_t row) {
    const std::size_t head_first = row / seq * seq * width;
    const Head head{problem, q.data() + row * width, k.data() + head_first, v.data() + head_first,
                    visible_keys(problem.causal, static_cast<int>(row % seq), problem.seq)};
    std::array<Partial, 4> part;
    if (parts == 1)
      for (int first = 0; first < head.visible; first += keys)
        take_keys(head, first, first + keys, part[0]);
    else
      for (int g = 0; g < parts; ++g)
        take_keys(head, g * keys, (g + 1) * keys, part[static_cast<std::size_t>(g)]);
    // Within blocks, then between them.
    if (parts > 1) join_into(part[0], part[1], join_partials);
    if (parts > 2) {
      join_into(part[2], part[3], join_partials);
      join_into(part[0], part[2], join_partials);
    }
    for (std::size_t d = 0; d < width; ++d)
      out[row * width + d] = bits_from_float(problem.dtype, part[0].o[d] * reciprocal(part[0].l));
  });
  return out;
}

}  // namespace checkride::kernels::attention
