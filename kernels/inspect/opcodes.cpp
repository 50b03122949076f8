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
    // matrices
    Opcode{0x03c, "HMMA"},
    Opcode{0x1f0, "HGMMA"},
    Opcode{0x1f3, "QGMMA"},
    Opcode{0x07a, "QMMA"},
    Opcode{0x037, "IMMA"},
    Opcode{0x1f1, "IGMMA"},
    Opcode{0x03f, "DMMA"},
    // memory
    Opcode{0x183, "LDL"},
    Opcode{0x187, "STL"},
    Opcode{0x181, "LDG"},
    Opcode{0x186, "STG"},
    Opcode{0x180, "LD"},
    Opcode{0x185, "ST"},
    Opcode{0x184, "LDS"},
    Opcode{0x188, "STS"},
    Opcode{0x03b, "LDSM"},
    Opcode{0x044, "STSM"},
    Opcode{0x182, "LDC"},
    Opcode{0x0b9, "ULDC"},
    Opcode{0x1ae, "LDGSTS"},
    Opcode{0x1b4, "UTMALDG"},
    Opcode{0x1bd, "STAS"},
    Opcode{0x18c, "ATOMS"},
    Opcode{0x18d, "ATOMS"},
    Opcode{0x1a8, "ATOMG"},
    Opcode{0x1a9, "ATOMG"},
    Opcode{0x18e, "RED"},
    Opcode{0x1a6, "RED"},
    Opcode{0x18f, "CCTL"},
    // floating point
    Opcode{0x021, "FADD"},
    Opcode{0x020, "FMUL"},
    Opcode{0x023, "FFMA"},
    Opcode{0x009, "FMNMX"},
    Opcode{0x008, "FSEL"},
    Opcode{0x00b, "FSETP"},
    Opcode{0x108, "MUFU"},
    Opcode{0x030, "HADD2"},
    Opcode{0x032, "HMUL2"},
    Opcode{0x031, "HFMA2"},
    Opcode{0x035, "HFMA2"},
    Opcode{0x040, "HMNMX2"},
    Opcode{0x034, "HSETP2"},
    Opcode{0x029, "DADD"},
    Opcode{0x028, "DMUL"},
    Opcode{0x02b, "DFMA"},
    Opcode{0x02a, "DSETP"},
    // conversions
    Opcode{0x03e, "F2FP"},
    Opcode{0x045, "I2FP"},
    Opcode{0x110, "F2F"},
    Opcode{0x105, "F2I"},
    Opcode{0x106, "I2F"},
    Opcode{0x112, "I2F"},
    // the rest: integers, control, barriers
    Opcode{0x002, "MOV"},
    Opcode{0x005, "CS2R"},
    Opcode{0x006, "VOTE"},
    Opcode{0x007, "SEL"},
    Opcode{0x00c, "ISETP"},
    Opcode{0x010, "IADD3"},
    Opcode{0x011, "LEA"},
    Opcode{0x012, "LOP3"},
    Opcode{0x016, "PRMT"},
    Opcode{0x017, "IMNMX"},
    Opcode{0x019, "SHF"},
    Opcode{0x01c, "PLOP3"},
    Opcode{0x024, "IMAD"},
    Opcode{0x025, "IMAD"},
    Opcode{0x027, "IMAD"},
    Opcode{0x026, "IDP"},
    Opcode{0x02d, "PREEXIT"},
    Opcode{0x02e, "ACQBULK"},
    Opcode{0x02f, "ELECT"},
    Opcode{0x036, "VIADD"},
    Opcode{0x046, "VIADDMNMX"},
    Opcode{0x048, "VIMNMX"},
    Opcode{0x082, "UMOV"},
    Opcode{0x087, "USEL"},
    Opcode{0x08c, "UISETP"},
    Opcode{0x090, "UIADD3"},
    Opcode{0x091, "ULEA"},
    Opcode{0x092, "ULOP3"},
    Opcode{0x096, "UPRMT"},
    Opcode{0x099, "USHF"},
    Opcode{0x0a4, "UIMAD"},
    Opcode{0x0ca, "R2UR"},
    Opcode{0x100, "FLO"},
    Opcode{0x101, "BREV"},
    Opcode{0x109, "POPC"},
    Opcode{0x118, "NOP"},
    Opcode{0x119, "S2R"},
    Opcode{0x11a, "DEPBAR"},
    Opcode{0x11c, "B2R"},
    Opcode{0x11d, "BAR"},
    Opcode{0x141, "BSYNC"},
    Opcode{0x144, "CALL"},
    Opcode{0x145, "BSSY"},
    Opcode{0x146, "YIELD"},
    Opcode{0x147, "BRA"},
    Opcode{0x148, "WARPSYNC"},
    Opcode{0x14d, "EXIT"},
    Opcode{0x150, "RET"},
    Opcode{0x15c, "BPT"},
    Opcode{0x15d, "NANOSLEEP"},
    Opcode{0x189, "SHFL"},
    Opcode{0x192, "MEMBAR"},
    Opcode{0x1a1, "MATCH"},
    Opcode{0x1a7, "SYNCS"},
    Opcode{0x1b2, "SYNCS"},
    Opcode{0x1ab, "ERRBAR"},
    Opcode{0x1af, "LDGDEPBAR"},
    Opcode{0x1c3, "S2UR"},
    Opcode{0x1c4, "REDUX"},
    Opcode{0x1c5, "WARPGROUP"},
    Opcode{0x1c6, "FENCE"},
    Opcode{0x1c7, "UCGABAR"},
    Opcode{0x1c8, "USETMAXREG"},
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
