#include "kernels/inspect/opcodes.h"

#include <algorithm>
#include <array>
#include <vector>

namespace checkride::kernels::inspect {

namespace {

struct Opcode {
  std::uint16_t low_9_bits;
  std::string_view name;
};

constexpr std::array opcodes = {
    // floating point
    Opcode{0x020, "FMUL"},
    Opcode{0x021, "FADD"},
    Opcode{0x023, "FFMA"},
    Opcode{0x009, "FMNMX"},
    Opcode{0x008, "FSEL"},
    Opcode{0x00b, "FSETP"},
    Opcode{0x108, "MUFU"},
    Opcode{0x030, "HADD2"},
    Opcode{0x031, "HFMA2"},
    Opcode{0x032, "HMUL2"},
    Opcode{0x028, "DMUL"},
    Opcode{0x029, "DADD"},
    Opcode{0x02b, "DFMA"},
    // matrices
    Opcode{0x03c, "HMMA"},
    Opcode{0x1f0, "HGMMA"},
    Opcode{0x1f3, "QGMMA"},
    Opcode{0x07a, "QMMA"},
    // conversions
    Opcode{0x03e, "F2FP"},
    // memory
    Opcode{0x183, "LDL"},
    Opcode{0x187, "STL"},
    Opcode{0x181, "LDG"},
    Opcode{0x186, "STG"},
    Opcode{0x184, "LDS"},
    Opcode{0x188, "STS"},
    Opcode{0x03b, "LDSM"},
    Opcode{0x1ae, "LDGSTS"},
};

}  // namespace

bool opcodes_known_for(int sm) {
  return sm >= 70 && sm <= 90;
}

std::string_view mnemonic(std::uint16_t low_12_bits) {
  static const std::array<std::string_view, 512> names = [] {
    std::array<std::string_view, 512> table;
    table.fill(unknown_opcode);
    for (const Opcode& opcode : opcodes) table[opcode.low_9_bits] = opcode.name;
    return table;
  }();
  return names[low_12_bits & 0x1ff];
}

std::span<const std::string_view> mnemonics() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Opcode& opcode : opcodes)
      if (std::ranges::find(all, opcode.name) == all.end()) all.push_back(opcode.name);
    return all;
  }();
  return names;
}

bool is_mnemonic(std::string_view name) {
  return std::ranges::find(mnemonics(), name) != mnemonics().end();
}

}  // namespace checkride::kernels::inspect
