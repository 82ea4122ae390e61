"""Synthetic charts for the small Pix2Struct: drawing, and questions with their answers.

A chart shows one to five labelled values as columns, bars, a line or a pie, with a title. Every
value is printed; its text and place are kept as marks, so that training can be told what stands
where. A seed decides a whole chart, so held-out charts are simply seeds that training never uses.
"""
import colorsys
from dataclasses import dataclass, field

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 320, 240, 100
KINDS = ["column", "bar", "line", "pie"]
LABELS = (
    "Fig Oak Yam Elm Ash Pea Nut Rye Oat Tea Ham Egg Cod Bun Jam Pie Kiwi Lime Plum Pear "
    "Corn Rice Beet Kale Mint Sage Dill Leek Fir Bay"
).split()
TITLES = "Sales Rain Costs Votes Trips Stock Hours Goals Visits Orders Points Yield".split()
MOST_VALUES = 5
LARGEST_VALUE = 99


@dataclass
class Chart:
    kind: str
    title: str
    labels: list[str]
    values: list[int]
    #: (text, x, y): what is printed, and the middle of it in pixels from the top left.
    marks: list[tuple[str, float, float]] = field(default_factory=list)


def random_chart(seed, most_values=MOST_VALUES):
    """The content and the looks (a second generator) of chart number `seed`."""
    random = np.random.default_rng([2026, seed])
    kind = KINDS[random.choice(len(KINDS), p=[0.4, 0.2, 0.2, 0.2])]
    count = int(random.integers(2, most_values + 1))
    smallest = 20 if kind == "pie" else 1  # a thinner wedge has no room for its number
    values = smallest + random.choice(LARGEST_VALUE - smallest + 1, count, replace=False)
    labels = random.choice(LABELS, count, replace=False)
    chart = Chart(kind, str(random.choice(TITLES)), labels.tolist(), values.tolist())
    return chart, random


def random_color(random, lightness):
    return colorsys.hls_to_rgb(random.uniform(), random.uniform(*lightness), random.uniform(0.4, 1))


class Painter:
    """Draws charts on one canvas, used again and again: making a figure costs more than a chart."""

    def __init__(self):
        self.figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
        self.canvas = FigureCanvasAgg(self.figure)

    def draw(self, chart, random):
        """uint8 [HEIGHT, WIDTH, 3]; fills chart.marks."""
        self.figure.clear()
        self.texts = []
        self.random = random
        self.size = random.uniform(11.5, 13)  # points; 16 to 18 pixels
        axes = self.figure.add_axes((0.04, 0.13, 0.92, 0.7))
        title = axes.set_title(chart.title, fontsize=self.size + 1, fontweight="bold", pad=5)
        self.texts.append(title)
        if chart.kind == "pie":
            self._pie(axes, chart)
        else:
            self._with_axes(axes, chart)
        self.canvas.draw()
        chart.marks = [self._mark(text) for text in self.texts]
        return np.asarray(self.canvas.buffer_rgba())[..., :3].copy()

    def _with_axes(self, axes, chart):
        places = np.arange(len(chart.values))
        one_color = self.random.uniform() < 0.5
        colors = [random_color(self.random, (0.35, 0.75)) for _ in places]
        colors = colors[:1] * len(places) if one_color else colors
        width = self.random.uniform(0.45, 0.8)
        top = max(chart.values) * 1.22
        axes.tick_params(length=2, pad=2)
        axes.spines[["top", "right"]].set_visible(self.random.uniform() < 0.3)
        if chart.kind == "bar":
            axes.set_position((0.19, 0.05, 0.78, 0.78))
            axes.barh(places, chart.values, width, color=colors)
            axes.set(xlim=(0, top), ylim=(len(places) - 0.5, -0.5), xticks=[])
            axes.set_yticks(places, chart.labels, fontsize=self.size)
            self.texts += axes.get_yticklabels()
        else:
            if chart.kind == "column":
                axes.bar(places, chart.values, width, color=colors)
            else:
                axes.plot(places, chart.values, color=colors[0], marker="o", linewidth=2)
            axes.set(ylim=(0, top), xlim=(-0.6, len(places) - 0.4), yticks=[])
            axes.set_xticks(places, chart.labels, fontsize=self.size)
            self.texts += axes.get_xticklabels()
        for place, value in zip(places, chart.values):
            if chart.kind == "bar":
                at, align = (value + top * 0.015, place), {"va": "center_baseline"}
            else:
                gap = 0.015 if chart.kind == "column" else 0.04
                at, align = (place, value + top * gap), {"ha": "center"}
            self.texts.append(axes.text(*at, str(value), fontsize=self.size, **align))

    def _pie(self, axes, chart):
        axes.set_position((0.1, 0.04, 0.8, 0.74))
        colors = [random_color(self.random, (0.6, 0.85)) for _ in chart.values]
        wedges, *_ = axes.pie(chart.values, colors=colors, startangle=90, counterclock=False)
        for wedge, label, value in zip(wedges, chart.labels, chart.values):
            middle = np.deg2rad((wedge.theta1 + wedge.theta2) / 2)
            x, y = np.cos(middle), np.sin(middle)
            align = {"ha": "center", "va": "center", "fontsize": self.size}
            self.texts.append(axes.text(1.3 * x, 1.16 * y, label, **align))
            self.texts.append(axes.text(0.68 * x, 0.68 * y, str(value), **align))

    def _mark(self, text):
        box = text.get_window_extent(self.canvas.get_renderer())
        return text.get_text(), (box.x0 + box.x1) / 2, HEIGHT - (box.y0 + box.y1) / 2


def questions(chart):
    """Every (question, answer) that the model is taught for this chart, by kind of question."""
    by_value = sorted(zip(chart.values, chart.labels))
    table = " ".join(f"{label} {value}" for label, value in zip(chart.labels, chart.values))
    asked = {
        "value": [(f"value of {a}?", str(v)) for v, a in by_value],
        "name": [(f"which is {v}?", a) for v, a in by_value],
        "highest": [("highest value?", str(by_value[-1][0])), ("highest name?", by_value[-1][1])],
        "lowest": [("lowest value?", str(by_value[0][0])), ("lowest name?", by_value[0][1])],
        "more": [
            (f"{a} > {b}?", "Yes" if v > w else "No")
            for v, a in by_value
            for w, b in by_value
            if a != b
        ],
        "title": [("what is the title?", chart.title)],
        "count": [("how many?", str(len(chart.values)))],
        "table": [("read the table?", table)],
    }
    return asked
