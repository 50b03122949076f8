#include "kernels/gemm/cublaslt.h"

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <string>

#include "kernels/cuda/check.h"

namespace checkride::kernels::gemm {
namespace {

constexpr std::size_t workspace_bytes = std::size_t{64} << 20;

struct Library {
  decltype(&cublasLtGetVersion) version = nullptr;
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtGetStatusName) status_name = nullptr;
  decltype(&cublasLtMatmulDescCreate) operation_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) operation_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) operation_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
};

Result<Library> load() {
  const char* named = std::getenv("CHECKRIDE_CUBLASLT");
  const std::array<const char*, 5> places{
      named != nullptr ? named : "libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so",
      "/usr/local/cuda/lib64/libcublasLt.so.13", "/usr/local/cuda/lib64/libcublasLt.so"};
  void* handle = nullptr;
  for (const char* place : places) {
    handle = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr || named != nullptr) break;
  }
  if (handle == nullptr)
    return fail(ErrorCode::unavailable,
                "cuBLASLt was not found (libcublasLt.so.13 or .12); add its folder to "
                "LD_LIBRARY_PATH, or name the file in CHECKRIDE_CUBLASLT");
  Library library;
  const char* missing = nullptr;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
    if (function == nullptr) missing = name;
  };
  find(library.version, "cublasLtGetVersion");
  find(library.create, "cublasLtCreate");
  find(library.destroy, "cublasLtDestroy");
  find(library.status_name, "cublasLtGetStatusName");
  find(library.operation_create, "cublasLtMatmulDescCreate");
  find(library.operation_destroy, "cublasLtMatmulDescDestroy");
  find(library.operation_set, "cublasLtMatmulDescSetAttribute");
  find(library.layout_create, "cublasLtMatrixLayoutCreate");
  find(library.layout_destroy, "cublasLtMatrixLayoutDestroy");
  find(library.preference_create, "cublasLtMatmulPreferenceCreate");
  find(library.preference_destroy, "cublasLtMatmulPreferenceDestroy");
  find(library.preference_set, "cublasLtMatmulPreferenceSetAttribute");
  find(library.heuristic, "cublasLtMatmulAlgoGetHeuristic");
  find(library.matmul, "cublasLtMatmul");
  if (missing != nullptr)
    return fail(ErrorCode::unavailable, std::string("this cuBLASLt has no ") + missing);
  return library;
}

// Loaded once and kept: the library holds state of its own.
const Result<Library>& library() {
  static const Result<Library> loaded = load();
  return loaded;
}

Result<void> check(cublasStatus_t status, const char* doing) {
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  const ErrorCode code = status == CUBLAS_STATUS_NOT_SUPPORTED     ? ErrorCode::unsupported
                         : status == CUBLAS_STATUS_ALLOC_FAILED    ? ErrorCode::no_space
                         : status == CUBLAS_STATUS_NOT_INITIALIZED ? ErrorCode::unavailable
                                                                   : ErrorCode::internal;
  return fail(code, std::string(doing) + ": " + library()->status_name(status));
}

cudaDataType_t input_type(Element element) {
  switch (element) {
    case Element::bf16: return CUDA_R_16BF;
    case Element::fp16: return CUDA_R_16F;
    case Element::e4m3: return CUDA_R_8F_E4M3;
    case Element::tf32: break;
  }
  return CUDA_R_32F;
}

cudaDataType_t output_type(const Problem& problem) {
  if (problem.c_element_bytes() == 4) return CUDA_R_32F;
  return problem.element == Element::fp16 ? CUDA_R_16F : CUDA_R_16BF;
}

class LtProduct final : public Product {
 public:
  LtProduct() = default;
  ~LtProduct() override {
    const Library& lt = *library();
    for (auto* layout : {a_, b_, c_})
      if (layout != nullptr) lt.layout_destroy(layout);
    if (operation_ != nullptr) lt.operation_destroy(operation_);
    if (handle_ != nullptr) lt.destroy(handle_);
  }

  Result<void> prepare(const Problem& problem) {
    const Library& lt = *library();
    CR_CHECK(check(lt.create(&handle_), "start cuBLASLt"));
    const cublasComputeType_t compute =
        problem.element == Element::tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    CR_CHECK(check(lt.operation_create(&operation_, compute, CUDA_R_32F), "plan a product"));
    // Its matrices are column major, so it computes the transpose of ours: n x m from B and A.
    const cublasOperation_t transposed = CUBLAS_OP_T, plain = CUBLAS_OP_N;
    CR_CHECK(set(CUBLASLT_MATMUL_DESC_TRANSA, transposed));
    CR_CHECK(set(CUBLASLT_MATMUL_DESC_TRANSB, plain));
    const auto m = static_cast<std::uint64_t>(problem.m), n = static_cast<std::uint64_t>(problem.n),
               k = static_cast<std::uint64_t>(problem.k);
    const cudaDataType_t in = input_type(problem.element), out = output_type(problem);
    CR_CHECK(check(lt.layout_create(&a_, in, k, n, problem.k), "describe B"));
    CR_CHECK(check(lt.layout_create(&b_, in, k, m, problem.k), "describe A"));
    CR_CHECK(check(lt.layout_create(&c_, out, n, m, problem.n), "describe C"));
    CR_TRY(workspace_, cuda::DeviceBuffer::allocate(workspace_bytes));

    cublasLtMatmulPreference_t preference = nullptr;
    CR_CHECK(check(lt.preference_create(&preference), "plan a product"));
    int found = 0;
    auto status = lt.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                    &workspace_bytes, sizeof workspace_bytes);
    if (status == CUBLAS_STATUS_SUCCESS)
      status = lt.heuristic(handle_, operation_, a_, b_, c_, c_, preference, 1, &chosen_, &found);
    lt.preference_destroy(preference);
    CR_CHECK(check(status, "cuBLASLt has no algorithm for this product"));
    if (found == 0)
      return fail(ErrorCode::unsupported, "cuBLASLt has no algorithm for this product");
    return {};
  }

  Result<void> launch(const void* a, const void* b, void* c, CUstream_st* stream) override {
    const float one = 1.0f, zero = 0.0f;
    return check(library()->matmul(handle_, operation_, &one, b, a_, a, b_, &zero, c, c_, c, c_,
                                   &chosen_.algo, workspace_.data(), workspace_.bytes(), stream),
                 "queue a matrix product");
  }
  std::size_t library_version() const override { return library()->version(); }

 private:
  Result<void> set(cublasLtMatmulDescAttributes_t attribute, cublasOperation_t value) {
    return check(library()->operation_set(operation_, attribute, &value, sizeof value),
                 "plan a product");
  }

  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr;
  cublasLtMatmulHeuristicResult_t chosen_{};
  cuda::DeviceBuffer workspace_;
};

}  // namespace

Result<std::unique_ptr<Product>> Product::plan(const Problem& problem) {
  if (!library()) return tl::unexpected(library().error());
  auto product = std::make_unique<LtProduct>();
  CR_CHECK(product->prepare(problem));
  return product;
}

}  // namespace checkride::kernels::gemm
#else
namespace checkride::kernels::gemm {

Result<std::unique_ptr<Product>> Product::plan(const Problem&) {
  return fail(ErrorCode::unavailable, "this program was built without cuBLASLt's header");
}

}  // namespace checkride::kernels::gemm
#endif
