#include "kernels/quant/quant_case.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "kernels/job/inputs.h"
#include "kernels/tensor/files.h"
#include "kernels/tensor/generate.h"

namespace checkride::kernels::quant {

Result<Tensor> input_of(const JobRequest& request) {
  const json::object& inputs = request.inputs;
  if (has(inputs, "tensor"))
    return read_tensor(text(inputs, "tensor"), text(inputs, "tensor_name"));
  std::vector<std::int64_t> shape = {1, 8, 512, 64};
  if (has(inputs, "shape")) {
    shape.clear();
    for (const json::value& size : inputs.at("shape").as_array())
      shape.push_back(size.is_int64() ? size.get_int64() : 0);
  }
  CR_TRY(const std::string type, choice(inputs, "dtype", "f16", {"f16", "bf16", "f32"}));
  CR_TRY(const std::string name,
         choice(inputs, "distribution", "normal", {"normal", "outliers", "constant", "one_hot"}));
  constexpr std::int64_t elements_max = std::int64_t{1} << 28;
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) {
    if (size < 1 || size > elements_max / elements)
      return fail(ErrorCode::invalid_argument, "shape is " + shape_text(shape) +
                                                   "; give sizes from 1, in all at most " +
                                                   std::to_string(elements_max) + " elements");
    elements *= size;
  }
  RandomStream random(request.seed);
  return generate(*element_type_from(type), shape, *distribution_from(name), random);
}

Result<Plan> plan_of(const json::object& inputs, const Tensor& input) {
  Plan plan;
  if (input.shape.size() > 4)
    return fail(ErrorCode::invalid_argument,
                "shape is " + shape_text(input.shape) + "; give at most batch, heads, seq, dim");
  std::copy_backward(input.shape.begin(), input.shape.end(), plan.shape.end());
  CR_TRY(const std::string granularity,
         choice(inputs, "granularity", "tensor", {"tensor", "head", "block"}));
  plan.granularity = granularity == "block"  ? Granularity::block
                     : granularity == "head" ? Granularity::head
                                             : Granularity::tensor;
  CR_TRY(plan.block_rows, whole_within(inputs, "block_rows", 64, 1, 1 << 20));
  CR_TRY(const std::int64_t margin, whole_within(inputs, "margin", 0, 0, 64));
  plan.margin = static_cast<int>(margin);
  const auto code = choice(inputs, "code", "e4m3", {"e4m3", "linear_u8"});
  if (!code) return tl::unexpected(code.error());
  plan.code = *code == "e4m3" ? Code::e4m3 : Code::linear_u8;
  plan.transpose = flag(inputs, "transpose", false);
  CR_CHECK(check_plan(plan, input.type));
  return plan;
}

}  // namespace checkride::kernels::quant
