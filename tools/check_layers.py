#!/usr/bin/env python3
"""Hold the #include lines of the sources to the lists in ARCHITECTURE.md.

usage: check_layers.py [ROOT]        (ROOT: the repository; by default, the one this file is in)

Two fenced blocks are read there: `layers` says which folders a folder stands on (and, through them,
on all those below), `wrapped` which files may include a third-party header. Each breach is printed
as FILE:LINE with what to do; the exit status is 1 when there is one.
"""
import fnmatch
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ISA_FILE = re.compile(r"_(avx|amx|neon|sve)\w*\.cc$")
ISA_MAY_INCLUDE = {"cstdint", "cstddef"}  # templates compiled with wider instructions leak
STANDARD = re.compile(r"^[a-z_0-9]+$")  # <vector>, <cstdint>: no folder, no extension


def block(text: str, name: str) -> list[list[str]]:
    """The rows of one fenced block, split at white space, without comments."""
    found = re.search(rf"^```{name}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    if not found:
        sys.exit(f"ARCHITECTURE.md has no block ```{name}")
    rows = (line.split("#")[0].split() for line in found.group(1).splitlines())
    return [row for row in rows if row]


class Layers:
    """Rows `folder stands-on,… public-header,…` ("-" for none); order is from the bottom up."""

    def __init__(self, rows: list[list[str]]):
        self.below: dict[str, set[str]] = {}
        self.home_of_public: dict[str, str] = {}
        for folder, stands_on, public in rows:
            below = {folder}
            for name in () if stands_on == "-" else stands_on.split(","):
                if name not in self.below:
                    sys.exit(f"ARCHITECTURE.md: {folder} stands on {name}, which is not above it")
                below |= self.below[name]
            self.below[folder] = below
            for header in () if public == "-" else public.split(","):
                self.home_of_public[f"vernier/{header}.h"] = folder

    def folder(self, path: Path) -> str | None:
        """The layer of a file, given relative to the root; None for what no layer owns."""
        if path.parts[:2] == ("include", "vernier"):
            return self.home_of_public.get("/".join(path.parts[1:]))
        if path.parts[0] == "src" and len(path.parts) > 2:
            return path.parts[1]
        return "apps" if path.parts[0] == "apps" else None


def resolve(root: Path, file: Path, name: str) -> Path | None:
    """The file that #include "name" means, relative to the root."""
    for base in (file.parent, root / "src", root / "include", root / "apps/vernier", root / "tests"):
        if (base / name).is_file():
            return (base / name).resolve().relative_to(root)
    return None


def check_ours(root: Path, file: Path, name: str, layers: Layers) -> str | None:
    target = resolve(root, file, name)
    if target is None:
        return f'"{name}" was not found in src/, include/, apps/vernier/ or tests/'
    here, there = layers.folder(file.relative_to(root)), layers.folder(target)
    if target.parts[0] == "tests":
        return None if file.name.endswith("_test.cc") else f"only tests may include {target}"
    if there is None:
        return f"{target} belongs to no layer; add it to the list in ARCHITECTURE.md"
    is_test = file.name.endswith(("_test.cc", "_bench.cc"))  # links the whole library anyway
    if there not in layers.below[here] and not is_test:
        allowed = ", ".join(sorted(layers.below[here] - {here})) or "nothing"
        return f"{here} may not include {there} ({target}); it stands on {allowed}"
    return None


def check_wrapped(relative: Path, name: str, wrapped: list[list[str]]) -> str | None:
    if STANDARD.match(name):
        if ISA_FILE.search(relative.name) and name not in ISA_MAY_INCLUDE:
            return f"<{name}> in a file for one instruction set, which may include no templates"
        return None
    for header, *places in wrapped:
        if not fnmatch.fnmatch(name, header):
            continue
        if any(fnmatch.fnmatch(relative.as_posix(), place) for place in places):
            return None
        return f"<{name}> may be included by {', '.join(places)} only"
    return f"<{name}> is not in the list of wrapped headers in ARCHITECTURE.md"


def breaches(root: Path) -> list[str]:
    text = (root / "ARCHITECTURE.md").read_text()
    layers, wrapped = Layers(block(text, "layers")), block(text, "wrapped")
    found = []
    for top in ("include", "src", "apps"):
        for file in sorted((root / top).rglob("*.*")):
            if file.suffix not in (".h", ".cc"):
                continue
            relative = file.relative_to(root)
            if layers.folder(relative) not in layers.below:
                found.append(f"{relative}: belongs to no layer; add it to the list in ARCHITECTURE.md")
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                include = INCLUDE.match(line)
                if not include:
                    continue
                bracket, name = include.groups()
                breach = (check_ours(root, file, name, layers) if bracket == '"'
                          else check_wrapped(relative, name, wrapped))
                if breach:
                    found.append(f"{relative}:{number}: {breach}")
    return found


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = breaches(root)
    for line in found:
        print(line)
    print(f"layers: {len(found)} breaches" if found else "layers: every include goes one way")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
