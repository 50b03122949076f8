#!/usr/bin/env python3
"""Reads the sm_90a machine code inside objects and archives and holds the attention kernels to it: matrix
instructions of the right kind, none of local memory (a spilled register or a private array would show).

An object holds its device code as whole ELF files (nvcc -no-compress). Of each, the section .text.NAME is
the kernel NAME: 16 bytes an instruction, the opcode in the low 12 bits, the register count in the top byte
of the section's sh_info. Opcodes as of nvcc 13.0. Exit 77 when no objects are given (built without nvcc)."""
import argparse
import collections
import pathlib
import struct
import sys

CUDA_MACHINE = 190
OPCODES = {0x9F0: "HGMMA", 0x23C: "HMMA", 0x308: "MUFU", 0x983: "LDL", 0x387: "STL"}
# part of the kernel's name -> the matrix instruction it must have, and the other it must not
RULES = {"forward_split": ("HGMMA", "HMMA"), "forward_stream": ("HGMMA", "HMMA"), "forward_mma": ("HMMA", "HGMMA")}


def kernels_of(elf):
    """(name, registers, opcode counts) of every kernel in one device ELF."""
    section_table, = struct.unpack_from("<Q", elf, 40)
    entry_bytes, count, names_index = struct.unpack_from("<HHH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, section_table + i * entry_bytes) for i in range(count)]
    names_at = sections[names_index][4]
    for name_offset, _, _, _, offset, size, _, info, _, _ in sections:
        end = elf.index(b"\0", names_at + name_offset)
        name = elf[names_at + name_offset:end].decode()
        if not name.startswith(".text."):
            continue
        counts = collections.Counter()
        for at in range(offset, offset + size, 16):
            opcode, = struct.unpack_from("<H", elf, at)
            counts[OPCODES.get(opcode & 0xFFF, "other")] += 1
        yield name[len(".text."):], info >> 24, counts


def kernels_in(path):
    data = pathlib.Path(path).read_bytes()
    at = data.find(b"\x7fELF")
    while at >= 0:
        if len(data) >= at + 64 and struct.unpack_from("<H", data, at + 18)[0] == CUDA_MACHINE:
            yield from kernels_of(data[at:])
        at = data.find(b"\x7fELF", at + 4)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--probe", help="object whose kernel uses local memory")
    parser.add_argument("--kernels", nargs="*", default=[], help="objects or archives of the attention kernels")
    args = parser.parse_args()
    if not args.kernels or not args.probe:
        print("skipped: built without nvcc")
        return 77
    problems = []
    probe = list(kernels_in(args.probe))
    if not any(counts["LDL"] and counts["STL"] for _, _, counts in probe):
        problems.append(f"local memory is not seen where it is used: {args.probe}")
    seen = collections.Counter()
    for path in args.kernels:
        for name, registers, counts in kernels_in(path):
            rule = next((r for r in RULES if r in name), None)
            if rule is None:
                continue
            seen[rule] += 1
            print(f"{rule} registers {registers} " + " ".join(f"{k} {v}" for k, v in sorted(counts.items())))
            wanted, unwanted = RULES[rule]
            if not counts[wanted] or counts[unwanted]:
                problems.append(f"{name}: needs {wanted} and no {unwanted}, has {dict(counts)}")
            if counts["LDL"] or counts["STL"]:
                problems.append(f"{name}: local memory is used: {dict(counts)}")
    problems += [f"no kernel {rule} was found" for rule in RULES if not seen[rule]]
    print("\n".join(problems) if problems else f"ok: {sum(seen.values())} kernels")
    return 1 if problems else 0


sys.exit(main())
