"""The peers' side of an alternating run: one call for each line of standard input, its milliseconds as
the answer, so that two programs never work at the same time."""
import sys
import time


def answer_turns(call, version, warmup):
    for _ in range(warmup):
        call()
    print(f"ready {version}", file=sys.stderr, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        call()
        print(f"{(time.perf_counter() - start) * 1e3:.3f}", flush=True)
