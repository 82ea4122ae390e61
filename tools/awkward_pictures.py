#!/usr/bin/env python3
"""Writes tests/data/awkward: pictures that processors disagree about, and what ViT's makes of them.

usage: awkward_pictures.py [FOLDER]
needs: pip install pillow numpy torch torchvision transformers

pixel_values.npy holds one row per picture, in the order of their names: upright by EXIF, RGB by
Pillow, then transformers' ViTImageProcessor as models/digits-vit configures it.
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).parent.parent


def colours(width, height):
    """Smooth colours with an edge: errors of orientation, channel order and resampling all show."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 255 * x / max(width - 1, 1)
    green = 255 * y / max(height - 1, 1)
    blue = np.where(x * height > y * width, 200, 30)
    return np.stack([red, green, blue], -1).round().astype(np.uint8)


def write_pictures(folder):
    rgb = Image.fromarray(colours(40, 30))
    alpha = Image.fromarray((colours(40, 30)[..., 0] // 2 + 64).astype(np.uint8))
    for orientation in (3, 6, 8):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb.save(folder / f"exif_{orientation}.jpg", exif=exif, quality=90)
    rgb.convert("CMYK").save(folder / "cmyk.jpg", quality=90)
    with_alpha = rgb.copy()
    with_alpha.putalpha(alpha)
    with_alpha.save(folder / "alpha.png")
    Image.merge("LA", (rgb.convert("L"), alpha)).save(folder / "grey_alpha.png")
    palette = rgb.quantize(16)
    palette.save(folder / "palette_transparent.png", transparency=3)
    grey16 = (np.asarray(rgb.convert("L")).astype(np.uint16) * 257).astype(np.uint16)
    Image.fromarray(grey16).save(folder / "grey_16bit.png")
    rgb.convert("1").save(folder / "one_bit.png")
    Image.fromarray(colours(1, 60)).save(folder / "one_wide.png")
    Image.fromarray(colours(60, 1)).save(folder / "one_high.png")
    Image.fromarray(colours(1, 1)).save(folder / "one_pixel.png")
    Image.fromarray(colours(301, 7)).save(folder / "very_wide.png")
    Image.fromarray(colours(31, 33)).save(folder / "nearly_the_size.png")


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/data/awkward"
    folder.mkdir(parents=True, exist_ok=True)
    write_pictures(folder)
    from transformers import ViTImageProcessor

    processor = ViTImageProcessor.from_pretrained(ROOT / "models/digits-vit")
    files = sorted(p for p in folder.iterdir() if p.suffix in (".png", ".jpg"))
    pictures = [ImageOps.exif_transpose(Image.open(file)).convert("RGB") for file in files]
    rows = [processor(picture, return_tensors="pt").pixel_values[0].numpy() for picture in pictures]
    (folder / "expected").mkdir(exist_ok=True)
    np.save(folder / "expected/pixel_values.npy", np.stack(rows))


if __name__ == "__main__":
    main()
