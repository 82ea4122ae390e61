"""Draws scenes: shapes with textures that overlap on photographs; a seed decides a scene.

The photographs come with scikit-image and are in the public domain (CC0, NASA, SpaceX).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import skimage.data
from PIL import Image, ImageDraw

SIZE = 192
FINER = 2  # shapes are drawn this much larger, then reduced, for smooth edges
CLASSES = ["disc", "box", "triangle", "star", "ring", "cross"]
PHOTOGRAPHS = "astronaut chelsea rocket hubble_deep_field camera brick grass gravel".split()
HELD_OUT_PHOTOGRAPHS = ["coffee"]
SMALLEST_AREA, SMALLEST_SHARE = 120, 0.35  # of what is seen of a shape, in pixels and of its whole


@dataclass
class Scene:
    picture: np.ndarray  # uint8 [192, 192, 3]
    classes: np.ndarray  # int64 [shapes]
    masks: np.ndarray  # bool [shapes, 192, 192]: what is seen of each

    def boxes(self):
        """f32 [shapes, 4] around what is seen: x0, y0, x1, y1."""
        found = []
        for mask in self.masks:
            ys, xs = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
            found.append([xs[0], ys[0], xs[-1] + 1, ys[-1] + 1])
        return np.array(found, np.float32).reshape(-1, 4)


@lru_cache
def photograph(name):
    picture = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
    scale = 2 * SIZE / min(picture.size)
    return picture.resize([round(scale * side) for side in picture.size], Image.Resampling.LANCZOS)


def background(random, names):
    """A piece of a photograph with its contrast reduced, so that shapes stand out."""
    whole = photograph(names[random.integers(len(names))])
    side = int(random.uniform(0.8, 2.0) * SIZE)
    left = int(random.integers(0, whole.width - side + 1))
    top = int(random.integers(0, whole.height - side + 1))
    cut = whole.resize(
        (SIZE, SIZE), Image.Resampling.BILINEAR, (left, top, left + side, top + side)
    )
    if random.uniform() < 0.5:
        cut = cut.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    values = np.asarray(cut, np.float32)
    return values.mean() + (values - values.mean()) * random.uniform(0.4, 0.9)


def around(corners, radii, phase=0.0):
    """Points about the origin at `corners` even angles, with the radii taken in turn."""
    angles = np.arange(corners) * (2 * np.pi / corners) + phase
    radius = np.resize(radii, corners)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)


def outline(kind, random):
    """Corners of a shape that fills the unit circle, and of its hole if it has one."""
    if kind == "disc":
        return around(40, [1.0]), None
    if kind == "box":
        return around(4, [1.0], np.pi / 4) * [1.0, random.uniform(0.55, 1.0)], None
    if kind == "triangle":
        return around(3, [1.0]) * [1.0, random.uniform(0.8, 1.0)], None
    if kind == "star":
        return around(10, [1.0, random.uniform(0.4, 0.5)]), None
    if kind == "ring":
        return around(40, [1.0]), around(40, [random.uniform(0.45, 0.65)])
    arm = random.uniform(0.24, 0.34)
    corner = [(1, -arm), (1, arm), (arm, arm)]
    turns = [np.array([[0, -1], [1, 0]])] * 4
    points, turn = [], np.eye(2)
    for quarter in turns:
        points += [turn @ point for point in corner]
        turn = quarter @ turn
    return np.array(points), None


def colour(random):
    """Any hue, strong rather than grey."""
    value = random.uniform(0, 255, 3)
    value[random.permutation(3)[:2]] = random.uniform(160, 255), random.uniform(0, 90)
    return value.astype(np.float32)


def texture(random, size):
    """f32 [size, size, 3]: plain, striped, chequered, shaded or grained."""
    kind, first, second = random.integers(6), colour(random), colour(random)
    if kind < 2:
        return np.broadcast_to(first, (size, size, 3))
    y, x = np.mgrid[:size, :size].astype(np.float32)
    angle, period = random.uniform(0, np.pi), random.uniform(8, 20)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    if kind == 2:
        share = (along % period < period / 2).astype(np.float32)
    elif kind == 3:
        share = ((along % period < period / 2) ^ (across % period < period / 2)).astype(np.float32)
    elif kind == 4:
        share = (along - along.min()) / (along.max() - along.min())
    else:
        share = 0.4 * random.uniform(0, 1, (size, size)).astype(np.float32)
    return first + (second - first) * share[..., None]


def place(kind, random):
    """Alpha f32 [192, 192] of one shape anywhere in the picture."""
    radius = np.exp(random.uniform(np.log(13), np.log(52)))
    centre = random.uniform(0.5 * radius, SIZE - 0.5 * radius, 2)
    angle = random.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    drawn = Image.new("L", (FINER * SIZE, FINER * SIZE))
    for points, value in zip(outline(kind, random), (255, 0)):
        if points is not None:
            corners = FINER * (points @ turn.T * radius + centre)
            ImageDraw.Draw(drawn).polygon([tuple(corner) for corner in corners], value)
    return np.asarray(drawn.reduce(FINER), np.float32) / 255


def draw_scene(random, photographs=PHOTOGRAPHS):
    picture = background(random, photographs)
    classes, masks, wholes = [], [], []
    for _ in range(random.integers(2, 9)):
        kind = int(random.integers(len(CLASSES)))
        alpha = place(CLASSES[kind], random)
        shown = alpha >= 0.5
        left = [mask & ~shown for mask in masks]
        if any(mask.sum() < SMALLEST_SHARE * whole for mask, whole in zip(left, wholes)):
            continue  # it would hide too much of another
        if shown.sum() < SMALLEST_AREA:
            continue
        if any(mask.sum() < SMALLEST_AREA for mask in left):
            continue
        picture = picture + (texture(random, SIZE) - picture) * alpha[..., None]
        masks = [*left, shown]
        classes.append(kind)
        wholes.append(shown.sum())
    picture = picture * random.uniform(0.8, 1.1)
    picture = picture + random.uniform(0, 6) * random.standard_normal((SIZE, SIZE, 1), np.float32)
    return Scene(
        np.clip(picture + 0.5, 0, 255).astype(np.uint8), np.array(classes), np.stack(masks)
    )


def held_out_scene(seed):
    """Every third scene on a photograph that training never shows."""
    random = np.random.default_rng(seed)
    return draw_scene(random, HELD_OUT_PHOTOGRAPHS if seed % 3 == 2 else PHOTOGRAPHS)
