#!/usr/bin/env python3
"""Compare the labels of two runs over the same pictures, and both with the truth.

usage: compare_labels.py TRUTH.csv FIRST.json SECOND.json

TRUTH.csv has the columns file and name; the JSON files are those of `vernier run --json`. Pictures
are matched by the end of their path.
"""
import csv
import json
import sys
from pathlib import Path


def read_truth(path: Path) -> dict[str, str]:
    with path.open(newline="") as file:
        return {row["file"]: row["name"] for row in csv.DictReader(file)}


def read_run(path: Path, truth: dict[str, str]) -> dict[str, dict[str, float]]:
    """For each picture, its labels with their probabilities, the most probable first."""
    run = {}
    for result in json.loads(path.read_text())["results"]:
        name = next((file for file in truth if result["image"].endswith(file)), None)
        if name is None:
            sys.exit(f"{path}: {result['image']} is not among the pictures in the truth")
        run[name] = {entry["label"]: entry["probability"] for entry in result["labels"]}
    return run


def best(labels: dict[str, float]) -> str:
    return next(iter(labels))


def main() -> None:
    truth = read_truth(Path(sys.argv[1]))
    first, second = (read_run(Path(name), truth) for name in sys.argv[2:4])
    if first.keys() != second.keys():
        sys.exit("the two runs are over different pictures")
    for path, run in zip(sys.argv[2:4], (first, second)):
        right = sum(best(labels) == truth[file] for file, labels in run.items())
        print(f"{Path(path).stem:>5}: {right} of {len(run)} right ({100 * right / len(run):.2f} %)")
    agree = sum(best(first[file]) == best(second[file]) for file in first)
    widest = max(abs(probability - second[file].get(label, 0))
                 for file, labels in first.items() for label, probability in labels.items())
    print(f"same label in {agree} of {len(first)}; "
          f"largest difference of a probability {widest:.4f}")


if __name__ == "__main__":
    main()
