#include "kernels/inspect/device_code.h"

#include <cxxabi.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <set>

#include "kernels/inspect/image_bytes.h"
#include "kernels/inspect/opcodes.h"

namespace checkride::kernels::inspect {

namespace {

constexpr std::size_t section_bytes = 64;
constexpr std::size_t sections_max = 1u << 20;
constexpr std::size_t mangled_bytes_max = 4096;
constexpr std::uint32_t section_nobits = 8;
constexpr std::uint8_t symbol_entry = 0x10;         // st_other of a kernel
constexpr std::int64_t reserved_smem_bytes = 1024;  // in front of a block's own, since sm_90

// Attributes of .nv.info: {u8 form, u8 attribute, u16 bytes or value, bytes}.
constexpr std::uint8_t form_sized = 4;
enum Attribute : std::uint8_t {
  max_threads = 0x05,       // x, y, z
  required_threads = 0x10,  // x, y, z
  frame_bytes = 0x11,       // symbol, value
  register_count = 0x2f,    // symbol, value
  annotations = 0x55,       // pairs of kind and offset; kind 1 is a spill or its reload
};

struct Section {
  std::string_view name;
  std::string_view bytes;  // none for NOBITS
  std::uint64_t size = 0;
  std::uint32_t link = 0;
  std::uint32_t info = 0;
};

tl::unexpected<Error> broken(const std::string& what) {
  return fail(ErrorCode::corrupt, "the device code is not whole: " + what);
}

Result<std::vector<Section>> sections_of(std::string_view elf) {
  const auto table = number_at<std::uint64_t>(elf, 40);
  const auto entry = number_at<std::uint16_t>(elf, 58);
  auto count = number_at<std::uint16_t>(elf, 60).value_or(0) + std::uint64_t{0};
  auto names = number_at<std::uint16_t>(elf, 62).value_or(0) + std::uint64_t{0};
  if (!table || entry != section_bytes) return broken("no section table");
  const auto first = part_of(elf, *table, section_bytes);
  if (!first) return broken("the section table is outside");
  if (count == 0) count = *number_at<std::uint64_t>(*first, 32);  // more than fit in 16 bits
  if (names == 0xffff) names = *number_at<std::uint32_t>(*first, 40);
  if (count > sections_max || !part_of(elf, *table, count * section_bytes) || names >= count)
    return broken("the section table is outside");
  std::vector<Section> sections;
  std::vector<std::uint32_t> name_offsets;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view header = elf.substr(*table + i * section_bytes, section_bytes);
    Section section;
    section.size = *number_at<std::uint64_t>(header, 32);
    section.link = *number_at<std::uint32_t>(header, 40);
    section.info = *number_at<std::uint32_t>(header, 44);
    if (*number_at<std::uint32_t>(header, 4) != section_nobits && i > 0) {
      const auto bytes = part_of(elf, *number_at<std::uint64_t>(header, 24), section.size);
      if (!bytes) return broken("section " + std::to_string(i) + " is outside");
      section.bytes = *bytes;
    }
    sections.push_back(section);
    name_offsets.push_back(*number_at<std::uint32_t>(header, 0));
  }
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto name = text_at(sections[names].bytes, name_offsets[i]);
    if (!name) return broken("section " + std::to_string(i) + " has no name");
    sections[i].name = *name;
  }
  return sections;
}

// Calls visit(attribute, value bytes) for each sized attribute; false where they do not add up.
template <class Visit>
bool each_attribute(std::string_view info, Visit visit) {
  std::size_t at = 0;
  while (at < info.size()) {
    const auto form = number_at<std::uint8_t>(info, at);
    const auto attribute = number_at<std::uint8_t>(info, at + 1);
    const auto size = number_at<std::uint16_t>(info, at + 2);
    if (!size) return false;
    at += 4;
    if (form != form_sized) continue;
    const auto value = part_of(info, at, *size);
    if (!value) return false;
    visit(*attribute, *value);
    at += *size;
  }
  return true;
}

using ValueOfSymbol = std::map<std::pair<std::uint8_t, std::uint32_t>, std::int64_t>;

struct KernelInfo {
  std::int64_t block_threads = 0;
  std::set<std::uint64_t> spill_offsets;
  bool annotations_known = true;
};

std::int64_t product_of_three(std::string_view value) {
  std::int64_t product = 1;
  for (const std::uint64_t at : {0u, 4u, 8u}) {
    const auto extent = number_at<std::uint32_t>(value, at);
    if (!extent || *extent > 1024) return 0;
    product *= *extent;
  }
  return product;
}

KernelInfo kernel_info(std::string_view info) {
  KernelInfo found;
  found.annotations_known = each_attribute(info, [&](std::uint8_t attribute, auto value) {
    if (attribute == max_threads || attribute == required_threads)
      found.block_threads = product_of_three(value);
    if (attribute != annotations) return;
    for (std::uint64_t at = 0; at < value.size(); at += 8) {
      const auto kind = number_at<std::uint32_t>(value, at);
      const auto offset = number_at<std::uint32_t>(value, at + 4);
      if (kind != 1u || !offset) {
        found.annotations_known = false;  // another kind may be of another size
        return;
      }
      found.spill_offsets.insert(*offset);
    }
  });
  return found;
}

std::int64_t access_bytes(std::uint64_t high) {
  constexpr std::array<std::int64_t, 8> bytes = {1, 1, 2, 2, 4, 8, 16, 16};
  return bytes[(high >> 9) & 7];
}

