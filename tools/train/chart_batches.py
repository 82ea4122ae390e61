"""Batches for the small Pix2Struct: charts of the pool, moved and recoloured a little, and asked.

A batch holds pictures with one patch grid, so that no padding is computed. Besides inputs and
labels it says what stands in which patch (`marks`), which patches belong together (`pairs`), and
where the answer comes from (`pointers`).
"""
import json
from dataclasses import dataclass, replace
from multiprocessing import Value

import numpy as np
import torch
from chart_inputs import header_marks, patches
from charts import HEIGHT, LABELS, TITLES, WIDTH, Chart, questions
from draw_pool import draw
from PIL import ImageFont

QUESTION_WORDS = "value of which is highest lowest name what the title? how many read table >".split()
WORDS = {word.rstrip("?"): index for index, word in enumerate([*LABELS, *TITLES, *QUESTION_WORDS])}
NONE = -100  # what cross entropy ignores
SHARES = {"value": 4, "name": 2, "highest": 2, "lowest": 2, "more": 2.5, "title": 0.8, "count": 0.7}


@dataclass
class Question:
    picture: np.ndarray
    chart: Chart
    kind: str
    text: str
    answer: str
    layout: ImageFont.Layout = ImageFont.Layout.RAQM  # of the header


def mark_classes(text):
    """(word, tens, units) as class numbers. A number below ten has class 10 for its tens."""
    if text.isdigit():
        value = int(text)
        return NONE, value // 10 if value > 9 else 10, value % 10
    return WORDS.get(text, NONE), NONE, NONE


def relations(text, chart):
    """What belongs to a label or number: its partner's classes, and 0 lowest, 1 between, 2 highest."""
    for label, value in zip(chart.labels, chart.values):
        if text in (label, str(value)):
            rank = 1 + (value == max(chart.values)) - (value == min(chart.values))
            return *mark_classes(str(value) if text == label else label), rank
    return NONE, NONE, NONE, NONE


def prepare(question):
    """The question's patches and grid; rows (patch, 7 classes) of its marks; its pointers; and rows
    (patch, patch) of labels and numbers that belong together."""
    values, (rows, columns, top) = patches(question.picture, question.text, question.layout)
    height = top + HEIGHT

    def patch(x, y):
        row, column = int(y / height * rows), int(x / WIDTH * columns)
        return min(max(row, 0), rows - 1) * columns + min(max(column, 0), columns - 1)

    chart = question.chart
    shown = {text: patch(x, top + y) for text, x, y in chart.marks}
    asked = {word: patch(x, top / 2) for word, x in header_marks(question.text, WIDTH)}
    marks = [(at, *mark_classes(text), *relations(text, chart)) for text, at in shown.items()]
    marks += [(at, *mark_classes(word), *relations("", chart)) for word, at in asked.items()]
    pairs = [(shown[label], shown[str(value)]) for label, value in zip(chart.labels, chart.values)]
    pairs += [(value, label) for label, value in pairs]
    return values, (rows, columns), marks, pointers(question, shown, asked), pairs


def pointers(question, shown, asked):
    """[(position, decoder layer, head, patch)]: where cross-attention should look for each piece.

    The first layer finds what the question names, the second what the answer is copied from.
    """
    words = [word for word in asked if word not in ("of", "is", "the", "many", ">", "read", "what")]
    rows = [(0, 0, head, asked[word]) for head, word in enumerate(words[:2])]
    if question.kind == "more":
        return rows + [(0, 1, 1 + index, shown[word]) for index, word in enumerate(words)]
    if question.kind == "count":
        return rows
    position = 0
    for word in question.answer.split():
        for _ in word if word.isdigit() else [word]:  # a number has a piece for each digit
            rows.append((position, 1, 0, shown[word]))
            position += 1
    return rows


def numbered(lists):
    """One tensor of all rows, each behind the number of its list."""
    return torch.tensor([(index, *row) for index, rows in enumerate(lists) for row in rows])


