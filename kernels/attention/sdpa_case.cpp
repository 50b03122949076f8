#include "kernels/attention/sdpa_case.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/attention/forward_e4m3.h"
#include "kernels/job/device.h"
#include "kernels/job/inputs.h"
#include "kernels/tensor/files.h"
#include "kernels/tensor/generate.h"

namespace checkride::kernels::attention {
namespace {

constexpr std::array<const char*, 3> tensor_names = {"q", "k", "v"};

std::vector<std::uint16_t> bits_of(const Tensor& tensor, Dtype dtype) {
  std::vector<std::uint16_t> bits(tensor.elements());
  for (std::size_t i = 0; i < bits.size(); ++i)
    bits[i] = bits_from_float(dtype, static_cast<float>(value_at(tensor, i)));
  return bits;
}

Result<int> size_of(const json::object& inputs, std::string_view name, std::int64_t otherwise,
                    std::int64_t most) {
  CR_TRY(const std::int64_t value, whole_within(inputs, name, otherwise, 1, most));
  return static_cast<int>(value);
}

// Sizes from the inputs, of tensors that are to be made.
Result<void> read_sizes(const json::object& inputs, ForwardProblem& problem) {
  CR_TRY(problem.batch, size_of(inputs, "batch", 1, 65535));
  CR_TRY(problem.heads, size_of(inputs, "heads", 8, 65535));
  CR_TRY(problem.seq, size_of(inputs, "seq", 512, 1 << 20));
  CR_TRY(problem.kv_heads, size_of(inputs, "kv_heads", problem.heads, 65535));
  CR_TRY(problem.kv_seq, size_of(inputs, "kv_seq", problem.seq, 1 << 20));
  CR_TRY(problem.dim, size_of(inputs, "head_dim", 64, 512));
  return {};
}

Result<std::array<Tensor, 3>> load(const json::object& inputs) {
  for (const char* size :
       {"batch", "heads", "kv_heads", "seq", "kv_seq", "head_dim", "distribution"})
    if (has(inputs, size))
      return fail(ErrorCode::invalid_argument, std::string(size) +
                                                   " is given with tensors from files; leave it "
                                                   "out, the files say it");
  std::array<Tensor, 3> tensors;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string name = tensor_names[i];
    if (!has(inputs, name))
      return fail(ErrorCode::invalid_argument, name + " is missing; give q, k and v, or none");
    CR_TRY(tensors[i],
           read_tensor(text(inputs, name), text(inputs, name + "_tensor"), sdpa_elements_max * 8));
    const ElementType type = tensors[i].type;
    if (tensors[i].shape.size() != 4 || !is_floating(type) || type == ElementType::e4m3)
      return fail(ErrorCode::invalid_argument,
                  name + " is " + std::string(to_string(type)) + shape_text(tensors[i].shape) +
                      "; give four dimensions [batch, heads, rows, head_dim] of f16, bf16, f32 or "
                      "f64");
  }
  return tensors;
}

// Sizes from the tensors of files.
Result<void> take_sizes(const std::array<Tensor, 3>& tensors, ForwardProblem& problem) {
  const auto& q = tensors[0].shape;
  const auto& k = tensors[1].shape;
  if (k != tensors[2].shape)
    return fail(ErrorCode::invalid_argument, "k is " + shape_text(k) + " and v is " +
                                                 shape_text(tensors[2].shape) +
                                                 "; give both the same shape");
  if (q[0] != k[0] || q[3] != k[3])
    return fail(ErrorCode::invalid_argument, "q is " + shape_text(q) + " and k is " +
                                                 shape_text(k) +
                                                 "; give both the same batch and head_dim");
  for (const auto* shape : {&q, &k})
    for (std::size_t i = 0; i < 4; ++i)
      if ((*shape)[i] < 1 || (*shape)[i] > (i == 3 ? 512 : 1 << 20))
        return fail(ErrorCode::invalid_argument,
                    shape_text(*shape) +
                        " holds a size out of range; give 1 to 1048576, and at "
                        "most 512 for head_dim");
  problem.batch = static_cast<int>(q[0]);
  problem.heads = static_cast<int>(q[1]);
  problem.seq = static_cast<int>(q[2]);
  problem.dim = static_cast<int>(q[3]);
  problem.kv_heads = static_cast<int>(k[1]);
  problem.kv_seq = static_cast<int>(k[2]);
  return {};
}

Result<void> check_sizes(const ForwardProblem& problem) {
  if (problem.heads % problem.kv_heads != 0)
    return fail(ErrorCode::invalid_argument, "kv_heads is " + std::to_string(problem.kv_heads) +
                                                 "; give a divisor of heads, " +
                                                 std::to_string(problem.heads));
  if (problem.causal && problem.kv_seq != problem.seq)
    return fail(ErrorCode::invalid_argument,
                "causal needs as many keys as queries; give kv_seq " + std::to_string(problem.seq));
  const double elements = static_cast<double>(problem.batch) * static_cast<double>(problem.heads) *
                          static_cast<double>(std::max(problem.seq, problem.kv_seq)) *
                          static_cast<double>(problem.dim);
  if (elements > static_cast<double>(sdpa_elements_max))
    return fail(ErrorCode::invalid_argument, "a tensor would hold more than " +
                                                 std::to_string(sdpa_elements_max) +
                                                 " elements; give smaller sizes");
  return {};
}

// A reference that is no number judges nothing. `name` is q, k or v.
Result<void> check_finite(const std::vector<std::uint16_t>& bits, Dtype dtype, const char* name) {
  const auto wrong = std::ranges::count_if(
      bits, [&](std::uint16_t one) { return !std::isfinite(float_from_bits(dtype, one)); });
  if (wrong == 0) return {};
  return fail(ErrorCode::invalid_argument, std::string(name) + " has " + std::to_string(wrong) +
                                               " elements that are no finite " +
                                               std::string(to_string(dtype)) +
                                               " numbers; give others, or another dtype");
}

Result<void> choose_kernel(const JobRequest& request, SdpaCase& sdpa) {
  CR_TRY(const std::string impl,
         choice(request.inputs, "impl", "auto", {"auto", "split", "stream", "mma", "cpu"}));
  JobRequest asked = request;
  if (impl == "cpu" && request.where == JobRequest::Where::cuda)
    return fail(ErrorCode::invalid_argument, "impl cpu and backend cuda exclude each other");
  if (impl == "cpu") asked.where = JobRequest::Where::cpu;
  if (impl != "auto" && impl != "cpu") {
    if (request.where == JobRequest::Where::cpu)
      return fail(ErrorCode::invalid_argument,
                  "impl " + impl + " and backend cpu exclude each other");
    asked.where = JobRequest::Where::cuda;
  }
  CR_TRY(sdpa.backend, choose_backend(asked));
  if (sdpa.backend == Backend::cpu) {
    sdpa.impl_used = "cpu";
    // As the kernels would: all keys at once in four ranges, or block after block.
    sdpa.tiling = {128, sdpa.problem.keys() <= 512 ? 4 : 1};
    return {};
  }
  if (sdpa.e4m3) {
    if (impl != "auto" && impl != "split")
      return fail(ErrorCode::unsupported,
                  "the " + impl + " attention kernel does not take e4m3; use auto");
    CR_TRY(sdpa.plan, plan_e4m3(sdpa.problem, device()->sm));
    sdpa.impl_used = "split_e4m3";
  } else {
    CR_TRY(const Variant variant, parse_variant(impl));
    CR_TRY(sdpa.plan, plan_forward(sdpa.problem, device()->sm, variant));
    sdpa.impl_used = to_string(sdpa.plan.variant);
  }
  // The mma kernel takes its halves of every block in turn; its rounding is that of one range.
  const int parts = sdpa.plan.variant == Variant::mma ? 1 : sdpa.plan.splits();
  sdpa.tiling = {sdpa.plan.keys, parts};
  return {};
}

}  // namespace

