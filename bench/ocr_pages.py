"""Pages to read, drawn so that the same packages give the same pixels: text, a table, a receipt.

Text is the LICENSE's, in fonts of Debian's fonts-dejavu-core and fonts-liberation; grain as a
scanner's. Sides are multiples of 28 pixels within the published limits, so nothing is resized. Needs
Pillow and NumPy.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
FONTS = Path("/usr/share/fonts/truetype")
SERIF = "liberation/LiberationSerif-Regular.ttf"
SANS = "dejavu/DejaVuSans.ttf"
MONO = "dejavu/DejaVuSansMono.ttf"
MARGIN = 20


def words():
    return (ROOT / "LICENSE").read_text().split()


def typeface(name, size):
    return ImageFont.truetype(str(FONTS / name), size, layout_engine=ImageFont.Layout.BASIC)


def draw_text(canvas, box, font, size, text):
    """Wrapped words from the box's top to its bottom; gives back those that found no place."""
    face = typeface(font, size)
    left, y, right, bottom = box
    text = list(text)
    while text and y + size < bottom:
        line = [text.pop(0)]
        while text and face.getlength(" ".join([*line, text[0]])) <= right - left:
            line.append(text.pop(0))
        canvas.text((left, y), " ".join(line), font=face, fill=20)
        y += size * 5 // 4
    return text


def text_page(width, height, font, size, columns, skip):
    page = Image.new("L", (width, height), 255)
    canvas = ImageDraw.Draw(page)
    step = (width - MARGIN) // columns
    rest = words()[skip:]
    for column in range(columns):
        left = MARGIN + column * step
        box = (left, MARGIN, left + step - MARGIN, height - MARGIN)
        rest = draw_text(canvas, box, font, size, rest)
    return page


def table_page(width, height, rows, columns):
    page = Image.new("L", (width, height), 255)
    canvas = ImageDraw.Draw(page)
    face = typeface(SANS, 13)
    random = np.random.default_rng(7)
    deep, wide = (height - 2 * MARGIN) // rows, (width - 2 * MARGIN) // columns
    for row in range(rows):
        for column in range(columns):
            left, top = MARGIN + column * wide, MARGIN + row * deep
            canvas.rectangle((left, top, left + wide, top + deep), outline=60)
            value = words()[40 + row] if column == 0 else f"{random.uniform(0, 1e4):.2f}"
            canvas.text((left + 5, top + 5), value[:12], font=face, fill=0)
    return page


def receipt(width, height):
    page = Image.new("L", (width, height), 235)
    canvas = ImageDraw.Draw(page)
    face = typeface(MONO, 14)
    random = np.random.default_rng(11)
    for row in range((height - 2 * MARGIN) // 18):
        item = words()[100 + row][:14]
        line = f"{item:<16}{random.integers(1, 9)} x {random.uniform(1, 90):6.2f}"
        canvas.text((MARGIN, MARGIN + 18 * row), line, font=face, fill=30)
    return page


def scanned(page, seed):
    """As RGB with the grain of a scanner."""
    grain = np.random.default_rng(seed).normal(0, 4, (page.height, page.width))
    grey = np.clip(np.asarray(page, np.float64) + grain, 0, 255).round().astype(np.uint8)
    return Image.fromarray(np.repeat(grey[..., None], 3, axis=2))


def pages():
    """(name, picture): from 784 patches to 2052."""
    drawn = [
        ("paragraph", text_page(392, 392, SERIF, 20, 1, 60)),
        ("receipt", receipt(364, 560)),
        ("table", table_page(560, 448, 14, 5)),
        ("columns", text_page(448, 616, SERIF, 14, 2, 300)),
        ("page", text_page(532, 756, SANS, 13, 1, 0)),
    ]
    for seed, (name, page) in enumerate(drawn):
        yield name, scanned(page, seed)
    # Photographs, whose licences examples/photos/LICENSES.md states; the model's processor sizes them.
    for name in ("coffee", "tower"):
        yield name, Image.open(ROOT / f"examples/photos/{name}.jpg").convert("RGB")


def write_pages(folder):
    """PNG files, made on first use, in the order of pages()."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, picture in pages():
        file = folder / f"{name}.png"
        picture.save(file)
        files.append(file)
    return files
