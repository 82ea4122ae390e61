"""Writes tests/data/images/expected.txt: what Pillow makes of every image beside it.

usage: image_expectations.py tests/data/images   (with Pillow 13 and numpy)

One line per file: name, mode, width, height, orientation, frames, then FNV-1a hashes of the pixels
as decoded, of the palette, of the picture as RGB and of the upright picture, then the transparency
(P: alpha of each entry; other modes: the colour), or "name error" where Pillow refuses.
Pictures turned or converted by Pillow are the standard that image_test.cc holds our readers to.
"""
import sys
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def pixels(picture):
    a = np.asarray(picture)
    if a.dtype == bool:
        a = a.astype(np.uint8) * 255
    return a.astype(a.dtype.newbyteorder("=")).tobytes()


def transparency(picture):
    t = picture.info.get("transparency")
    if t is None:
        return "-"
    if isinstance(t, int) and picture.mode == "P":
        t = [255] * t + [0]
    return ",".join(map(str, [t] if isinstance(t, int) else list(t)))


def line(path):
    try:
        with Image.open(path) as picture:
            picture.load()
            mode = picture.mode.replace("I;16B", "I;16")
            palette = fnv(bytes(picture.getpalette())) if mode == "P" else "-"
            orientation = picture.getexif().get(0x0112, 1)
            orientation = orientation if 1 <= orientation <= 8 else 1
            upright = fnv(pixels(ImageOps.exif_transpose(picture)))
            return " ".join(map(str, [path.name, mode, *picture.size, orientation,
                                      getattr(picture, "n_frames", 1), fnv(pixels(picture)), palette,
                                      fnv(pixels(picture.convert("RGB"))), upright,
                                      transparency(picture)]))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return f"{path.name} error"


warnings.simplefilter("ignore")
folder = Path(sys.argv[1])
names = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix != ".txt")
(folder / "expected.txt").write_text("".join(line(p) + "\n" for p in names))
