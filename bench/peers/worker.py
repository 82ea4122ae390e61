#!/usr/bin/env python3
"""Another engine behind the protocol of `vernier bench --lockstep`.

After warm-up, each line on stdin asks for one inference; the answer is one line with its
milliseconds. The end of stdin ends the worker. A first line `ready ENGINE VERSION` on stderr says
what runs.
"""
import argparse
import os

from engines import ENGINES, make
from models import MODELS
from turns import answer_turns


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="openvino")
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--cache", default="build/bench/peers")
    arguments = parser.parse_args()
    call, version = make(
        arguments.engine,
        arguments.model,
        arguments.batch,
        arguments.dtype,
        arguments.threads,
        arguments.cache,
    )
    answer_turns(call, version, arguments.warmup)


if __name__ == "__main__":
    main()
