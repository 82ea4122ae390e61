#!/usr/bin/env python3
"""Unpack the files that Python wheels carry for a prefix (their *.data/data/ folder).

usage: unpack_wheels.py PREFIX WHEEL...

Links between versions of a shared library are made anew: a wheel stores copies of them.
"""
import sys
import zipfile
from pathlib import Path


def unpack(wheel: Path, prefix: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            _, marker, name = member.filename.partition(".data/data/")
            if not marker or member.is_dir():
                continue
            target = prefix / name
            if prefix.resolve() not in target.resolve().parents:
                sys.exit(f"{wheel}: {member.filename} would be written outside of {prefix}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(member))


def relink(library_dir: Path) -> None:
    """libx.so.3 and libx.so become links to libx.so.3.2 when they are copies of it."""
    for full in sorted(library_dir.glob("*.so.*.*")):
        parts = full.name.split(".so.")
        for alias in (f"{parts[0]}.so.{parts[1].split('.')[0]}", f"{parts[0]}.so"):
            link = library_dir / alias
            link.unlink(missing_ok=True)
            link.symlink_to(full.name)


def main() -> None:
    prefix, wheels = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    for wheel in wheels:
        unpack(wheel, prefix)
    relink(prefix / "lib")


if __name__ == "__main__":
    main()
