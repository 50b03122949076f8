#include "kernels/attention/attention.h"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "kernels/attention/forward_e4m3.h"
#include "kernels/attention/mma_layout.h"
#include "kernels/attention/split_layout.h"
#include "kernels/attention/stream_layout.h"

namespace checkride::kernels::attention {
namespace {

constexpr std::array<std::pair<Variant, std::string_view>, 4> names{{{Variant::automatic, "auto"},
                                                                     {Variant::mma, "mma"},
                                                                     {Variant::split, "split"},
                                                                     {Variant::stream, "stream"}}};

int blocks_for(int rows, int rows_per_block) {
  return (rows + rows_per_block - 1) / rows_per_block;
}

// The split kernel is for problems whose row tiles alone leave most of the 132 multiprocessors
// idle.
constexpr int split_seq_max = 512;
constexpr int split_tiles_max = 66;

template <int kKeys, int kSplits>
void set_split(ForwardPlan& plan, int seq) {
  using Layout = SplitLayout<kKeys, kSplits>;
  plan.keys = kKeys;
  plan.groups = Layout::groups;
  plan.cluster = kSplits;
  plan.grid_x = blocks_for(seq, Layout::rows) * kSplits;
  plan.threads = Layout::threads;
  plan.shared_bytes = Layout::shared_bytes;
}

}  // namespace

std::string_view to_string(Variant variant) {
  for (const auto& [value, name] : names)
    if (value == variant) return name;
  return "?";
}

Result<Variant> parse_variant(std::string_view name) {
  for (const auto& [value, known] : names)
    if (known == name) return value;
  return fail(ErrorCode::invalid_argument, "no attention kernel is called \"" + std::string(name) +
                                               "\"; choose auto, mma, split or stream");
}

Result<ForwardPlan> plan_forward(const ForwardProblem& problem, int sm, Variant variant) {
  if (problem.batch < 1 || problem.heads < 1 || problem.seq < 1)
    return fail(ErrorCode::invalid_argument, "attention needs batch, heads and seq of at least 1");
  if (problem.batch > 65535 / problem.heads || problem.seq > 1 << 20)
    return fail(ErrorCode::invalid_argument,
                "attention takes at most 65535 heads in all and a seq of at most 1048576");
  if (!(problem.scale > 0.0f) || !std::isfinite(problem.scale))
    return fail(ErrorCode::invalid_argument, "attention needs a positive, finite scale");
  if (problem.key_heads() != problem.heads || problem.keys() != problem.seq || problem.dim != 64)
    return fail(
        ErrorCode::unsupported,
        "the attention kernels take rows of 64 elements and as many heads and rows of K and "
        "V as of Q; compute this problem on the host");
  if (sm < 80)
    return fail(ErrorCode::unsupported,
                "the attention kernels need compute capability 8.0 or higher");

  const bool hopper = sm == 90;
  const int tiles = blocks_for(problem.seq, 64) * problem.batch * problem.heads;
  if (variant == Variant::automatic) {
    const bool split = problem.seq <= split_seq_max && tiles <= split_tiles_max;
    variant = !hopper ? Variant::mma : split ? Variant::split : Variant::stream;
  }
  if (variant != Variant::mma && !hopper)
    return fail(ErrorCode::unsupported,
                "the " + std::string(to_string(variant)) +
                    " attention kernel needs compute capability 9.0; use mma");

  ForwardPlan plan;
  plan.variant = variant;
  plan.grid_y = problem.batch * problem.heads;
  switch (variant) {
    case Variant::split:
      if (problem.seq > split_seq_max)
        return fail(ErrorCode::unsupported,
                    "the split attention kernel takes a seq of at most 512; use stream");
      if (problem.seq <= 128)
        set_split<64, 1>(plan, problem.seq);
      else
        set_split<128, 2>(plan, problem.seq);
      break;
    case Variant::stream:
      plan.keys = StreamLayout::keys;
      plan.groups = StreamLayout::groups;
      plan.grid_x = blocks_for(problem.seq, StreamLayout::rows);
      plan.threads = StreamLayout::threads;
      plan.shared_bytes = StreamLayout::shared_bytes;
      break;
    default:
      plan.keys = MmaLayout::keys;
      plan.groups = MmaLayout::halves;
      plan.grid_x = blocks_for(problem.seq, MmaLayout::rows);
      plan.threads = MmaLayout::threads;
      plan.shared_bytes = MmaLayout::shared_bytes;
  }
  return plan;
}

Result<ForwardPlan> plan_e4m3(const ForwardProblem& problem, int sm) {
  CR_TRY(ForwardPlan plan, plan_forward(problem, sm, Variant::split));
  using Layout = SplitLayout<128, 2, 1>;
  plan.keys = 128;
  plan.cluster = 2;
  plan.grid_x = blocks_for(problem.seq, Layout::rows) * plan.cluster;
  plan.threads = Layout::threads;
  plan.shared_bytes = Layout::shared_bytes;
  return plan;
}

}  // namespace checkride::kernels::attention
