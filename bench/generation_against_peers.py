#!/usr/bin/env python3
"""How much faster does vernier answer about a picture than its peers? One alternating run.

Full-size models with random weights: milliseconds from patches to the first token and to whole
answers, both sides in turns as in against_peers.py, and from the two the time of a further token.

    python bench/generation_against_peers.py --peer-python VENV/bin/python --json out.json
    python bench/generation_against_peers.py --model paddleocr_vl_0_9b --engine llama.cpp \\
        --llama-cpp LLAMA_CPP --dtype bf16 int8 --peer-python VENV/bin/python
"""

import argparse
import json
import statistics
from pathlib import Path

from against_peers import HERE, ROOT, Worker, output_file, random_checkpoint, summarise
from machine import describe_machine

PATCHES = {"pix2struct_base": 2048, "paddleocr_vl_0_9b": 784}  # of one picture
DTYPES = {"transformers": ("f32", "bf16"), "llama.cpp": ("f32", "bf16", "int8")}


def their_command(arguments, checkpoint, dtype, common):
    peers = HERE / "peers"
    if arguments.engine == "transformers":
        worker = [peers / "generation_worker.py", "--model", arguments.model, *common]
        return [arguments.peer_python, *worker]
    files = ["--checkpoint", checkpoint, "--llama-cpp", arguments.llama_cpp]
    return [arguments.peer_python, peers / "llama_worker.py", *files, *common]


def measure(arguments, dtype, new_tokens):
    """Milliseconds of both sides for one length of answer, taken in turns."""
    common = ["--dtype", dtype, "--threads", arguments.threads, "--patches", arguments.patches]
    common += ["--new-tokens", new_tokens]
    checkpoint = random_checkpoint(arguments.vernier, arguments.model, arguments.cache)
    ours = [arguments.vernier, "bench", "--model", checkpoint, *common, "--lockstep"]
    if arguments.precision_file:
        ours += ["--precision-file", arguments.precision_file]
    ours = Worker("vernier", ours)
    theirs = Worker(arguments.engine, their_command(arguments, checkpoint, dtype, common))
    samples = {"vernier": [], arguments.engine: []}
    try:
        for worker in (ours, theirs):
            worker.infer()  # loaded and warm before the clock starts
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
    ratio_first = statistics.median(first[arguments.engine]) / statistics.median(first["vernier"])
    rows = []
    for new_tokens in arguments.new_tokens:
        whole = measure(arguments, dtype, new_tokens)
        row = {"dtype": dtype, "new_tokens": new_tokens, "rounds": arguments.rounds}
        for side in ("vernier", arguments.engine):
            row[side] = {
                "first_token": summarise(first[side]),
                "whole": summarise(whole[side]),
                "per_token_ms": round(per_token_ms(first[side], whole[side], new_tokens), 3),
            }
        row["ratio_first_token"] = round(ratio_first, 3)
        row["ratio_whole"] = round(
            statistics.median(whole[arguments.engine]) / statistics.median(whole["vernier"]), 3
        )
        row["ratio_per_token"] = round(
            row[arguments.engine]["per_token_ms"] / row["vernier"]["per_token_ms"], 3
        )
        rows.append(row)
    return rows


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--model", choices=tuple(PATCHES), default="pix2struct_base")
    parser.add_argument("--engine", choices=tuple(DTYPES), default="transformers")
    parser.add_argument("--llama-cpp", type=Path, help="its sources, for their converter")
    parser.add_argument("--vernier", type=Path, default=ROOT / "build/release/bin/vernier")
    parser.add_argument("--cache", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--dtype", nargs="+", choices=("f32", "bf16", "int8"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--patches", type=int, help="of the picture")
    parser.add_argument("--new-tokens", nargs="+", type=int, default=[12, 94])
    parser.add_argument("--precision-file", type=Path, help="of vernier's side")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=output_file)
    arguments = parser.parse_args()
    arguments.patches = arguments.patches or PATCHES[arguments.model]
    arguments.dtype = arguments.dtype or ["bf16", "f32"]
    unknown = set(arguments.dtype) - set(DTYPES[arguments.engine])
    if unknown:
        parser.error(f"{arguments.engine} is not timed in {', '.join(sorted(unknown))}")
    if arguments.engine == "llama.cpp":
        if arguments.model != "paddleocr_vl_0_9b":
            parser.error(f"llama.cpp does not know {arguments.model}")
        if arguments.llama_cpp is None:
            parser.error("--engine llama.cpp needs --llama-cpp: bench/peers/README.md says which")
    return arguments


def main():
    arguments = parse_arguments()
    rows = [row for dtype in arguments.dtype for row in compare(arguments, dtype)]
    if arguments.json:
        result = {"machine": describe_machine(), "model": arguments.model, "runs": rows}
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    peer = arguments.engine
    print(
        f"| dtype | tokens | first token: vernier ms | {peer} ms | ratio "
        f"| whole: vernier ms | {peer} ms | ratio | ms a token | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        mine, other = row["vernier"], row[peer]
        print(
            f"| {row['dtype']} | {row['new_tokens']} "
            f"| {mine['first_token']['median_ms']} | {other['first_token']['median_ms']} "
            f"| {row['ratio_first_token']} "
            f"| {mine['whole']['median_ms']} | {other['whole']['median_ms']} "
            f"| {row['ratio_whole']} "
            f"| {mine['per_token_ms']} against {other['per_token_ms']} | {row['ratio_per_token']} |"
        )


if __name__ == "__main__":
    main()
