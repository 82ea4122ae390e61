#!/usr/bin/env python3
"""How near decoding comes to what this machine's memory allows.

A further token reads every weight of the decoder once. After each run the same process measures
for 20 ms how fast memory is read; the quotient is the share that the run's tokens reached. Where
memory is shared its speed changes within seconds: the runs' median counts, and their range says how
much it changed.

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
    """Milliseconds to the first token; of each run, a further token's and memory's GB/s after it."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [arguments.vernier, "bench", "--model", arguments.model, "--dtype", dtype]
        command += ["--batch", "1", "--patches", str(PATCHES), "--threads", str(arguments.threads)]
        command += ["--new-tokens", str(arguments.new_tokens), "--runs", str(arguments.runs)]
        command += ["--warmup", "1", "--min-time", "0", "--profile", "--json", result]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        timing = json.loads(result.read_text())["runs"][0]["generation"]
    further, of_run = timing["inter_token_samples_ms"], arguments.new_tokens - 1
    runs = [further[at : at + of_run] for at in range(0, len(further), of_run)]
    tokens_ms = [statistics.median(run) for run in runs]
    return timing["first_token"]["median_ms"], tokens_ms, timing["memory_gb_per_s"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vernier", type=Path, default=ROOT / "build/release/bin/vernier")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dtype", nargs="+", choices=BYTES_PER_WEIGHT, default=["bf16", "int8"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--new-tokens", type=int, default=33)
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()

    weights = count_weights(arguments.model, DECODER)
    print("| dtype | first token ms | ms a further token | GB/s | memory GB/s | share | range |")
    print("|---|---|---|---|---|---|---|")
    for dtype in arguments.dtype:
        first_ms, tokens_ms, memory = measure(arguments, dtype)
        reached = [weights * BYTES_PER_WEIGHT[dtype] / token_ms / 1e6 for token_ms in tokens_ms]
        shares = [gb / beside for gb, beside in zip(reached, memory)]
        print(
            f"| {dtype} | {first_ms:.0f} | {statistics.median(tokens_ms):.2f} "
            f"| {statistics.median(reached):.1f} | {statistics.median(memory):.1f} "
            f"| {statistics.median(shares):.0%} | {min(shares):.0%} to {max(shares):.0%} |"
        )


if __name__ == "__main__":
    main()
