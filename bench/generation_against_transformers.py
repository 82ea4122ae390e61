#!/usr/bin/env python3
"""How much faster does vernier answer about a picture than transformers? One alternating run.

Pix2Struct of base size, random weights, 2048 patches: milliseconds from patches to the first token
and to whole answers, both sides in turns as in against_peers.py, and from the two the time of a
further token.

    python bench/generation_against_transformers.py --peer-python VENV/bin/python --json out.json
"""
import argparse
import json
import statistics
from pathlib import Path

from against_peers import HERE, ROOT, Worker, random_checkpoint, summarise
from machine import describe_machine

MODEL = "pix2struct_base"


def measure(arguments, dtype, new_tokens):
    """Milliseconds of both sides for one length of answer, taken in turns."""
    common = ["--dtype", dtype, "--threads", arguments.threads, "--patches", arguments.patches]
    common += ["--new-tokens", new_tokens]
    checkpoint = random_checkpoint(arguments.vernier, MODEL, arguments.cache)
    ours = Worker(
        "vernier", [arguments.vernier, "bench", "--model", checkpoint, *common, "--lockstep"]
    )
    theirs = Worker(
        "transformers",
        [arguments.peer_python, HERE / "peers" / "generation_worker.py", *common],
    )
    samples = {"vernier": [], "transformers": []}
    try:
        for turn in range(arguments.rounds):
            for worker in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
                samples[worker.name].append(worker.infer())
    finally:
        ours.close()
        theirs.close()
    return samples


def per_token_ms(first, whole, new_tokens):
    return (statistics.median(whole) - statistics.median(first)) / (new_tokens - 1)


def compare(arguments, dtype):
    first = measure(arguments, dtype, 1)
    rows = []
    for new_tokens in arguments.new_tokens:
        whole = measure(arguments, dtype, new_tokens)
        row = {"dtype": dtype, "new_tokens": new_tokens, "rounds": arguments.rounds}
        for side in ("vernier", "transformers"):
            row[side] = {
                "first_token": summarise(first[side]),
                "whole": summarise(whole[side]),
                "per_token_ms": round(per_token_ms(first[side], whole[side], new_tokens), 3),
            }
        row["ratio_whole"] = round(
            statistics.median(whole["transformers"]) / statistics.median(whole["vernier"]), 3
        )
        row["ratio_per_token"] = round(
            row["transformers"]["per_token_ms"] / row["vernier"]["per_token_ms"], 3
        )
        rows.append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--vernier", type=Path, default=ROOT / "build/release/bin/vernier")
    parser.add_argument("--cache", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--dtype", nargs="+", choices=("f32", "bf16"), default=["bf16", "f32"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--patches", type=int, default=2048)
    parser.add_argument("--new-tokens", nargs="+", type=int, default=[12, 94])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = [row for dtype in arguments.dtype for row in compare(arguments, dtype)]
    if arguments.json:
        result = {"machine": describe_machine(), "runs": rows}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    print("| dtype | tokens | vernier ms | transformers ms | ratio | ms a token | ratio |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        mine, other = row["vernier"], row["transformers"]
        print(
            f"| {row['dtype']} | {row['new_tokens']} | {mine['whole']['median_ms']} "
            f"| {other['whole']['median_ms']} | {row['ratio_whole']} "
            f"| {mine['per_token_ms']} against {other['per_token_ms']} | {row['ratio_per_token']} |"
        )


if __name__ == "__main__":
    main()
