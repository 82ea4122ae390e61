"""Draws lines of text as a scanner sees them; a seed decides a line.

A line is 32 pixels high and a multiple of 32 wide, which the reference's processor leaves as it is.
It knows where each character stands, because training tells the model.
"""

import string
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HEIGHT, WIDTH_STEP = 32, 32
LONGEST, WIDEST = 24, 320  # characters, pixels
CHARACTERS = " " + string.ascii_letters + string.digits + ".,:;!?'\"()-/&%$#+=*@"
FONT_FOLDERS = [Path("/usr/share/fonts"), Path("/usr/share/texmf/fonts")]
FONTS = """
DejaVuSans DejaVuSans-Bold DejaVuSerif DejaVuSansMono LiberationSans-Regular LiberationSans-Bold
LiberationSans-Italic LiberationSerif-Regular LiberationSerif-Bold LiberationSerif-Italic
LiberationMono-Regular LiberationSansNarrow-Regular Roboto-Regular Roboto-Medium Roboto-Italic
OpenSans-Regular OpenSans-Semibold OpenSans-Italic Lato-Regular Lato-Bold Carlito-Regular
Carlito-Italic Caladea-Regular Caladea-Bold Cantarell-Regular ClearSans-Regular Inter-Regular
Inter-Bold NimbusSans-Regular NimbusRoman-Regular P052-Roman P052-Italic C059-Roman C059-Bold
GentiumPlus-Regular CharisSIL-Regular PTS55F PTS75F PTF55F Hack-Regular LinLibertine_R
EBGaramond12-Regular lmroman10-regular texgyreheros-regular JetBrainsMono-Regular
""".split()
HELD_OUT_FONTS = """
Cabin-Regular Go-Regular RobotoSlab-Regular LinBiolinum_R URWBookman-Light FiraCode-Regular
""".split()


@dataclass
class Line:
    text: str
    font: str
    picture: np.ndarray  # uint8 [32, width, 3]
    edges: np.ndarray  # f32 [characters + 1], where each character begins and the last one ends


@lru_cache
def font_files():
    files = [file for folder in FONT_FOLDERS for file in sorted(folder.rglob("*.[to]tf"))]
    return {file.stem: file for file in files}


@lru_cache(maxsize=2048)
def typeface(name, size):
    if name not in font_files():
        raise FileNotFoundError(f"no font {name}: tools/train/README.md lists the packages")
    return ImageFont.truetype(font_files()[name], size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=65536)
def advance(name, size, character):
    return typeface(name, size).getlength(character)


@lru_cache
def words(held_out):
    """Debian's American word list; every tenth word by its checksum is kept for the test."""
    every = Path("/usr/share/dict/american-english").read_text().split()
    plain = [word for word in every if word.isascii() and word.isalpha() and len(word) < 13]
    return [word for word in plain if (zlib.crc32(word.lower().encode()) % 10 == 0) == held_out]


def number(random):
    kind, value = random.integers(9), int(10 ** random.uniform(0, 5))
    day, month = random.integers(1, 29), random.integers(1, 13)
    return [
        str(value),
        str(value),
        f"{value / 100:.2f}",
        f"${value / 100:.2f}",
        f"{value % 101}%",
        f"{day:02d}/{month:02d}/{random.integers(1950, 2030)}",
        f"{random.integers(24)}:{random.integers(60):02d}",
        f"#{value % 1000}",
        f"{value % 100}{'+-*='[random.integers(4)]}{random.integers(100)}",
    ][kind]


def piece(random, vocabulary):
    """One word or number with what stands around it."""
    if random.uniform() < 0.18:
        return number(random)
    word = vocabulary[random.integers(len(vocabulary))]
    case = random.uniform()
    word = word.upper() if case < 0.14 else word.capitalize() if case < 0.36 else word.lower()
    around = random.uniform()
    if around < 0.2:
        return word + ".,,.:;!?"[random.integers(8)]
    if around < 0.26:
        before, after = [('"', '"'), ("(", ")"), ("'", "'")][random.integers(3)]
        return before + word + after
    if around < 0.29:
        return word + ("'s" if random.uniform() < 0.5 else "-" + str(random.integers(1, 100)))
    if around < 0.31:
        return (
            word + "/&@"[random.integers(3)] + vocabulary[random.integers(len(vocabulary))].lower()
        )
    return word


