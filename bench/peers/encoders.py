#!/usr/bin/env python3
"""Times one other engine on one full-size encoder and prints one JSON line.

For orientation only: two such lines come from two runs, so their ratio means little on a machine
that others share. bench/against_peers.py measures ratios.
"""
import argparse
import json
import os
import resource
import statistics
import time

from engines import ENGINES, make
from models import MODELS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--cache", default="build/bench/peers", help="folder of exported models")
    arguments = parser.parse_args()

    call, version = make(
        arguments.engine,
        arguments.model,
        arguments.batch,
        arguments.dtype,
        arguments.threads,
        arguments.cache,
    )
    for _ in range(arguments.warmup):
        call()
    samples_ms = []
    for _ in range(arguments.runs):
        start = time.perf_counter()
        call()
        samples_ms.append((time.perf_counter() - start) * 1e3)
    report = {
        "model": arguments.model,
        "engine": version,
        "dtype": arguments.dtype,
        "batch": arguments.batch,
        "threads": arguments.threads,
        "runs": arguments.runs,
        "min_ms": round(min(samples_ms), 2),
        "median_ms": round(statistics.median(samples_ms), 2),
        "max_ms": round(max(samples_ms), 2),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
