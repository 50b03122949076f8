// CR_HOST_DEVICE marks arithmetic that nvcc compiles for the device and every compiler for the
// host, so that one source decides a result on both; CR_UNROLL unrolls the loop after it on the
// device.
#pragma once

#ifdef __CUDACC__
#define CR_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define CR_HOST_DEVICE inline
#endif

#ifdef __CUDA_ARCH__
#define CR_UNROLL _Pragma("unroll")
#else
#define CR_UNROLL
#endif
