// Kernels with one known fault each, for the tools that look for faults.
#include <cstdio>
#include <cstdlib>
#include <cstring>

__global__ void scale_clean(float* data, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) data[i] = data[i] * 2.0f + 1.0f;
}
__global__ void write_past_end(float* data, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n + 2) data[i] = 1.0f;
}
__global__ void shared_race(int* out) {
  __shared__ int values[64];
  values[threadIdx.x] = static_cast<int>(threadIdx.x);
  out[threadIdx.x] = values[63 - threadIdx.x];
}
__global__ void shared_write_race(int* out) {
  __shared__ int value;
  value = static_cast<int>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = value;
}
__global__ void read_unwritten(const float* in, float* out) {
  out[threadIdx.x] = in[threadIdx.x];
}
__global__ void divergent_barrier(int* out) {
  if (threadIdx.x < 32) {
    out[threadIdx.x] = 1;
    if (threadIdx.x < 16) __syncwarp(0xffffffffu);
  }
  if (threadIdx.x < 48) __syncthreads();
  out[threadIdx.x] = 2;
}
__global__ void wild_write(int* out) {
  *reinterpret_cast<int*>(0x10) = static_cast<int>(threadIdx.x);
  if (out) *out = 1;
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "clean";
  if (std::strcmp(mode, "segv") == 0) {
    int* volatile none = nullptr;
    *none = 1;
  }
  if (std::strcmp(mode, "nothing") == 0) return 0;
  float *a = nullptr, *b = nullptr;
  int* c = nullptr;
  if (cudaMalloc(&a, 1024 * sizeof(float)) != cudaSuccess) {
    std::printf("no device\n");
    return 4;
  }
  cudaMalloc(&b, 1024 * sizeof(float));
  cudaMalloc(&c, 1024 * sizeof(int));
  if (std::strcmp(mode, "uninit") != 0) cudaMemset(a, 0, 1024 * sizeof(float));
  cudaMemset(b, 0, 1024 * sizeof(float));
  cudaMemset(c, 0, 1024 * sizeof(int));
  if (std::strcmp(mode, "oob") == 0)
    write_past_end<<<9, 128>>>(a, 1024);
  else if (std::strcmp(mode, "race") == 0)
    shared_race<<<1, 64>>>(c);
  else if (std::strcmp(mode, "waw") == 0)
    shared_write_race<<<1, 64>>>(c);
  else if (std::strcmp(mode, "uninit") == 0)
    read_unwritten<<<1, 64>>>(a, b);
  else if (std::strcmp(mode, "sync") == 0)
    divergent_barrier<<<1, 64>>>(c);
  else if (std::strcmp(mode, "wild") == 0)
    wild_write<<<1, 32>>>(c);
  else
    for (int i = 0; i < 3; ++i) scale_clean<<<8, 128>>>(a, 1024);
  const cudaError_t ended = cudaDeviceSynchronize();
  std::printf("%s: %s\n", mode, cudaGetErrorName(ended));
  if (std::strcmp(mode, "api") == 0) {
    std::printf("api: %s\n",
                cudaGetErrorName(cudaMemcpy(a, b, 1u << 30, cudaMemcpyDeviceToDevice)));
    cudaGetLastError();
  }
  if (std::strcmp(mode, "segv-late") == 0) {
    std::fflush(stdout);
    int* volatile none = nullptr;
    *none = 1;
  }
  if (std::strcmp(mode, "leak") != 0) {
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
  } else {
    cudaFree(a);
  }
  cudaDeviceReset();
  return std::strcmp(mode, "exit3") == 0 ? 3 : 0;
}
