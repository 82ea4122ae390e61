#!/usr/bin/env python3
"""Is vernier faster than another engine? One alternating run, with a confidence interval.

Both sides are long-lived processes with loaded models and the same threads. They take turns in
short blocks, in the order AB BA AB …, so that whatever else the machine does hits both alike;
while one works the other sleeps on its stdin. The ratio is the other engine's time divided by
vernier's: above 1 means that vernier is faster.

BlendMask's network computes masks' attention at every location on both sides. A third side, in the
same turns, is vernier leaving that to the detections' places, as it does outside of measurements.

    python bench/against_peers.py --peer-python VENV/bin/python --threads 2 --json out.json

This script needs Python 3.9 and nothing else; the other engines live in VENV, which
bench/peers/README.md says how to make.
"""
import argparse
import contextlib
import itertools
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
BLENDMASKS = ("blendmask_r50_1x", "blendmask_lite_gn", "blendmask_lite_bn")
MODELS = ("vit_base_patch16_224", "pe_lang_l14_448", "pix2struct_base", *BLENDMASKS)

# OpenMP and TBB threads go on spinning for some milliseconds after their work is done.
SETTLE_SECONDS = 0.03

# A turn is at most so long where --block does not say how many inferences it has.
TURN_SECONDS = 2
MOST_IN_TURN = 4


class Worker:
    """A process that answers each line on stdin with the milliseconds of one inference."""

    def __init__(self, name, command):
        self.name = name
        self.command = [str(word) for word in command]
        self.samples_ms = []
        try:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
            )
        except OSError as error:
            raise SystemExit(f"{name} cannot be started: {error}") from None

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
        # Of a process that has ended, what it was asked last is still to be sent.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def alternate(workers, block, seconds, least_rounds):
    """Rounds of one block of each worker, whose samples stand in the order of `workers`."""
    slowest_ms = max(worker.infer() for worker in workers)  # loaded and warm before the clock starts
    if block is None:
        block = max(1, min(MOST_IN_TURN, int(TURN_SECONDS * 1e3 / max(slowest_ms, 1e-3))))
    rounds = []
    stop = time.monotonic() + seconds
    while len(rounds) < least_rounds or time.monotonic() < stop:
        order = workers if len(rounds) % 2 == 0 else workers[::-1]
        measured = {}
        for worker in order:
            time.sleep(SETTLE_SECONDS)
            measured[worker.name] = worker.block(block)
        rounds.append(tuple(measured[worker.name] for worker in workers))
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


def output_file(text):
    """A flag's path of a file to write: its folder is made at once, not after hours of work."""
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(error) from None
    return path


def random_checkpoint(vernier, model, folder):
    """A full-size checkpoint with random weights, made on first use."""
    target = folder / model
    if not target.exists():
        config = HERE / "configs" / model
        folder.mkdir(parents=True, exist_ok=True)
        maker = [str(word) for word in (vernier, "inspect", "--make-random", config, target)]
        try:
            code = subprocess.run(maker).returncode
        except OSError as error:
            raise SystemExit(f"vernier cannot be started: {error}") from None
        if code != 0:
            raise SystemExit(f"vernier ended with code {code}: {shlex.join(maker)}")
    return target


def commands(arguments, model, dtype, batch):
    """What runs, by side: vernier, the other engine, and for BlendMask vernier's own way."""
    checkpoint = random_checkpoint(arguments.vernier, model, arguments.cache)
    common = ["--dtype", dtype, "--batch", batch, "--threads", arguments.threads]
    ours = [arguments.vernier, "bench", "--model", checkpoint, *common, "--lockstep"]
    ours += ["--new-tokens", 0]  # the peers hold encoders, so none is written
    theirs = [arguments.peer_python, HERE / "peers" / "worker.py"]
    theirs += ["--engine", arguments.engine, "--model", model, *common]
    theirs += ["--cache", arguments.cache / "peers"]
    if model not in BLENDMASKS:
        return {"vernier": ours, arguments.engine: theirs}
    ours += ["--size", 640]
    dense = [*ours, "--top-features", "dense"]
    return {"vernier": dense, arguments.engine: theirs, "vernier sparse": ours}


def ratio_with_interval(rounds):
    low, high = bootstrap_interval(rounds)
    return {
        "ratio": round(ratio_of_medians(rounds), 4),
        "ratio_low": round(low, 4),
        "ratio_high": round(high, 4),
    }


def compare(arguments, model, dtype, batch):
    sides = commands(arguments, model, dtype, batch)
    workers = [Worker(name, command) for name, command in sides.items()]
    try:
        rounds = alternate(workers, arguments.block, arguments.seconds, arguments.rounds)
    finally:
        for worker in workers:
            worker.close()
    run = {
        "model": model,
        "dtype": dtype,
        "batch": batch,
        "threads": arguments.threads,
        "rounds": len(rounds),
        "block": len(rounds[0][0]),
        **ratio_with_interval([(ours, theirs) for ours, theirs, *_ in rounds]),
        "commands": [shlex.join(worker.command) for worker in workers],
    }
    for index, worker in enumerate(workers):
        run[worker.name] = summarise([sample for sides in rounds for sample in sides[index]])
    if "vernier sparse" in run:
        run["sparse"] = ratio_with_interval([(sparse, theirs) for _, theirs, sparse in rounds])
    return run


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
    parser.add_argument("--batch", default="1", help="one or several, separated by commas")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--block", type=int, help="counted inferences in one turn (default: 1 to 4, by their time)"
    )
    parser.add_argument("--seconds", type=float, default=20, help="per comparison, loading aside")
    parser.add_argument("--rounds", type=int, default=6, help="at least so many, however long")
    parser.add_argument("--cache", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--json", type=output_file, help="write all samples and the machine there")
    parser.add_argument(
        "--at-least", type=float, help="end with 0 if every ratio is surely so high, 1 or 3 if not"
    )
    return parser.parse_args()


def row(run, engine):
    mine, other = run["vernier"]["median_ms"], run[engine]["median_ms"]
    sparse = ("", "")
    if "sparse" in run:
        ratio = run["sparse"]
        interval = f"{ratio['ratio']:.3f} ({ratio['ratio_low']:.3f} … {ratio['ratio_high']:.3f})"
        sparse = (f"{run['vernier sparse']['median_ms']:.1f}", interval)
    return (
        f"| {run['model']} | {run['dtype']} | {run['batch']} | {mine:.1f} | {other:.1f} "
        f"| {run['ratio']:.3f} | {run['ratio_low']:.3f} … {run['ratio_high']:.3f} | {run['rounds']} "
        f"| {sparse[0]} | {sparse[1]} |"
    )


def write_report(arguments, runs):
    report = {"machine": describe_machine(), "engine": arguments.engine, "runs": runs}
    unfinished = arguments.json.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(report, indent=1))
    unfinished.replace(arguments.json)


def main():
    arguments = parse_arguments()
    runs = []
    print(
        "| model | dtype | batch | vernier ms | peer ms | peer / vernier | 95 % interval | rounds "
        "| sparse ms | peer / sparse |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    models, dtypes = arguments.models.split(","), arguments.dtypes.split(",")
    batches = [int(batch) for batch in arguments.batch.split(",")]
    for model, dtype, batch in itertools.product(models, dtypes, batches):
        run = compare(arguments, model, dtype, batch)
        runs.append(run)
        print(row(run, arguments.engine), flush=True)
        if arguments.json:
            write_report(arguments, runs)
    if arguments.at_least is not None:
        raise SystemExit(verdict(runs, arguments.at_least))


if __name__ == "__main__":
    main()
