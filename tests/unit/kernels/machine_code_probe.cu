// A kernel that must use local memory (a private array written and read at indices known only at
// run time): what the machine code test must see.
__global__ void uses_local_memory(const int* index, float* out) {
  float values[64] = {};
  for (int i = 0; i < 256; ++i) values[index[i] & 63] += out[i];
  for (int i = 0; i < 256; ++i) out[i] = values[index[i + 256] & 63];
}
