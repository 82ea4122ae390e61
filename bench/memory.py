#!/usr/bin/env python3
"""Peak anonymous memory of vernier against the design's bound, for one checkpoint and dtype.

The bound: 1.3 x the weights in their compute dtype + the planned arena + 100 MB. Packed weights are
anonymous memory, so that the peak of `Anonymous` covers both; pages of the checkpoint's file are
shown apart, because the system may take them back at any time.

    python bench/memory.py --model build/bench/vit_base_patch16_224 --dtype bf16
"""
import argparse
import subprocess
import time
from pathlib import Path

from checkpoint import count_weights

ROOT = Path(__file__).resolve().parent.parent
BYTES_PER_WEIGHT = {"f32": 4, "bf16": 2}
MEGABYTE = 1e6


def memory_now(process_id):
    """(anonymous, file-backed) bytes in memory; None once the process is gone."""
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except FileNotFoundError:
        return None
    sizes = {line.split(":")[0]: line.split(":")[1] for line in lines}
    if "RssAnon" not in sizes:  # a process that has ended but was not yet waited for
        return None
    return tuple(int(sizes[key].split()[0]) * 1024 for key in ("RssAnon", "RssFile"))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vernier", type=Path, default=ROOT / "build/release/bin/vernier")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--dtype", choices=BYTES_PER_WEIGHT, default="f32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--inferences", type=int, default=5)
    parser.add_argument("--arena-bytes", type=int, default=0, help="of the plan; 0 is the hardest")
    arguments = parser.parse_args()

    command = [arguments.vernier, "bench", "--model", arguments.model, "--dtype", arguments.dtype]
    command += ["--batch", str(arguments.batch), "--lockstep"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    process.stdin.write("go\n" * arguments.inferences)
    process.stdin.close()
    peak_anonymous = peak_file = last_file = 0
    while (sizes := memory_now(process.pid)) is not None and process.poll() is None:
        anonymous, last_file = sizes
        peak_anonymous = max(peak_anonymous, anonymous)
        peak_file = max(peak_file, last_file)
        time.sleep(0.002)
    if process.wait() != 0:
        raise SystemExit(f"vernier ended with code {process.returncode}")

    weights = count_weights(arguments.model) * BYTES_PER_WEIGHT[arguments.dtype]
    bound = 1.3 * weights + arguments.arena_bytes + 100 * MEGABYTE
    print(f"weights in {arguments.dtype:5s}        {weights / MEGABYTE:9.1f} MB")
    print(f"peak anonymous          {peak_anonymous / MEGABYTE:9.1f} MB")
    print(f"bound                   {bound / MEGABYTE:9.1f} MB")
    print(f"file pages, peak / last {peak_file / MEGABYTE:9.1f} / {last_file / MEGABYTE:.1f} MB")
    raise SystemExit(0 if peak_anonymous <= bound else 1)


if __name__ == "__main__":
    main()
