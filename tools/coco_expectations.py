#!/usr/bin/env python3
"""Writes tests/data/coco_ap/random.json: random boxes and masks with the figures of pycocotools.

usage: coco_expectations.py [OUTPUT]
needs: pip install pycocotools numpy
"""
import contextlib
import io
import json
import random
import sys
from importlib.metadata import version
from pathlib import Path

import numpy
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

OUTPUT = Path(__file__).resolve().parent.parent / "tests/data/coco_ap/random.json"
HEIGHT, WIDTH = 120, 160
FIGURES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large")


def ellipse(box):
    x, y, w, h = box
    rows, columns = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    inside = ((columns - x - w / 2) / max(w / 2, 0.5)) ** 2 + ((rows - y - h / 2) / max(h / 2, 0.5)) ** 2 <= 1
    rle = masks.encode(numpy.asfortranarray(inside.astype(numpy.uint8)))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def random_box(rng):
    w, h = rng.choice([(8, 9), (20, 16), (40, 40), (70, 60), (130, 110)])
    w, h = w * rng.uniform(0.6, 1.4), h * rng.uniform(0.6, 1.4)
    return [round(rng.uniform(0, max(1, WIDTH - w)), 2), round(rng.uniform(0, max(1, HEIGHT - h)), 2), round(w, 2), round(h, 2)]


def near(rng, box):
    spread = rng.choice([0, 0.5, 2, 6])
    return [round(v + rng.uniform(-spread, spread) if i < 2 else max(1, v + rng.uniform(-spread, spread)), 2) for i, v in enumerate(box)]


def make(seed, pictures, crowded=False):
    rng = random.Random(seed)
    truths, detections = [], []
    for image in range(1, pictures + 1):
        for _ in range(rng.randrange(0, 8)):
            box, category = random_box(rng), rng.randrange(1, 5)
            rle = ellipse(box)
            truths.append({"id": len(truths) + 1, "image_id": image, "category_id": category, "bbox": box, "area": float(masks.area(rle)), "iscrowd": int(rng.random() < 0.15), "segmentation": rle})
            for _ in range(rng.randrange(0, 4)):
                moved = near(rng, box)
                detections.append({"image_id": image, "category_id": category if rng.random() < 0.9 else rng.randrange(1, 6), "bbox": moved, "score": round(rng.random(), 1), "segmentation": ellipse(moved)})
        for _ in range(130 if crowded else rng.randrange(0, 4)):
            box = random_box(rng)
            detections.append({"image_id": image, "category_id": 1 if crowded else rng.randrange(1, 5), "bbox": box, "score": round(rng.random(), 2), "segmentation": ellipse(box)})
    return truths, detections


def figures(truths, detections, kind):
    truth = COCO()
    truth.dataset = {"images": [{"id": i, "height": HEIGHT, "width": WIDTH} for i in {t["image_id"] for t in truths} | {d["image_id"] for d in detections}],
                     "categories": [{"id": i} for i in sorted({t["category_id"] for t in truths})], "annotations": [dict(t) for t in truths]}
    truth.createIndex()
    # loadRes takes the box's area; masks are judged by their own.
    found = truth.loadRes([{k: v for k, v in d.items() if k != ("segmentation" if kind == "bbox" else "bbox")} for d in detections])
    evaluation = COCOeval(truth, found, kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return dict(zip(FIGURES, map(float, evaluation.stats)))


def main():
    sets = []
    with contextlib.redirect_stdout(io.StringIO()):
        for seed, pictures, crowded in ((1, 6, False), (6, 1, False), (3, 4, False), (4, 2, True)):
            truths, detections = make(seed, pictures, crowded)
            sets.append({"size": [HEIGHT, WIDTH], "truths": truths, "detections": detections, "bbox": figures(truths, detections, "bbox"), "segm": figures(truths, detections, "segm")})
    rng = numpy.random.default_rng(5)
    overlaps = []
    for _ in range(12):
        a, b = (numpy.asfortranarray((rng.random((9, 7)) < rng.choice([0, 0.3, 1])).astype(numpy.uint8)) for _ in "ab")
        codes = [masks.encode(m) for m in (a, b)]
        overlaps.append({"a": a.tolist(), "b": b.tolist(), "a_counts": codes[0]["counts"].decode(), "b_counts": codes[1]["counts"].decode(),
                         "iou": float(masks.iou([codes[0]], [codes[1]], [0])[0][0]), "crowd_iou": float(masks.iou([codes[0]], [codes[1]], [1])[0][0])})
    result = {"what": "random detections with pycocotools' figures", "versions": {"pycocotools": version("pycocotools")}, "sets": sets, "overlaps": overlaps}
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
