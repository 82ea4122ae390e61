"""A chart and a question as the reference's processor would hand them to the model, but fast.

Pix2StructImageProcessor writes the question over the picture (Pillow, 36 px), normalises, resizes
to the patch grid and cuts patches. Here headers are kept, since questions come again and again.
`check_against_the_processor` compares with the real one; training starts with it.
"""
from functools import lru_cache, partial
from unittest.mock import patch

import numpy as np
import torch
import transformers.models.pix2struct.image_processing_pix2struct as reference
from matplotlib import font_manager
from PIL import Image, ImageFont

PATCH = 16
MAX_PATCHES = 128
FONT = font_manager.findfont("DejaVu Sans")


def render_text(text, **_):
    """The reference's header picture in our font; it would fetch Arial, which is not free."""
    return _reference_render_text(text, font_path=FONT)


_reference_render_text = reference.render_text
reference.render_text = render_text  # the processor has no argument for it any more


def make_processor():
    return reference.Pix2StructImageProcessor(
        max_patches=MAX_PATCHES, patch_size={"height": PATCH, "width": PATCH}, is_vqa=True
    )


@lru_cache(maxsize=4096)
def header(text, width, layout=ImageFont.Layout.RAQM):
    """uint8 [h, width, 3]: the question, as wide as the picture.

    Pillow sets text by HarfBuzz where it can, else by its basic layout with hinted advances.
    """
    typeface = partial(ImageFont.truetype, layout_engine=layout)
    with patch.object(reference.ImageFont, "truetype", typeface):
        picture = render_text(text)
    if picture.width > width:
        raise ValueError(f"'{text}' is {picture.width} px wide, the picture {width}: shorten it")
    height = int(picture.height * (width / picture.width))
    return np.asarray(picture.resize((width, height)))


@lru_cache(maxsize=4096)
def header_marks(text, width):
    """[(word, x)]: the middle of each word of the header, in pixels of the scaled header."""
    font = ImageFont.truetype(FONT, size=36)
    scale = width / render_text(text).width
    marks, start = [], 0
    for word in text.split():
        start = text.index(word, start)
        middle = (font.getlength(text[:start]) + font.getlength(text[: start + len(word)])) / 2
        marks.append((word.rstrip("?"), (5 + middle) * scale))
        start += len(word)
    return marks


def grid(height, width):
    scale = (MAX_PATCHES * (PATCH / height) * (PATCH / width)) ** 0.5
    return (
        max(min(int(scale * height / PATCH), MAX_PATCHES), 1),
        max(min(int(scale * width / PATCH), MAX_PATCHES), 1),
    )


def patches(picture, text, layout=ImageFont.Layout.RAQM):
    """f32 [rows * columns, 2 + patch], and (rows, columns, header height)."""
    top = header(text, picture.shape[1], layout)
    whole = torch.from_numpy(np.concatenate([top, picture])).permute(2, 0, 1)[None].float()
    whole -= whole.mean()
    # The sample deviation; torch.std takes longer than the resize.
    std = (whole.square().sum() / (whole.numel() - 1)).sqrt()
    rows, columns = grid(*whole.shape[2:])
    whole = torch.nn.functional.interpolate(
        whole, (rows * PATCH, columns * PATCH), mode="bilinear", antialias=True
    )
    whole /= std
    cut = whole.view(3, rows, PATCH, columns, PATCH).permute(1, 3, 2, 4, 0)
    ids = torch.stack(
        torch.meshgrid(torch.arange(rows) + 1.0, torch.arange(columns) + 1.0, indexing="ij"), -1
    )
    return torch.cat([ids, cut.reshape(rows, columns, -1)], -1).flatten(0, 1), (
        rows,
        columns,
        len(top),
    )


def check_against_the_processor(pictures, texts):
    """The largest difference of any input value from the reference's."""
    expected = make_processor()(
        [Image.fromarray(picture) for picture in pictures], header_text=texts, return_tensors="pt"
    )
    largest = 0.0
    for row, (picture, text) in enumerate(zip(pictures, texts)):
        found, _ = patches(picture, text)
        mask = expected["attention_mask"][row].bool()
        if mask.sum() != len(found):
            raise ValueError(f"'{text}': {len(found)} patches, the reference has {mask.sum()}")
        wanted = expected["flattened_patches"][row][mask]
        largest = max(largest, (wanted - found).abs().max().item())
    return largest
