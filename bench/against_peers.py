#!/usr/bin/env python3
"""Is vernier faster than another engine? One alternating run, with a confidence interval.

Both sides are long-lived processes with loaded models and the same threads. They take turns in
short blocks, in the order AB BA AB …, so that whatever else the machine does hits both alike;
while one works the other sleeps on its stdin. The ratio is the other engine's time divided by
vernier's: above 1 means that vernier is faster.

    python bench/against_peers.py --peer-python VENV/bin/python --threads 2 --json out.json

This script needs Python 3.9 and nothing else; the other engines live in VENV, which
bench/peers/README.md says how to make.
"""
import argparse
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import describe_machine

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODELS = ("vit_base_patch16_224", "pe_lang_l14_448", "pix2struct_base")

# OpenMP and TBB threads go on spinning for some milliseconds after their work is done.
SETTLE_SECONDS = 0.03


class Worker:
    """A process that answers each line on stdin with the milliseconds of one inference."""

    def __init__(self, name, command):
        self.name = name
        self.command = [str(word) for word in command]
        self.samples_ms = []
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def infer(self):
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            code = self.process.wait()
            raise SystemExit(f"{self.name} ended with code {code}: {shlex.join(self.command)}")
        try:
            return float(answer)
        except ValueError:
            raise SystemExit(f"{self.name} answered {answer!r} instead of milliseconds") from None

    def block(self, count):
        """One inference that is not counted (it refills the caches), then `count` that are."""
        self.infer()
        return [self.infer() for _ in range(count)]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def alternate(ours, theirs, block, seconds, least_rounds):
    """Rounds of one block each; every round holds both sides' samples."""
    for worker in (ours, theirs):  # both are loaded and warm before the clock starts
        worker.infer()
    rounds = []
    stop = time.monotonic() + seconds
    while len(rounds) < least_rounds or time.monotonic() < stop:
        order = (ours, theirs) if len(rounds) % 2 == 0 else (theirs, ours)
        measured = {}
        for worker in order:
            time.sleep(SETTLE_SECONDS)
            measured[worker.name] = worker.block(block)
        rounds.append((measured[ours.name], measured[theirs.name]))
    return rounds


def ratio_of_medians(rounds):
    ours = statistics.median(sample for mine, _ in rounds for sample in mine)
    theirs = statistics.median(sample for _, other in rounds for sample in other)
    return theirs / ours


def bootstrap_interval(rounds, confidence=0.95, draws=2000, seed=1):
    """Percentile bootstrap over whole rounds: samples of one round are not independent."""
    generator = random.Random(seed)
    ratios = sorted(
        ratio_of_medians(generator.choices(rounds, k=len(rounds))) for _ in range(draws)
    )
    tail = (1 - confidence) / 2
    return ratios[int(tail * draws)], ratios[int((1 - tail) * draws) - 1]


def summarise(samples_ms):
    return {
        "min_ms": round(min(samples_ms), 3),
        "median_ms": round(statistics.median(samples_ms), 3),
        "mean_ms": round(statistics.fmean(samples_ms), 3),
        "std_ms": round(statistics.pstdev(samples_ms), 3),
        "samples_ms": samples_ms,
    }


def random_checkpoint(vernier, model, folder):
    """A full-size checkpoint with random weights, made on first use."""
    target = folder / model
    if not target.exists():
        config = HERE / "configs" / model / "config.json"
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([vernier, "inspect", "--make-random", config, target], check=True)
    return target


def compare(arguments, model, dtype):
    checkpoint = random_checkpoint(arguments.vernier, model, arguments.cache)
    common = ["--dtype", dtype, "--batch", arguments.batch, "--threads", arguments.threads]
    ours_command = [arguments.vernier, "bench", "--model", checkpoint, *common, "--lockstep"]
    ours_command += ["--new-tokens", 0]  # the peers hold encoders, so none is written
    theirs_command = [arguments.peer_python, HERE / "peers" / "worker.py"]
    theirs_command += ["--engine", arguments.engine, "--model", model, *common]
    theirs_command += ["--cache", arguments.cache / "peers"]
    ours = Worker("vernier", ours_command)
    theirs = Worker(arguments.engine, theirs_command)
    try:
        rounds = alternate(ours, theirs, arguments.block, arguments.seconds, arguments.rounds)
    finally:
        ours.close()
        theirs.close()
    low, high = bootstrap_interval(rounds)
    return {
        "model": model,
        "dtype": dtype,
        "batch": arguments.batch,
        "threads": arguments.threads,
        "rounds": len(rounds),
        "block": arguments.block,
        "vernier": summarise([sample for mine, _ in rounds for sample in mine]),
        arguments.engine: summarise([sample for _, other in rounds for sample in other]),
        "ratio": round(ratio_of_medians(rounds), 4),
        "ratio_low": round(low, 4),
        "ratio_high": round(high, 4),
        "commands": [shlex.join(ours.command), shlex.join(theirs.command)],
    }


def verdict(runs, at_least):
    """0: every interval lies above the bound; 1: one lies below; 3: undecided."""
    if any(run["ratio_high"] < at_least for run in runs):
        return 1
    return 0 if all(run["ratio_low"] >= at_least for run in runs) else 3


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vernier", type=Path, default=ROOT / "build/release/bin/vernier")
    parser.add_argument("--peer-python", default=sys.executable, help="Python that has the engine")
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--models", default=",".join(MODELS), help="names, separated by commas")
    parser.add_argument("--dtypes", default="f32,bf16")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--block", type=int, default=4, help="counted inferences in one turn")
    parser.add_argument("--seconds", type=float, default=20, help="per comparison, loading aside")
    parser.add_argument("--rounds", type=int, default=6, help="at least so many, however long")
    parser.add_argument("--cache", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--json", type=Path, help="write all samples and the machine there")
    parser.add_argument(
        "--at-least", type=float, help="end with 0 if every ratio is surely so high, 1 or 3 if not"
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    runs = []
    print("| model | dtype | vernier ms | peer ms | peer / vernier | 95 % interval | rounds |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for model in arguments.models.split(","):
        for dtype in arguments.dtypes.split(","):
            run = compare(arguments, model, dtype)
            runs.append(run)
            mine, other = run["vernier"]["median_ms"], run[arguments.engine]["median_ms"]
            print(
                f"| {model} | {dtype} | {mine:.1f} | {other:.1f} | {run['ratio']:.3f} "
                f"| {run['ratio_low']:.3f} … {run['ratio_high']:.3f} | {run['rounds']} |",
                flush=True,
            )
    if arguments.json:
        report = {"machine": describe_machine(), "engine": arguments.engine, "runs": runs}
        unfinished = arguments.json.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(report, indent=1))
        unfinished.replace(arguments.json)
    if arguments.at_least is not None:
        raise SystemExit(verdict(runs, arguments.at_least))


if __name__ == "__main__":
    main()