void count_instructions(std::string_view text, const KernelInfo& info, bool marked,
                        KernelCode& kernel) {
  constexpr std::uint64_t stack_register = 1;
  const bool table_holds = opcodes_known_for(kernel.sm);
  if (table_holds)
    for (const std::string_view name : mnemonics()) kernel.opcodes[name] = 0;
  if (table_holds) kernel.opcodes[unknown_opcode] = 0;
  for (std::uint64_t at = 0; at + 16 <= text.size(); at += 16) {
    const std::uint64_t low = *number_at<std::uint64_t>(text, at);
    const std::uint64_t high = *number_at<std::uint64_t>(text, at + 8);
    ++kernel.instructions;
    if (!table_holds) continue;
    const std::string_view name = mnemonic(static_cast<std::uint16_t>(low & 0xfff));
    ++kernel.opcodes[name];
    const bool load = name == "LDL";
    if (!load && name != "STL") continue;
    const bool spill = marked && info.annotations_known ? info.spill_offsets.contains(at)
                                                        : ((low >> 24) & 0xff) == stack_register;
    if (spill) (load ? kernel.spills.load_bytes : kernel.spills.store_bytes) += access_bytes(high);
  }
}

std::string compiler_of(const std::vector<Section>& sections) {
  constexpr std::string_view before = "Cuda compilation tools, release ";
  for (const Section& section : sections) {
    if (section.name != ".note.nv.tkinfo") continue;
    const std::size_t at = section.bytes.find(before);
    if (at == std::string_view::npos) continue;
    const auto text = text_at(section.bytes, at + before.size());
    if (text && text->size() < 64) return std::string(*text);
  }
  return {};
}

std::set<std::string_view> entries_of(const std::vector<Section>& sections) {
  std::set<std::string_view> entries;
  for (const Section& section : sections) {
    if (section.name != ".symtab" || section.link >= sections.size()) continue;
    for (std::uint64_t at = 0; at + 24 <= section.bytes.size(); at += 24) {
      if ((*number_at<std::uint8_t>(section.bytes, at + 5) & symbol_entry) == 0) continue;
      const auto name =
          text_at(sections[section.link].bytes, *number_at<std::uint32_t>(section.bytes, at));
      if (name) entries.insert(*name);
    }
  }
  return entries;
}

}  // namespace

Result<DeviceCode> read_device_code(std::string_view elf) {
  const auto flags = number_at<std::uint32_t>(elf, 48);
  const auto abi = number_at<std::uint8_t>(elf, 8);
  if (!elf.starts_with("\x7f"
                       "ELF\x02\x01") ||
      !flags || number_at<std::uint16_t>(elf, 18) != 190)
    return broken("no ELF of a CUDA device");
  DeviceCode code;
  code.sm = static_cast<int>((*abi >= 8 ? *flags >> 8 : *flags) & 0xff);
  if (code.sm < 70)
    return fail(ErrorCode::unsupported, "machine code of sm_" + std::to_string(code.sm) +
                                            " cannot be read; it can from sm_70 on");
  CR_TRY(const std::vector<Section> sections, sections_of(elf));
  code.compiler = compiler_of(sections);
  code.spills_marked = code.compiler.starts_with(opcode_table_compiler);
  const std::set<std::string_view> entries = entries_of(sections);
  std::map<std::string_view, const Section*> named;
  for (const Section& section : sections) named.emplace(section.name, &section);
  ValueOfSymbol values;
  if (const auto info = named.find(".nv.info"); info != named.end()) {
    const bool whole = each_attribute(info->second->bytes, [&](auto attribute, auto value) {
      const auto symbol = number_at<std::uint32_t>(value, 0);
      const auto number = number_at<std::uint32_t>(value, 4);
      if (value.size() == 8 && symbol && number) values[{attribute, *symbol}] = *number;
    });
    if (!whole) return broken(".nv.info ends in the middle");
  }
  const bool linked = number_at<std::uint16_t>(elf, 16) == 2;
  const bool reserved = linked && code.sm >= 90 && named.contains(".nv.shared.reserved.0");
  for (const Section& section : sections) {
    if (!section.name.starts_with(".text.")) continue;
    const std::string_view name = section.name.substr(6);
    if (section.size % 16 != 0) return broken("a kernel of half an instruction");
    KernelCode kernel;
    kernel.mangled = name;
    kernel.sm = code.sm;
    kernel.entry = entries.contains(name);
    const std::uint32_t symbol = section.info & 0xffffff;
    const auto registers = values.find({register_count, symbol});
    if (registers != values.end())
      kernel.registers = registers->second;
    else
      kernel.registers = section.info >> 24;  // before CUDA 11
    if (kernel.entry && kernel.registers == 0) return broken("a kernel without registers");
    if (const auto frame = values.find({frame_bytes, symbol}); frame != values.end())
      kernel.stack_bytes = frame->second;
    if (const auto shared = named.find(".nv.shared." + std::string(name)); shared != named.end())
      kernel.smem_bytes = std::max<std::int64_t>(
          static_cast<std::int64_t>(shared->second->size) - (reserved ? reserved_smem_bytes : 0),
          0);
    KernelInfo info;
    if (const auto own = named.find(".nv.info." + std::string(name)); own != named.end())
      info = kernel_info(own->second->bytes);
    kernel.block_threads = info.block_threads;
    count_instructions(section.bytes, info, code.spills_marked && kernel.entry, kernel);
    code.kernels.push_back(std::move(kernel));
  }
  return code;
}

std::string demangled(const std::string& mangled) {
  if (mangled.size() > mangled_bytes_max || mangled.find('\0') != std::string::npos) return mangled;
  int status = 1;
  const std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), &std::free);
  return status == 0 && name ? std::string(name.get()) : mangled;
}

}  // namespace checkride::kernels::inspect
