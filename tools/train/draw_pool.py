#!/usr/bin/env python3
"""Draws charts ahead of training into a folder: shards of pictures and what they show.

Drawing takes longer than a training step on the same chart, so every chart is drawn once and asked
several questions. May run beside training, several times with different ranges of shards.

    python tools/train/draw_pool.py --out POOL --shards 0:24
"""
import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
from charts import Painter, random_chart

SHARD = 500
FIRST_TRAINING_SEED = 10_000  # below: held out


def draw(seeds):
    """uint8 [n, height, width, 3], and the charts."""
    painter = Painter()
    pictures, charts = [], []
    for seed in seeds:
        chart, random = random_chart(seed)
        pictures.append(painter.draw(chart, random))
        charts.append(chart)
    return np.stack(pictures), charts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--shards", required=True, help="FIRST:END[:STEP], 500 charts each")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for shard in range(*map(int, arguments.shards.split(":"))):
        file = arguments.out / f"{shard:04d}.json"
        if file.exists():
            continue
        first = FIRST_TRAINING_SEED + shard * SHARD
        pictures, charts = draw(range(first, first + SHARD))
        np.save(file.with_suffix(".npy"), pictures)
        part = file.with_suffix(".part")  # the json file says that the shard is whole
        part.write_text(json.dumps([dataclasses.asdict(chart) for chart in charts]))
        part.rename(file)


if __name__ == "__main__":
    main()
