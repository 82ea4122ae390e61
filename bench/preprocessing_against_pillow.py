#!/usr/bin/env python3
"""BlendMask's preprocessing against Pillow and NumPy: same picture, same result, turn about.

    VENV/bin/python bench/preprocessing_against_pillow.py BUILD/bin/blendmask_bench PICTURE [--rounds N]

VENV holds Pillow 13 and NumPy; the program is built with -DVERNIER_BENCHMARKS=ON. Both sides decode,
resize (shorter side 800, longer at most 1333), put channels in order, normalise and pad.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import numpy as np
from PIL import Image, ImageOps

MEAN = np.array([103.53, 116.28, 123.675], np.float32)


def size_of(height, width, shortest=800, longest=1333):
    scale = shortest / min(height, width)
    new = (shortest, scale * width) if height < width else (scale * height, shortest)
    if max(new) > longest:
        new = tuple(side * longest / max(new) for side in new)
    return tuple(int(side + 0.5) for side in new)


def prepared(path):
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    height, width = size_of(picture.height, picture.width)
    resized = np.asarray(picture.resize((width, height), Image.BILINEAR))
    values = (resized[:, :, ::-1].astype(np.float32) - MEAN).transpose(2, 0, 1)
    batch = np.zeros((1, 3, -(-height // 32) * 32, -(-width // 32) * 32), np.float32)
    batch[0, :, :height, :width] = values
    return batch


def milliseconds_of_python(path, repeats=10):
    prepared(path)
    start = time.perf_counter()
    for _ in range(repeats):
        prepared(path)
    return {"Pillow and NumPy": (time.perf_counter() - start) / repeats * 1e3}


def milliseconds_of_vernier(program, path):
    report = json.loads(
        subprocess.check_output(
            [program, "--benchmark_filter=BM_Preprocess", "--benchmark_format=json"],
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, VERNIER_BENCH_PICTURE=path),
        )
    )
    return {
        f"vernier, {row['name'].split('/')[1]} threads": row["real_time"]
        for row in report["benchmarks"]
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("picture")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    sides = [
        lambda: milliseconds_of_vernier(arguments.program, arguments.picture),
        lambda: milliseconds_of_python(arguments.picture),
    ]
    samples = {}
    for turn in range(arguments.rounds):
        for side in sides if turn % 2 == 0 else reversed(sides):
            for key, value in side().items():
                samples.setdefault(key, []).append(value)
    for key, values in samples.items():
        print(
            f"{key:20} {statistics.median(values):8.2f} ms  "
            f"({min(values):.2f} to {max(values):.2f}, {len(values)} runs)"
        )


if __name__ == "__main__":
    main()
