// Kernels whose machine code is known beforehand: they tie the table of opcodes and the marks of
// spills to the compiler in use.
#include <cstdint>

// A private array at indices known only at run time: local memory, and no spill.
__global__ void uses_local_memory(const int* index, float* out) {
  float values[64] = {};
  for (int i = 0; i < 256; ++i) values[index[i] & 63] += out[i];
  for (int i = 0; i < 256; ++i) out[i] = values[index[i + 256] & 63];
}

// 64 values live at once where 32 registers are allowed (2048 threads of 65536 registers).
__global__ void __launch_bounds__(1024, 2) spills(float* data, int rounds) {
  float values[64];
#pragma unroll
  for (int i = 0; i < 64; ++i) values[i] = data[i * 7 + threadIdx.x];
  for (int k = 0; k < rounds; ++k) {
#pragma unroll
    for (int i = 0; i < 64; ++i) values[i] = values[i] * values[(i * 5 + 3) & 63] + data[k];
  }
#pragma unroll
  for (int i = 0; i < 64; ++i) data[i * 9 + threadIdx.x] = values[i];
}

__global__ void __launch_bounds__(128) one_hmma(float* out, const uint32_t* in) {
  __shared__ float kept[100];
  kept[threadIdx.x % 100] = out[threadIdx.x];
  __syncthreads();
  float c[4] = {kept[0], kept[1], kept[2], kept[3]};
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},"
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(in[0]), "r"(in[1]), "r"(in[2]), "r"(in[3]), "r"(in[4]), "r"(in[5]));
  for (int i = 0; i < 4; ++i) out[i] = c[i];
}

// What is one QMMA on sm_89 is conversions and HMMA on sm_90.
__global__ void __launch_bounds__(128) e4m3_by_halves(float* out, const uint32_t* in) {
  float c[4] = {out[0], out[1], out[2], out[3]};
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},"
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(in[0]), "r"(in[1]), "r"(in[2]), "r"(in[3]), "r"(in[4]), "r"(in[5]));
  for (int i = 0; i < 4; ++i) out[i] = c[i];
}

#ifndef CR_PLAIN_SM90
// Operands A and B in shared memory, then A in registers.
__global__ void __launch_bounds__(128)
    two_hgmma(float* out, const uint32_t* in, uint64_t a, uint64_t b) {
  float c[4] = {out[0], out[1], out[2], out[3]};
  const uint32_t r[4] = {in[0], in[1], in[2], in[3]};
  asm volatile("wgmma.fence.sync.aligned;");
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%0,%1,%2,%3},%4,%5,1,1,1,0,0;"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "l"(a), "l"(b));
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0,%1,%2,%3},{%5,%6,%7,%8},%4,1,1,1,0;"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "l"(b), "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3]));
  asm volatile("wgmma.commit_group.sync.aligned;");
  asm volatile("wgmma.wait_group.sync.aligned 0;");
  for (int i = 0; i < 4; ++i) out[i] = c[i];
}

__global__ void __launch_bounds__(128) one_qgmma(float* out, uint64_t a, uint64_t b) {
  float c[4] = {out[0], out[1], out[2], out[3]};
  asm volatile("wgmma.fence.sync.aligned;");
  asm volatile("wgmma.mma_async.sync.aligned.m64n8k32.f32.e4m3.e4m3 {%0,%1,%2,%3},%4,%5,1,1,1;"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "l"(a), "l"(b));
  asm volatile("wgmma.commit_group.sync.aligned;");
  asm volatile("wgmma.wait_group.sync.aligned 0;");
  for (int i = 0; i < 4; ++i) out[i] = c[i];
}

#endif

__global__ void two_mufu(float* out) {
  float a = out[threadIdx.x];
  float b = out[threadIdx.x + 32];
  asm("ex2.approx.ftz.f32 %0, %0;" : "+f"(a));
  asm("rcp.approx.ftz.f32 %0, %0;" : "+f"(b));
  out[threadIdx.x] = a;
  out[threadIdx.x + 32] = b;
}

__global__ void one_ffma_pair(float* out, const float* a, const float* b) {
  const int i = static_cast<int>(threadIdx.x);
  out[i] = __fmaf_rn(a[i], b[i], out[i]);
  out[i + 32] = __fmaf_rn(a[i], b[i], b[i + 1]);
}
