#!/usr/bin/env python3
"""Hold the headers to one type per name: two types of one name in one namespace share their
destructors and copies when the linker joins them, whichever file each comes from.

usage: check_type_names.py [ROOT]        (ROOT: the repository; by default, the one this file is in)

Prints each name that two headers define and exits with 1 when there is one. Kernels' headers are
left out: there a name stands for one type per instruction set, in namespaces of their own.
"""
import re
import sys
from collections import defaultdict
from pathlib import Path

DEFINITION = re.compile(r"^(?:struct|class|enum class|enum) (\w+)(?: final)?(?: ?:(?!:)[^;{]*)? ?\{", re.M)


def definitions(root: Path) -> dict[str, list[str]]:
    """Names of types that begin at the margin, with the headers that define them."""
    found = defaultdict(list)
    for folder in ("include", "src", "apps"):
        for header in sorted((root / folder).rglob("*.h")):
            place = header.relative_to(root)
            if place.parts[:2] == ("src", "kernels"):
                continue
            for name in DEFINITION.findall(header.read_text(encoding="utf-8")):
                found[name].append(str(place))
    return found


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    repeated = {name: places for name, places in definitions(root).items() if len(places) > 1}
    for name, places in repeated.items():
        print(f"{name} is defined in {' and '.join(places)}: rename one of them")
    if repeated:
        sys.exit(1)
    print("type names: each is defined once")


if __name__ == "__main__":
    main()