def make_batch(prepared, questions_, tokenizer):
    labels = tokenizer([question.answer for question in questions_], padding=True).input_ids
    labels = torch.tensor(labels)
    labels[labels == tokenizer.pad_token_id] = NONE
    return {
        "patches": torch.stack([values for values, *_ in prepared]),
        "labels": labels,
        "marks": numbered([marks for _, _, marks, _, _ in prepared]),
        "pointers": numbered([rows for _, _, _, rows, _ in prepared]),
        "pairs": numbered([pairs for *_, pairs in prepared]),
        "kind": [question.kind for question in questions_],
        "answer": [question.answer for question in questions_],
    }


def collate(questions_, tokenizer, size):
    """Batches of at most `size` questions with one grid each, in no particular order."""
    waiting = {}
    for question in questions_:
        ready = prepare(question)
        bin_ = waiting.setdefault(ready[1], [])
        bin_.append((ready, question))
        if len(bin_) == size:
            yield make_batch(*zip(*waiting.pop(ready[1])), tokenizer)
    for bin_ in waiting.values():
        yield make_batch(*zip(*bin_), tokenizer)


def pick_question(chart, random, table_share):
    """(kind, text, answer): the kind first, so that charts with many values do not decide it."""
    asked = questions(chart)
    if random.uniform() < table_share:
        kind = "table"
    else:
        shares = np.array(list(SHARES.values()))
        kind = str(random.choice(list(SHARES), p=shares / shares.sum()))
    return kind, *asked[kind][random.integers(len(asked[kind]))]


def held_out_questions(seeds, each, seed):
    """`each` questions about each chart, without the table."""
    random = np.random.default_rng(seed)
    pictures, charts = draw(seeds)
    return [
        Question(picture, chart, *pick_question(chart, random, 0))
        for picture, chart in zip(pictures, charts)
        for _ in range(each)
    ]


def vary(picture, marks, random):
    """Moves the picture by a pixel on white, and exchanges colours.

    Farther moves cost too much: a number looks different at every place within its patches, and all
    of these must be learnt (moved by 8 and 6 pixels, the guides' loss fell several times slower).
    """
    dx, dy = random.integers(-1, 2, 2).tolist()
    moved = np.full_like(picture, 255)
    source = picture[max(0, -dy) : HEIGHT - max(0, dy), max(0, -dx) : WIDTH - max(0, dx)]
    moved[max(0, dy) : HEIGHT + min(0, dy), max(0, dx) : WIDTH + min(0, dx)] = source[
        ..., random.permutation(3)
    ]
    return moved, [(text, x + dx, y + dy) for text, x, y in marks]


class ChartBatches(torch.utils.data.IterableDataset):
    """Endless batches from the shards that are there; new ones are taken in as they appear."""

    def __init__(self, pool, tokenizer, batch, seed):
        self.pool, self.tokenizer, self.batch, self.seed = pool, tokenizer, batch, seed
        self.table_share = Value("d", 0.0)  # set by the trainer, read by the loader's process

    def __iter__(self):
        torch.set_num_threads(1)
        random = np.random.default_rng(self.seed)
        waiting = {}
        for picture, chart in self._charts(random):
            picture, marks = vary(picture, chart.marks, random)
            picked = pick_question(chart, random, self.table_share.value)
            # Other programs set the same text a little differently; both of Pillow's ways are learnt.
            layout = ImageFont.Layout(int(random.integers(2)))
            question = Question(picture, replace(chart, marks=marks), *picked, layout)
            ready = prepare(question)
            bin_ = waiting.setdefault(ready[1], [])
            bin_.append((ready, question))
            if len(bin_) == self.batch:
                yield make_batch(*zip(*waiting.pop(ready[1])), self.tokenizer)

    def _charts(self, random):
        shards = {}
        while True:
            if random.uniform() < 0.002 or not shards:
                for file in sorted(self.pool.glob("*.json")):
                    if file not in shards:
                        charts = [Chart(**fields) for fields in json.loads(file.read_text())]
                        shards[file] = np.load(file.with_suffix(".npy"), mmap_mode="r"), charts
            pictures, charts = shards[list(shards)[random.integers(len(shards))]]
            index = random.integers(len(charts))
            yield pictures[index], charts[index]