def random_text(random, longest, vocabulary):
    wanted = random.integers(1, longest + 1)
    text = piece(random, vocabulary)[:longest]
    while len(text) < wanted:
        longer = text + " " + piece(random, vocabulary)
        if len(longer) > longest:
            break
        text = longer
    return text


def background(random):
    """Paper and ink, f32 [3] each, never close to each other."""
    paper = random.uniform(165, 255) + random.uniform(-12, 12, 3)
    ink = random.uniform(0, 95) + random.uniform(-15, 15, 3)
    return np.clip(paper, 0, 255).astype(np.float32), np.clip(ink, 0, 255).astype(np.float32)


def draw(text, font, random):
    """The line, or None where it is too wide."""
    angle = random.uniform(-2, 2) * (np.pi / 180)
    size = int(random.integers(16, 24))
    while True:
        face = typeface(font, size)
        left, top, right, bottom = face.getbbox(text)
        tilt = abs(np.sin(angle)) * (right - left)
        if bottom - top + tilt <= HEIGHT - 2 or size <= 11:
            break
        size -= 1
    spare = max(0.0, HEIGHT - 2 - (bottom - top) - tilt)
    margin = random.uniform(2, 10, 2)
    natural = int(right - left + margin.sum())
    width = -(-natural // WIDTH_STEP) * WIDTH_STEP
    if width > WIDEST:
        return None
    x = margin[0] - left + random.uniform(0, 1) * (width - natural)
    y = (HEIGHT - (bottom + top)) / 2 + random.uniform(-0.5, 0.5) * spare
    # Text is set level on a canvas with room above and below, then turned about its middle.
    flat = Image.new("L", (width, 2 * HEIGHT))
    ImageDraw.Draw(flat).text((x, HEIGHT / 2 + y), text, 255, face)
    middle_x, middle_y = x + (left + right) / 2, y + (top + bottom) / 2
    cos, sin = np.cos(angle), np.sin(angle)
    turn = (
        cos, sin, middle_x - cos * middle_x - sin * middle_y,
        -sin, cos, HEIGHT / 2 + middle_y + sin * middle_x - cos * middle_y,
    )  # fmt: skip
    mask = flat.transform((width, HEIGHT), Image.Transform.AFFINE, turn, Image.Resampling.BILINEAR)
    if random.uniform() < 0.5:
        mask = mask.filter(ImageFilter.GaussianBlur(random.uniform(0.2, 0.8)))
    paper, ink = background(random)
    share = np.asarray(mask, np.float32)[..., None] / 255
    picture = paper + (ink - paper) * share
    noise = random.uniform(0, 12) if random.uniform() < 0.7 else 0
    picture += noise * random.standard_normal((HEIGHT, width, 1), np.float32)
    ends = np.cumsum([0, *(advance(font, size, character) for character in text)])
    edges = (middle_x + (x + ends - middle_x) * cos).astype(np.float32)
    return Line(text, font, np.clip(picture + 0.5, 0, 255).astype(np.uint8), edges)


def random_line(random, longest=LONGEST, fonts=FONTS, held_out_words=False):
    while True:
        text = random_text(random, longest, words(held_out_words))
        line = draw(text, fonts[random.integers(len(fonts))], random)
        if line is not None:
            return line


def held_out_line(seed):
    """Every fourth line in a font, and every second one in words, that training never shows."""
    random = np.random.default_rng(seed)
    fonts = HELD_OUT_FONTS if seed % 4 == 3 else FONTS
    return random_line(random, LONGEST, fonts, held_out_words=seed % 2 == 1)
