"""Writes hashes of pictures resized by Pillow and torchvision, with antialias and without.

usage: resize_expectations.py tests/data/resizing   (Pillow 13, torchvision >= 0.27)

expected.txt holds the antialiased pictures, expected_narrow.txt those without antialias: in Pillow
Image.transform of the whole picture, in torchvision antialias=False.

One line per case: flavour, filter, mode, height, width, new height, new width, FNV-1a of the pixels.
The pictures are noise from a small generator that resize_test.cc repeats, so no file is needed.
"""
import sys

import numpy as np
import torch
import torchvision.transforms.v2.functional as F
from PIL import Image
from torchvision.transforms import InterpolationMode

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "P": 1, "1": 1, "I;16": 1, "I": 1, "F": 1}
SIZES = [(31, 23, 12, 40), (40, 9, 7, 8), (5, 64, 9, 9), (1, 17, 3, 5), (50, 20, 20, 18), (13, 13, 13, 6)]
# 225 to 224: torchvision's bicubic keeps a bit less here than its final weights would allow.
NARROW_SIZES = [(225, 3, 224, 4), (3, 225, 2, 224), (2, 2, 3, 1), (64, 48, 17, 100)]


def noise(count):
    value, out = 1, np.empty(count, np.uint8)
    for i in range(count):
        value = (value * 1664525 + 1013904223) & 0xFFFFFFFF
        out[i] = value >> 24
    return out


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def picture(mode, height, width):
    n = height * width
    if mode in ("I;16", "I", "F"):
        low, high = noise(2 * n)[0::2].astype(np.int32), noise(2 * n)[1::2].astype(np.int32)
        level = (low + 256 * high).reshape(height, width)
        return Image.fromarray(level.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]))
    a = noise(n * CHANNELS[mode]).reshape(height, width, -1)
    if mode == "1":
        return Image.fromarray(a[..., 0] >= 128)
    image = Image.frombytes(mode, (width, height), a.tobytes())
    return image


def pixels(image):
    a = np.asarray(image)
    return (a.astype(np.uint8) * 255 if a.dtype == bool else a).tobytes()


def tensor_noise(channels, height, width):
    pixels = noise(height * width * channels).reshape(height, width, channels)
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)


def torch8(mode, size, name, antialias):
    h, w, to_h, to_w = size
    how = getattr(InterpolationMode, name.upper())
    out = F.resize(tensor_noise(CHANNELS[mode], h, w), [to_h, to_w], how, antialias=antialias)
    data = out.permute(1, 2, 0).contiguous().numpy().tobytes()
    return f"torch8 {name.split('_')[0]} {mode} {h} {w} {to_h} {to_w} {fnv(data)}"


def write(name, lines):
    with open(f"{sys.argv[1]}/{name}", "w") as file:
        file.write("\n".join(lines) + "\n")


lines = []
for mode in CHANNELS:
    for size in SIZES:
        h, w, to_h, to_w = size
        for name in ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"):
            out = picture(mode, h, w).resize((to_w, to_h), getattr(Image.Resampling, name.upper()))
            lines.append(f"pillow {name} {mode} {h} {w} {to_h} {to_w} {fnv(pixels(out))}")
for size in SIZES:
    for name in ("nearest_exact", "bilinear", "bicubic", "lanczos"):
        lines.append(torch8("RGB", size, name, antialias=True))
write("expected.txt", lines)

lines = []
for size in SIZES + NARROW_SIZES:
    h, w, to_h, to_w = size
    for mode in ("L", "LA", "RGB", "RGBA", "CMYK", "P", "1"):
        for name in ("nearest", "bilinear", "bicubic"):
            out = picture(mode, h, w).transform(
                (to_w, to_h), Image.Transform.EXTENT, (0, 0, w, h), getattr(Image.Resampling, name.upper())
            )
            lines.append(f"pillow {name} {mode} {h} {w} {to_h} {to_w} {fnv(pixels(out))}")
    for mode in ("L", "RGB", "CMYK"):
        for name in ("nearest_exact", "bilinear", "bicubic"):
            lines.append(torch8(mode, size, name, antialias=False))
write("expected_narrow.txt", lines)
