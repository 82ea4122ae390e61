#!/usr/bin/env python3
"""Writes tests/data/coco_ap/polygons.json: polygons and what pycocotools makes of them.

usage: coco_polygons.py [OUTPUT]
needs: pip install pycocotools numpy
"""
import json
import random
import sys
from pathlib import Path

from pycocotools import mask as masks

OUTPUT = Path(__file__).resolve().parent.parent / "tests/data/coco_ap/polygons.json"


def polygon(rng, height, width):
    corners = rng.choice([3, 4, 5, 9, 20])
    whole = rng.random() < 0.3
    reach = 1.2 if rng.random() < 0.3 else 1.0
    points = []
    for _ in range(corners):
        for side in (width, height):
            value = rng.uniform((1 - reach) * side, reach * side)
            points.append(float(round(value)) if whole else round(value, 2))
    return points


def main():
    rng = random.Random(3)
    rows = []
    for _ in range(120):
        height, width = rng.choice([(20, 30), (7, 5), (64, 48), (1, 9)])
        shapes = [polygon(rng, height, width) for _ in range(rng.choice([1, 1, 2, 3]))]
        if rng.random() < 0.2:
            shapes[0][2:4] = shapes[0][0:2]  # a corner twice
        merged = masks.merge(masks.frPyObjects(shapes, height, width))
        rows.append({"size": [height, width], "polygons": shapes, "counts": merged["counts"].decode()})
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    output.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")


if __name__ == "__main__":
    main()
