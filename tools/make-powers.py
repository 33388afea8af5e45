#!/usr/bin/env python3
"""Make base/powers.c: the powers of ten that the shortest texts of doubles are made with.

    tools/make-powers.py            write the file
    tools/make-powers.py --check    does the file say what would be written?

Each is the first 128 bits of 10^e, rounded down, plus one: the g of the paper that base/shortest.c
names. The exponents are those that occur with doubles.
"""
import pathlib
import sys

FILE = pathlib.Path(__file__).resolve().parent.parent / "base" / "powers.c"
FIRST, LAST = -292, 324
PER_LINE = 2


def leading_bits(exponent):
    """floor(10^exponent * 2^s) + 1, s such that it has 128 bits."""
    if exponent >= 0:
        shift = (10**exponent).bit_length() - 128
        bits = 10**exponent >> shift if shift >= 0 else 10**exponent << -shift
    else:
        power = 10**-exponent
        shift = power.bit_length() + 127
        bits = (1 << shift) // power
        assert bits.bit_length() == 128
    assert bits.bit_length() == 128
    return bits + 1


def text():
    lines = [
        "/* Powers of ten, the first 128 bits. Made by tools/make-powers.py: change that, not this file. */",
        "/* clang-format off */",
        '#include "base/powers.h"',
        "",
        "const uint64_t vc_powers_of_ten[VC_LAST_POWER - VC_FIRST_POWER + 1][2] = {",
    ]
    entries = []
    for exponent in range(FIRST, LAST + 1):
        bits = leading_bits(exponent)
        entries.append(f"{{0x{bits >> 64:016x}, 0x{bits & (1 << 64) - 1:016x}}}")
    for at in range(0, len(entries), PER_LINE):
        lines.append("    " + ", ".join(entries[at : at + PER_LINE]) + ",")
    return "\n".join(lines + ["};", ""])


def main():
    if sys.argv[1:] == ["--check"]:
        if FILE.read_text() != text():
            sys.exit(f"{FILE.name} is not what tools/make-powers.py makes")
    elif len(sys.argv) == 1:
        FILE.write_text(text())
    else:
        sys.exit(__doc__)


main()
