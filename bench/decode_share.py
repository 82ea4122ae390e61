#!/usr/bin/env python3
"""How near decoding comes to what this machine's memory allows.

A further token reads every weight of the decoder once. A round measures how long a token takes
and, in the same process right after it, how fast memory is read; their quotient is the share that
is reached. Where memory is shared its speed changes within seconds: the rounds' median counts, and
their range says how much it changed.

    python bench/decode_share.py --model build/bench/paddleocr_vl_0_9b --dtype bf16 int8
"""
import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from checkpoint import count_weights

ROOT = Path(__file__).resolve().parent.parent
BYTES_PER_WEIGHT = {"f32": 4, "bf16": 2, "int8": 1}
DECODER = ("model.layers.", "model.norm.", "lm_head.")
PATCHES = 784


def measure(arguments, dtype):
    """(milliseconds to the first token, milliseconds a further token, GB/s of a plain read)."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [arguments.vernier, "bench", "--model", arguments.model, "--dtype", dtype]
        command += ["--batch", "1", "--patches", str(PATCHES), "--threads", str(arguments.threads)]
        command += ["--new-tokens", str(arguments.new_tokens), "--runs", "1"]
        command += ["--warmup", "1", "--min-time", "0", "--profile", "--json", result]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        run = json.loads(result.read_text())["runs"][0]
    timing, peaks = run["generation"], run["profile"]["peaks"]
    first, further = timing["first_token"], timing["inter_token"]
    return first["median_ms"], further["median_ms"], peaks["gb_per_s"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vernier", type=Path, default=ROOT / "build/release/bin/vernier")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dtype", nargs="+", choices=BYTES_PER_WEIGHT, default=["bf16", "int8"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--new-tokens", type=int, default=33)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()

    weights = count_weights(arguments.model, DECODER)
    print("| dtype | first token ms | ms a further token | GB/s | memory GB/s | share | range |")
    print("|---|---|---|---|---|---|---|")
    for dtype in arguments.dtype:
        rounds = [measure(arguments, dtype) for _ in range(arguments.rounds)]
        reached = [weights * BYTES_PER_WEIGHT[dtype] / token_ms / 1e6 for _, token_ms, _ in rounds]
        shares = [gb / memory for gb, (_, _, memory) in zip(reached, rounds)]
        first_ms, token_ms, memory = (statistics.median(column) for column in zip(*rounds))
        print(
            f"| {dtype} | {first_ms:.0f} | {token_ms:.2f} | {statistics.median(reached):.1f} "
            f"| {memory:.1f} | {statistics.median(shares):.0%} "
            f"| {min(shares):.0%} to {max(shares):.0%} |"
        )


if __name__ == "__main__":
    main()
