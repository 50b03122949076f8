#!/usr/bin/env python3
"""Reads the sm_90a machine code inside objects and archives and holds the attention kernels to it: matrix
instructions of the right kind, none of local memory (a spilled register or a private array would show).

An object holds its device code as whole ELF files (nvcc -no-compress). Of each, the section .text.NAME is
the kernel NAME: 16 bytes an instruction, the opcode in the low 12 bits; its sh_info is the kernel's symbol,
under which .nv.info lists registers and bytes of stack. Opcodes and attributes as of nvcc 13.0. Exit 77
when no objects are given (built without nvcc)."""
import argparse
import collections
import pathlib
import struct
import sys

CUDA_MACHINE = 190
REGISTERS, STACK = 0x2F, 0x11
# HGMMA: the first with both operands in shared memory, the second with A in registers.
OPCODES = {0x9F0: "HGMMA", 0xDF0: "HGMMA", 0x23C: "HMMA", 0x308: "MUFU", 0x983: "LDL", 0x387: "STL"}
# part of the kernel's name -> the matrix instruction it must have, and the other it must not
RULES = {"forward_split": ("HGMMA", "HMMA"), "forward_stream": ("HGMMA", "HMMA"), "forward_mma": ("HMMA", "HGMMA")}


def attributes_of(info):
    """{(attribute, symbol): value} of the attributes that hold one value for a symbol."""
    found, at = {}, 0
    while at + 4 <= len(info):
        form, attribute, size = struct.unpack_from("<BBH", info, at)
        if form == 4 and size == 8:
            symbol, value = struct.unpack_from("<II", info, at + 4)
            found[attribute, symbol] = value
        at += 4 + (size if form == 4 else 0)
    return found


def kernels_of(elf):
    """(name, registers, bytes of stack, opcode counts) of every kernel in one device ELF."""
    section_table, = struct.unpack_from("<Q", elf, 40)
    entry_bytes, count, names_index = struct.unpack_from("<HHH", elf, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", elf, section_table + i * entry_bytes) for i in range(count)]
    names_at = sections[names_index][4]

    def name_of(section):
        start = names_at + section[0]
        return elf[start:elf.index(b"\0", start)].decode()

    attributes = {}
    for section in sections:
        if name_of(section) == ".nv.info":
            attributes = attributes_of(elf[section[4]:section[4] + section[5]])
    for section in sections:
        name, offset, size, symbol = name_of(section), section[4], section[5], section[7]
        if not name.startswith(".text."):
            continue
        counts = collections.Counter()
        for at in range(offset, offset + size, 16):
            opcode, = struct.unpack_from("<H", elf, at)
            counts[OPCODES.get(opcode & 0xFFF, "other")] += 1
        yield name[len(".text."):], attributes[REGISTERS, symbol], attributes[STACK, symbol], counts


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
    if not any(counts["LDL"] and counts["STL"] and stack for _, _, stack, counts in probe):
        problems.append(f"local memory is not seen where it is used: {args.probe}")
    seen = collections.Counter()
    for path in args.kernels:
        for name, registers, stack, counts in kernels_in(path):
            rule = next((r for r in RULES if r in name), None)
            if rule is None:
                continue
            seen[rule] += 1
            print(f"{rule} registers {registers} stack {stack} " + " ".join(f"{k} {v}" for k, v in sorted(counts.items())))
            wanted, unwanted = RULES[rule]
            if not counts[wanted] or counts[unwanted]:
                problems.append(f"{name}: needs {wanted} and no {unwanted}, has {dict(counts)}")
            if counts["LDL"] or counts["STL"] or stack:
                problems.append(f"{name}: local memory is used: {stack} bytes of stack, {dict(counts)}")
    problems += [f"no kernel {rule} was found" for rule in RULES if not seen[rule]]
    print("\n".join(problems) if problems else f"ok: {sum(seen.values())} kernels")
    return 1 if problems else 0


sys.exit(main())
