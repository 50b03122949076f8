// What one image of machine code (a CUDA ELF) says of its kernels: resources out of .nv.info and
// .nv.shared, instructions out of .text. As nvcc 13.0 writes it; no disassembler and no device.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace checkride::kernels::inspect {

struct Spills {
  std::int64_t store_bytes = 0;  // bytes of the instructions, each counted once, as ptxas does
  std::int64_t load_bytes = 0;
  std::int64_t total() const { return store_bytes + load_bytes; }
};

struct KernelCode {
  std::string mangled;
  bool entry = false;  // a kernel; otherwise a function kernels call
  int sm = 0;
  std::int64_t registers = 0;   // of one thread; 0 for functions
  std::int64_t smem_bytes = 0;  // static
  std::int64_t stack_bytes = 0;
  std::int64_t block_threads = 0;  // at most, by its launch bounds; 0: unknown
  std::int64_t instructions = 0;
  Spills spills;
  std::map<std::string_view, std::int64_t> opcodes;  // none where the table has no such sm
};

struct DeviceCode {
  int sm = 0;
  std::string compiler;  // "13.0, V13.0.88"; empty where the image does not say
  // Whether the compiler marked its spills. Otherwise spills are accesses to local memory at a
  // fixed place of the stack, which private arrays can be as well: an upper bound.
  bool spills_marked = false;
  std::vector<KernelCode> kernels;
};

// Error: corrupt where the image contradicts itself, unsupported for code before sm_70.
Result<DeviceCode> read_device_code(std::string_view elf);

// "scale(float*, int)" for "_Z5scalePfi"; what cannot be read is given back as it is.
std::string demangled(const std::string& mangled);

}  // namespace checkride::kernels::inspect
