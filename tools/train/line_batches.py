"""Batches for the small PaddleOCR-VL: lines of one width, so that no padding is computed.

Besides pictures and texts a batch says what stands where (`frames`) and in which columns of image
tokens each character is to be looked for (`columns`).
"""

from multiprocessing import Value

import numpy as np
import torch
from line_model import MERGE, NONE, PATCH
from line_tokenizer import END, READABLE
from lines import CHARACTERS, LONGEST, random_line

TOKEN = PATCH * MERGE
QUARTER = TOKEN / 4
CLASS = {character: index + 1 for index, character in enumerate(CHARACTERS)}


def frames(line):
    """int64 [quarters, 2]: class of the character there (0 none) and its number in the line."""
    centres = (np.arange(line.picture.shape[1] / QUARTER) + 0.5) * QUARTER
    number = np.searchsorted(line.edges, centres, side="right") - 1
    inside = (number >= 0) & (number < len(line.text))
    classes = np.array([CLASS[character] for character in line.text])
    number = np.where(inside, number, 0)
    return np.stack([np.where(inside, classes[number], 0), np.where(inside, number, NONE)], 1)


def columns(line):
    """bool [characters, columns of image tokens]: which of them cover each other by a fifth."""
    left = np.arange(line.picture.shape[1] // TOKEN) * TOKEN
    begin, end = line.edges[:-1, None], line.edges[1:, None]
    overlap = np.minimum(end, left + TOKEN) - np.maximum(begin, left)
    return overlap >= np.minimum(end - begin, TOKEN) / 5


def make_batch(lines):
    longest = max(len(line.text) for line in lines)
    labels = torch.full((len(lines), longest + 1), NONE)
    looked = torch.zeros(len(lines), longest, lines[0].picture.shape[1] // TOKEN, dtype=torch.bool)
    for row, line in enumerate(lines):
        ids = [*(READABLE[character] for character in line.text), END]
        labels[row, : len(ids)] = torch.tensor(ids)
        looked[row, : len(line.text)] = torch.from_numpy(columns(line))
    return {
        "pictures": np.stack([line.picture for line in lines]),
        "labels": labels,
        "frames": torch.from_numpy(np.stack([frames(line) for line in lines])),
        "columns": looked,
        "texts": [line.text for line in lines],
    }


def by_width(lines, size):
    """Batches of at most `size` lines, in no particular order."""
    waiting = {}
    for line in lines:
        bin_ = waiting.setdefault(line.picture.shape[1], [])
        bin_.append(line)
        if len(bin_) == size:
            yield make_batch(waiting.pop(line.picture.shape[1]))
    for bin_ in waiting.values():
        yield make_batch(bin_)


class LineBatches(torch.utils.data.IterableDataset):
    """Endless batches of new lines. A batch of wide lines holds fewer of them: as many patches."""

    def __init__(self, patches_each, seed):
        self.patches_each, self.seed = patches_each, seed
        self.longest = Value("i", LONGEST)  # set by the trainer, read by the loader's process

    def __iter__(self):
        torch.set_num_threads(1)
        random, waiting = np.random.default_rng(self.seed), {}
        while True:
            line = random_line(random, self.longest.value)
            bin_ = waiting.setdefault(line.picture.shape[1], [])
            bin_.append(line)
            if len(bin_) * line.picture[..., 0].size >= self.patches_each * PATCH**2:
                yield make_batch(waiting.pop(line.picture.shape[1]))