Result<SdpaCase> sdpa_case(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  SdpaCase sdpa;
  ForwardProblem& problem = sdpa.problem;
  const bool files = has(inputs, "q") || has(inputs, "k") || has(inputs, "v");
  std::array<Tensor, 3> loaded;
  if (files) {
    CR_TRY(loaded, load(inputs));
    CR_CHECK(take_sizes(loaded, problem));
  } else {
    CR_CHECK(read_sizes(inputs, problem));
  }
  const bool bf16 = files && loaded[0].type == ElementType::bf16;
  CR_TRY(const std::string dtype,
         choice(inputs, "dtype", bf16 ? "bf16" : "f16", {"f16", "bf16", "e4m3"}));
  sdpa.e4m3 = dtype == "e4m3";
  problem.dtype = dtype == "bf16" ? Dtype::bf16 : Dtype::f16;
  problem.causal = flag(inputs, "causal", false);
  problem.scale = static_cast<float>(
      number(inputs, "scale", 1.0 / std::sqrt(static_cast<double>(problem.dim))));
  if (!(problem.scale > 0.0f) || !std::isfinite(problem.scale))
    return fail(ErrorCode::invalid_argument, "scale is not a positive number; give one");
  CR_CHECK(check_sizes(problem));
  CR_CHECK(choose_kernel(request, sdpa));

  CR_TRY(const std::string distribution,
         choice(inputs, "distribution", "normal", {"normal", "outliers", "constant", "one_hot"}));
  sdpa.normal = !files && distribution == "normal";
  RandomStream random(request.seed);
  const std::array<std::vector<std::uint16_t>*, 3> into = {&sdpa.tensors.q, &sdpa.tensors.k,
                                                           &sdpa.tensors.v};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!files)
      loaded[i] = generate(problem.dtype == Dtype::f16 ? ElementType::f16 : ElementType::bf16,
                           {problem.batch, i == 0 ? problem.heads : problem.kv_heads,
                            i == 0 ? problem.seq : problem.kv_seq, problem.dim},
                           *distribution_from(distribution), random);
    *into[i] = bits_of(loaded[i], problem.dtype);
    CR_CHECK(check_finite(*into[i], problem.dtype, i == 0 ? "q" : i == 1 ? "k" : "v"));
    loaded[i] = {};
  }
  return sdpa;
}

}  // namespace checkride::kernels::attention
