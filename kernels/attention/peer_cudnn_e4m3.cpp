// cuDNN's e4m3 attention as C functions for peers.py, which PyTorch does not reach itself. Written
// against cuDNN's header-only frontend (https://github.com/NVIDIA/cudnn-frontend); built where its
// headers are found (CMake: CR_CUDNN_FRONTEND). Head size 64, tensors [batch, heads, seq, 64], one
// scale a tensor, the output in e4m3: before Blackwell cuDNN writes no other type.
#include <cudnn_frontend.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <unordered_map>
#include <vector>

namespace {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;

// q, k, v; their scales; the inverse scale and the scale of probabilities; the output's scale; o;
// the largest probability and output.
enum Place { q, k, v, q_scale, k_scale, v_scale, p_inverse, p_scale, o_scale, o, p_amax, o_amax };
constexpr std::size_t places = 12;

// Lives as long as the process.
struct Plan {
  cudnnHandle_t handle = nullptr;
  fe::graph::Graph graph;
  std::array<Tensor, places> tensors;
};

bool good(fe::error_t status, const char* what) {
  if (status.is_good()) return true;
  std::fprintf(stderr, "cuDNN e4m3: %s: %s\n", what, status.get_message().c_str());
  return false;
}

fe::graph::Tensor_attributes tensor(const char* name, const std::vector<int64_t>& dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (std::size_t i = dims.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * dims[i];
  fe::graph::Tensor_attributes attributes;
  attributes.set_name(name).set_dim(dims).set_stride(strides);
  return attributes;
}

fe::graph::Tensor_attributes scalar(const char* name) {
  return tensor(name, {1, 1, 1, 1}).set_data_type(fe::DataType_t::FLOAT);
}

bool build(Plan& plan, const std::vector<int64_t>& dims, bool causal) {
  fe::graph::Graph& graph = plan.graph;
  auto& t = plan.tensors;
  graph.set_io_data_type(fe::DataType_t::FP8_E4M3)
      .set_intermediate_data_type(fe::DataType_t::FLOAT)
      .set_compute_data_type(fe::DataType_t::FLOAT);
  constexpr std::array<const char*, 9> names{
      "q", "k", "v", "q_scale", "k_scale", "v_scale", "p_inverse", "p_scale", "o_scale"};
  for (std::size_t i = q; i <= v; ++i) t[i] = graph.tensor(tensor(names[i], dims));
  for (std::size_t i = q_scale; i <= o_scale; ++i) t[i] = graph.tensor(scalar(names[i]));
  fe::graph::SDPA_fp8_attributes options;
  options.set_name("attention")
      .set_generate_stats(false)
      .set_causal_mask(causal)
      .set_attn_scale(0.125f);
  const auto outputs = graph.sdpa_fp8(t[q], t[k], t[v], t[q_scale], t[k_scale], t[v_scale],
                                      t[p_inverse], t[p_scale], t[o_scale], options);
  t[o] = outputs[0];
  t[p_amax] = outputs[2];
  t[o_amax] = outputs[3];
  const fe::graph::Tensor_attributes like = tensor("o", dims);
  t[o]->set_output(true).set_dim(dims).set_stride(like.get_stride());
  for (const std::size_t i : {p_amax, o_amax})
    t[i]->set_output(true)
        .set_dim({1, 1, 1, 1})
        .set_stride({1, 1, 1, 1})
        .set_data_type(fe::DataType_t::FLOAT);
  return good(graph.validate(), "validate") &&
         good(graph.build_operation_graph(plan.handle), "operation graph") &&
         good(graph.create_execution_plans({fe::HeurMode_t::A}), "plans") &&
         good(graph.check_support(plan.handle), "support") &&
         good(graph.build_plans(plan.handle), "build");
}

}  // namespace

// Null where cuDNN refuses, with its words on standard error. The workspace is asked for by
// checkride_cudnn_e4m3_workspace and given to each run.
extern "C" void* checkride_cudnn_e4m3_plan(int batch, int heads, int seq, int causal) {
  auto plan = std::make_unique<Plan>();
  if (cudnnCreate(&plan->handle) != CUDNN_STATUS_SUCCESS) return nullptr;
  return build(*plan, {batch, heads, seq, 64}, causal != 0) ? plan.release() : nullptr;
}

extern "C" long long checkride_cudnn_e4m3_workspace(void* of) {
  int64_t bytes = 0;
  return good(static_cast<Plan*>(of)->graph.get_workspace_size(bytes), "workspace") ? bytes : -1;
}

// `pointers` in the order of Place. Returns 0, or 1 with cuDNN's words on standard error.
extern "C" int checkride_cudnn_e4m3_run(void* of, void* const* pointers, void* workspace,
                                        void* stream) {
  auto* plan = static_cast<Plan*>(of);
  if (cudnnSetStream(plan->handle, static_cast<cudaStream_t>(stream)) != CUDNN_STATUS_SUCCESS)
    return 1;
  std::unordered_map<Tensor, void*> pack;
  for (std::size_t i = 0; i < places; ++i) pack[plan->tensors[i]] = pointers[i];
  return good(plan->graph.execute(plan->handle, pack, workspace), "execute") ? 0 : 1;
}
