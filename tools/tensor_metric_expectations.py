#!/usr/bin/env python3
"""Writes tests/data/metrics/tensor_metrics.json: pairs of arrays and their figures by numpy in float64,
with the formulas of docs/reference/compare-json.md and of Ascend's msaccucmp.

usage: tensor_metric_expectations.py [OUTPUT]
needs: pip install numpy
"""
import json
import sys
from pathlib import Path

import numpy as np

F32_EPS = float(np.finfo(np.float32).eps)
EPS = float(np.finfo(np.float64).eps)


def divergence(x, r):
    def distribution(a):
        span = a.max() - a.min()
        part = np.maximum((a - a.min()) / span if span > 0 else a, F32_EPS)
        return part / part.sum()

    p, q = distribution(x), distribution(r)
    return float((p * np.log(p / q)).sum())


def figures(x32, r32, atol, rtol):
    x, r = x32.astype(np.float64), r32.astype(np.float64)
    d = np.abs(x - r)
    size = np.abs(r)
    relative = np.where(size > EPS, np.abs(x / np.where(size > EPS, r, 1) - 1), 0)
    return {
        "max_abs": d.max(),
        "max_abs_at": int(d.argmax()),
        "mean_abs": d.mean(),
        "max_rel": relative.max(),
        "mean_rel": relative.mean(),
        "sum_rel": relative.sum(),
        "mre": (d / (size + 1e-3)).mean(),
        "cosine": x @ r / (np.linalg.norm(x) * np.linalg.norm(r)),
        "mse": (d * d).mean(),
        "rmse": np.sqrt((d * d).mean()),
        "rel_euclidean": np.linalg.norm(d) / np.linalg.norm(r),
        "kl": divergence(x, r),
        "psnr_db": 10 * np.log10((r.max() - r.min()) ** 2 / (d * d).mean()),
        "within": (d <= atol + rtol * size).mean(),
        "needed_atol": max((d - rtol * size).max(), 0),
        "candidate_mean": x.mean(),
        "candidate_std": x.std(),
        "reference_mean": r.mean(),
        "reference_std": r.std(),
    }


def cases():
    random = np.random.default_rng(20)
    base = random.standard_normal(200).astype(np.float32)
    yield "small noise", base + random.normal(0, 1e-3, 200).astype(np.float32), base
    yield "far apart", random.standard_normal(200).astype(np.float32), base
    zeros = base.copy()
    zeros[::7] = 0
    yield "zeros in the reference", zeros + np.float32(1e-2), zeros
    yield "large and small", base * np.float32(1.01e6), base * np.float32(1e6)
    yield "tiny", base * np.float32(1.5e-20), base * np.float32(1e-20)
    yield "offset", base + np.float32(100), base + np.float32(100.5)


def main():
    atol, rtol = 1e-5, 1e-3
    out = [
        {
            "name": name,
            "candidate": [float(v) for v in x],
            "reference": [float(v) for v in r],
            "figures": {k: float(v) for k, v in figures(x, r, atol, rtol).items()},
        }
        for name, x, r in cases()
    ]
    default = Path(__file__).parent.parent / "tests/data/metrics/tensor_metrics.json"
    with open(sys.argv[1] if len(sys.argv) > 1 else default, "w") as file:
        json.dump({"atol": atol, "rtol": rtol, "cases": out}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
