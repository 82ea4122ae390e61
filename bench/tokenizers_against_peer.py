#!/usr/bin/env python3
"""Encoding against the `tokenizers` library: same files, same lines, one thread, turn about.

    VENV/bin/python bench/tokenizers_against_peer.py BUILD/bin/tokenizer_bench [--rounds N]

VENV holds `tokenizers`; the program is built with -DVERNIER_BENCHMARKS=ON. The library keeps the ids
of words that it has seen: `first` is a pass with nothing kept yet, `again` one over the same lines.
vernier keeps nothing. Its Python calls are part of the library's figures (about 1 µs a line).
"""
import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer  # noqa: E402  (reads the environment)

CORPUS = Path(__file__).resolve().parent.parent / "tests/data/tokenizers/corpus"


def seconds_of_vernier(program, name):
    report = json.loads(subprocess.check_output(
        [program, f"--benchmark_filter=^BM_Encode/{name}$", "--benchmark_format=json",
         "--benchmark_min_time=0.5"], stderr=subprocess.DEVNULL))
    return {"vernier": report["benchmarks"][0]["real_time"] / 1e3}


def seconds_of_library(name, lines):
    tokenizer = Tokenizer.from_file(str(CORPUS / name / "tokenizer.json"))
    seconds = {}
    for key in ("tokenizers, first", "tokenizers, again"):
        start = time.perf_counter()
        for line in lines:
            tokenizer.encode(line)
        seconds[key] = time.perf_counter() - start
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    text = (CORPUS / "corpus.txt").read_bytes()
    lines = text.decode().split("\n")[:-1]
    for name in ("unigram", "bpe"):
        sides = [lambda: seconds_of_vernier(arguments.program, name),
                 lambda: seconds_of_library(name, lines)]
        samples = {}
        for turn in range(arguments.rounds):
            for side in sides if turn % 2 == 0 else reversed(sides):
                for key, seconds in side().items():
                    samples.setdefault(key, []).append(seconds)
        for key, values in samples.items():
            speeds = sorted(len(text) / 1e6 / value for value in values)
            print(f"{name:8} {key:18} {statistics.median(speeds):7.2f} MB/s  "
                  f"({speeds[0]:.2f} to {speeds[-1]:.2f}, {len(values)} runs)")


if __name__ == "__main__":
    main()
