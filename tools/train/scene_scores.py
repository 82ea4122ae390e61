"""Average precision of detections in scenes, by pycocotools."""

import contextlib
import io

import numpy as np
from pycocotools import mask as run_lengths
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scenes import CLASSES, SIZE


def encoded(mask):
    found = run_lengths.encode(np.asfortranarray(mask, np.uint8))
    return {"size": found["size"], "counts": found["counts"].decode()}


def annotations(scenes, names):
    """The scenes as COCO's JSON; category ids are class numbers, from 0."""
    rows = []
    for image, scene in enumerate(scenes):
        for kind, mask, (x0, y0, x1, y1) in zip(scene.classes, scene.masks, scene.boxes().tolist()):
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": image,
                    "category_id": int(kind),
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": int(mask.sum()),
                    "iscrowd": 0,
                    "segmentation": encoded(mask),
                }
            )
    images = [
        {"id": index, "file_name": name, "height": SIZE, "width": SIZE}
        for index, name in enumerate(names)
    ]
    categories = [{"id": index, "name": name} for index, name in enumerate(CLASSES)]
    return {"images": images, "annotations": rows, "categories": categories}


def results(found):
    rows = []
    for image, (boxes, scores, kinds, masks) in enumerate(found):
        for (x0, y0, x1, y1), score, kind, mask in zip(
            boxes.tolist(), scores.tolist(), kinds.tolist(), masks.numpy()
        ):
            rows.append(
                {
                    "image_id": image,
                    "category_id": kind,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "score": score,
                    "segmentation": encoded(mask),
                }
            )
    return rows


def statistics(truth, rows):
    """{'bbox': twelve figures, 'segm': twelve figures}, all 0 where nothing was found."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        figures = {kind: np.zeros(12) for kind in ("bbox", "segm")}
        for kind in figures if rows else ():
            judge = COCOeval(coco, coco.loadRes([dict(row) for row in rows]), kind)
            judge.evaluate()
            judge.accumulate()
            judge.summarize()
            figures[kind] = judge.stats
    return figures


def average_precision(scenes, found):
    """AP50 of boxes and of masks."""
    figures = statistics(annotations(scenes, [""] * len(scenes)), results(found))
    return figures["bbox"][1], figures["segm"][1]
