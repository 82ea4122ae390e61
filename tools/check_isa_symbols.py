#!/usr/bin/env python3
"""Hold objects that are compiled for an instruction set to what they may export.

usage: check_isa_symbols.py BUILD_DIR [--nm NM]

A weak function (a template or an inline function of a library) that such an object exports may be
the copy that the linker keeps for the whole program, and older processors then die in code that
never asked for those instructions. So each such object may export weak symbols only if their name
carries the namespace of its own instruction set (vernier::avx512::…). std:: and fmt:: never do.

The objects are those that BUILD_DIR/compile_commands.json compiles with instruction-set flags, and
those whose name ends in one (_avx2, _neon, …); flags without such a name are a breach as well.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ISA_FLAG = re.compile(r"\s-m(arch=|cpu=|avx|amx|fma|f16c|bmi|sse[34]|vaes)\S*")
ISA_NAME = re.compile(r"_((?:avx|amx|neon|sve)\w*)\.cc$")
OUTPUT = re.compile(r"\s-o (\S+)")
# The pointer to the handler of exceptions: data, the same in every object, code of no set.
HARMLESS = "DW.ref.__gxx_personality_v0"
WEAK = re.compile(r"^[0-9a-f]+ [WVu] (.+)$")  # defined weak function, weak object, unique global


def weak_symbols(nm: str, object_file: Path) -> list[str]:
    listing = subprocess.run([nm, "--demangle", "--defined-only", object_file],
                             capture_output=True, text=True, check=True).stdout
    names = [found.group(1) for found in map(WEAK.match, listing.splitlines()) if found]
    return [name for name in names if name != HARMLESS]


def check_object(nm: str, source: Path, object_file: Path) -> list[str]:
    named = ISA_NAME.search(source.name)
    if not named:
        return [f"{source}: compiled with instruction-set flags, but not named for the set"]
    own = f"vernier::{named.group(1)}::"
    return [f"{source}: exports the weak symbol {symbol}" for symbol in weak_symbols(nm, object_file)
            if symbol.startswith(("std::", "fmt::")) or own not in symbol]


def check_build(build: Path, nm: str) -> tuple[int, list[str]]:
    """How many objects were looked at, and the breaches."""
    looked_at, found = 0, []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if not ISA_FLAG.search(entry["command"]) and not ISA_NAME.search(source.name):
            continue
        looked_at += 1
        found += check_object(nm, source, build / OUTPUT.search(entry["command"]).group(1))
    return looked_at, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--nm", default="nm")
    arguments = parser.parse_args()
    looked_at, found = check_build(arguments.build, arguments.nm)
    for line in found:
        print(line)
    print(f"instruction sets: {looked_at} objects, {len(found)} breaches")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
