#include "kernels/measure/floor.h"

#include <cuda.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <string>

#include "kernels/cuda/check.h"
#include "kernels/measure/stream.h"

namespace checkride::kernels::measure {
namespace {

using cuda::check;

__global__ void empty_kernel() {}

struct Capture {
  cudaGraph_t graph = nullptr;

  Capture() = default;
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() {
    if (graph != nullptr) cudaGraphDestroy(graph);
  }
  Result<void> take(const Launch& launch) {
    CR_TRY(const cudaStream_t stream, timing_stream());
    CR_CHECK(
        check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin a capture"));
    const Result<void> queued = launch(stream, 0);
    const Result<void> ended = check(cudaStreamEndCapture(stream, &graph), "end a capture");
    return queued ? ended : queued;
  }
};

template <class Function>
Result<Function*> driver_function(const char* name) {
  void* entry = nullptr;
  cudaDriverEntryPointQueryResult found{};
  CR_CHECK(check(cudaGetDriverEntryPointByVersion(name, &entry, 12000, cudaEnableDefault, &found),
                 "look up a function of the driver"));
  if (found != cudaDriverEntryPointSuccess || entry == nullptr)
    return fail(ErrorCode::unavailable, "this driver has no " + std::string(name));
  return reinterpret_cast<Function*>(entry);
}

struct Driver {
  decltype(&cuGraphKernelNodeGetParams) params = nullptr;
  decltype(&cuKernelGetFunction) function_of = nullptr;
  decltype(&cuFuncGetAttribute) attribute = nullptr;
};

Result<Driver> driver() {
  Driver driver;
  CR_TRY(driver.params, driver_function<std::remove_pointer_t<decltype(driver.params)>>(
                            "cuGraphKernelNodeGetParams"));
  CR_TRY(driver.function_of, driver_function<std::remove_pointer_t<decltype(driver.function_of)>>(
                                 "cuKernelGetFunction"));
  CR_TRY(driver.attribute, driver_function<std::remove_pointer_t<decltype(driver.attribute)>>(
                               "cuFuncGetAttribute"));
  return driver;
}

Result<void> told(CUresult code, const char* doing) {
  if (code == CUDA_SUCCESS) return {};
  return fail(ErrorCode::internal, std::string(doing) + ": the driver's error " +
                                       std::to_string(static_cast<int>(code)));
}

Result<LaunchShape> shape_of(const Driver& driver, cudaGraphNode_t node) {
  CUDA_KERNEL_NODE_PARAMS params{};
  CR_CHECK(told(driver.params(node, &params), "read a kernel of a graph"));
  CUfunction function = params.func;
  if (function == nullptr)
    CR_CHECK(told(driver.function_of(&function, params.kern), "find a kernel of a graph"));
  const auto attribute = [&](CUfunction_attribute which) -> Result<int> {
    int value = 0;
    CR_CHECK(told(driver.attribute(&value, which, function), "read a kernel's attribute"));
    return value;
  };
  CR_TRY(const int own, attribute(CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES));
  cudaLaunchAttributeValue cluster{};
  CR_CHECK(check(
      cudaGraphKernelNodeGetAttribute(node, cudaLaunchAttributeClusterDimension, &cluster),
      "read a kernel's cluster"));
  int x = static_cast<int>(cluster.clusterDim.x), y = static_cast<int>(cluster.clusterDim.y),
      z = static_cast<int>(cluster.clusterDim.z);
  if (x == 0) {  // not of the launch: perhaps of the kernel
    CR_TRY(x, attribute(CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH));
    CR_TRY(y, attribute(CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT));
    CR_TRY(z, attribute(CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH));
  }
  LaunchShape shape;
  shape.grid_x = static_cast<int>(params.gridDimX);
  shape.grid_y = static_cast<int>(params.gridDimY);
  shape.grid_z = static_cast<int>(params.gridDimZ);
  shape.cluster = std::max(1, x);
  shape.cluster_y = std::max(1, y);
  shape.cluster_z = std::max(1, z);
  shape.threads = static_cast<int>(params.blockDimX * params.blockDimY * params.blockDimZ);
  shape.shared_bytes = params.sharedMemBytes + static_cast<std::uint32_t>(own);
  return shape;
}

}  // namespace

Result<LaunchNodes> nodes_of(const Launch& launch) {
  Capture capture;
  CR_CHECK(capture.take(launch));
  CR_TRY(const Driver functions, driver());
  std::size_t count = 0;
  CR_CHECK(check(cudaGraphGetNodes(capture.graph, nullptr, &count), "read a graph"));
  std::vector<cudaGraphNode_t> nodes(count);
  if (count > 0)
    CR_CHECK(check(cudaGraphGetNodes(capture.graph, nodes.data(), &count), "read a graph"));
  LaunchNodes found;
  for (const cudaGraphNode_t node : nodes) {
    cudaGraphNodeType type{};
    CR_CHECK(check(cudaGraphNodeGetType(node, &type), "read a graph"));
    if (type == cudaGraphNodeTypeKernel) {
      CR_TRY(const LaunchShape shape, shape_of(functions, node));
      found.kernels.push_back(shape);
    } else if (type != cudaGraphNodeTypeEmpty) {
      ++found.others;
    }
  }
  return found;
}

Result<void> launch_empty(const LaunchShape& shape, CUstream_st* stream) {
  CR_CHECK(check(cudaFuncSetAttribute(empty_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shape.shared_bytes)),
                 "shared memory of the empty kernel"));
  const int blocks = shape.cluster * shape.cluster_y * shape.cluster_z;
  if (blocks > 8)  // more than every device can do
    CR_CHECK(
        check(cudaFuncSetAttribute(empty_kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
              "cluster of the empty kernel"));
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {static_cast<unsigned>(shape.cluster),
                              static_cast<unsigned>(shape.cluster_y),
                              static_cast<unsigned>(shape.cluster_z)};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(shape.grid_x), static_cast<unsigned>(shape.grid_y),
                        static_cast<unsigned>(shape.grid_z));
  config.blockDim = dim3(static_cast<unsigned>(shape.threads));
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = blocks > 1 ? 1 : 0;
  return check(cudaLaunchKernelEx(&config, empty_kernel), "queue the empty kernel");
}

Launch empty_launch(std::vector<LaunchShape> kernels) {
  return [kernels = std::move(kernels)](CUstream_st* stream, int) -> Result<void> {
    for (const LaunchShape& shape : kernels) CR_CHECK(launch_empty(shape, stream));
    return {};
  };
}

}  // namespace checkride::kernels::measure
