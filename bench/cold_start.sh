#!/usr/bin/env bash
# Wall time from process start to the first result, with the checkpoint in the page cache.
#
# usage: bench/cold_start.sh [CHECKPOINT] [IMAGE] [RUNS] [DTYPE]
# default: full-size ViT-B/16 with random weights (made on first use), a photograph, 10 runs, f32
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
vernier=${VERNIER:-$root/build/release/bin/vernier}
checkpoint=${1:-$root/build/bench/vit_base_patch16_224}
image=${2:-$root/examples/photos/cat.jpg}
runs=${3:-10}
dtype=${4:-f32}

if [ ! -d "$checkpoint" ]; then
  mkdir -p "$(dirname "$checkpoint")"
  "$vernier" inspect --make-random "$root/bench/configs/vit_base_patch16_224/config.json" "$checkpoint"
fi

run_once() {
  "$vernier" run --model "$checkpoint" --image "$image" --dtype "$dtype"
}

find "$checkpoint" -type f -exec cat {} + >/dev/null # into the page cache
run_once >/dev/null # not counted: loads the program from disk, and shows what goes wrong

milliseconds=()
for ((run = 0; run < runs; ++run)); do
  start=$(date +%s%N)
  run_once >/dev/null 2>&1
  milliseconds+=($((($(date +%s%N) - start) / 1000000)))
done
printf '%s\n' "${milliseconds[@]}" | sort -n | awk -v dtype="$dtype" '
  { ms[NR] = $1 }
  END {
    printf "process start to first result, %s, %d runs: min %d ms, median %d ms, max %d ms\n",
           dtype, NR, ms[1], ms[int((NR + 1) / 2)], ms[NR]
  }'
