// Mnemonics of machine instructions, sm_70 to sm_90: 16 bytes each, the opcode in the low 12 bits.
// Of the 12 the low nine name the operation, the others the form of its operands. The table holds
// for the compiler named here; tests compile probe kernels and compare.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace checkride::kernels::inspect {

inline constexpr std::string_view opcode_table_compiler = "13.0";
inline constexpr std::string_view unknown_opcode = "other";

bool opcodes_known_for(int sm);
// "HGMMA" for 0x9f0; unknown_opcode where the table has none. The view lives for ever.
std::string_view mnemonic(std::uint16_t low_12_bits);
bool is_mnemonic(std::string_view name);
// Every mnemonic, in the order of the table.
std::span<const std::string_view> mnemonics();

}  // namespace checkride::kernels::inspect
