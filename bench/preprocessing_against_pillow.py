#!/usr/bin/env python3
"""BlendMask's preprocessing against Pillow and NumPy: same picture, same result, turn about.

    VENV/bin/python bench/preprocessing_against_pillow.py BUILD/bin PICTURE… [--rounds N]

VENV holds Pillow 13 and NumPy; BUILD is configured with -DVERNIER_BENCHMARKS=ON and has the targets
vernier_command and blendmask_bench. Both sides decode, resize (shorter side 800, longer at most
1333), put channels in order, normalise and pad. That both make the same bytes is checked first.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

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


def check_same_bytes(vernier, model, path, folder):
    """Ends the script where what the network gets differs in one bit."""
    dump = Path(folder) / Path(path).stem
    words = ["run", "--model", model, "--image", path, "--dump", dump, "--dump-filter", "input"]
    subprocess.run([vernier, *words], check=True, capture_output=True)
    if not np.array_equal(np.load(dump / "input.npy"), prepared(path)):
        raise SystemExit(f"{path}: vernier and Pillow make different inputs")


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


def compare(program, path, rounds):
    sides = [lambda: milliseconds_of_vernier(program, path), lambda: milliseconds_of_python(path)]
    samples = {}
    for turn in range(rounds):
        for side in sides if turn % 2 == 0 else reversed(sides):
            for key, value in side().items():
                samples.setdefault(key, []).append(value)
    with Image.open(path) as picture:
        print(f"{Path(path).name}, {picture.width}x{picture.height}: same bytes on both sides")
    for key, values in samples.items():
        print(
            f"{key:20} {statistics.median(values):8.2f} ms  "
            f"({min(values):.2f} to {max(values):.2f}, {len(values)} runs)"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, help="folder of vernier and blendmask_bench")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    config = Path(__file__).resolve().parent / "configs/blendmask_r50_1x"
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        vernier = arguments.build / "vernier"
        subprocess.run(
            [vernier, "inspect", "--make-random", config, model], check=True, capture_output=True
        )
        for path in arguments.pictures:
            check_same_bytes(vernier, model, path, folder)
    for path in arguments.pictures:
        compare(arguments.build / "blendmask_bench", path, arguments.rounds)


if __name__ == "__main__":
    main()
