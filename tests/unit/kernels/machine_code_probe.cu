// A kernel that must use local memory (a private array with an index known only at run time): what the
// machine code test must not pass.
__global__ void uses_local_memory(const int* index, float* out) {
  float values[64];
  for (int i = 0; i < 64; ++i) values[i] = out[i] * 2.0f;
  out[64] = values[index[0] & 63] + values[index[1] & 63];
}
