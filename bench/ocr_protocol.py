#!/usr/bin/env python3
"""PaddleOCR-VL's published protocol at full size: settings against `ref` on pages, as a table.

Seeded random weights of the published sizes, pages of ocr_pages.py, prompt and teacher-forced answer;
MRE (epsilon 1e-3), best token and cosine of the logits, judged by `compare --preset paddleocr_vl`.
Numerics alone: random weights read nothing. Needs Pillow and NumPy.

    VENV/bin/python bench/ocr_protocol.py --json build/bench/ocr_protocol.json
    VENV/bin/python bench/ocr_protocol.py --reference device=cpu --settings dtype=bf16 dtype=int8
    VENV/bin/python bench/ocr_protocol.py --model DIR --settings dtype=bf16 page.png
"""

import argparse
import json
import math
import os
import subprocess
from pathlib import Path

from against_peers import ROOT, output_file, random_checkpoint
from ocr_pages import write_pages
from peers.llama_files import PHRASES, SPECIALS

MODEL = "paddleocr_vl_0_9b"
SETTINGS = ["dtype=f32", "dtype=bf16", "dtype=int8"]
PUBLISHED = "published NPU port, its own weights and pages"


def write_tokenizer(folder):
    """Bytes, and the specials and phrases of a prompt at ids of the published range."""
    vocabulary = {"<unk>": 0, "<s>": 1, "</s>": 2}
    vocabulary.update({f"<0x{byte:02X}>": 3 + byte for byte in range(256)})
    vocabulary.update({text: index for index, text in (SPECIALS | PHRASES).items()})
    added = [
        {"id": index, "content": content, "special": special, "normalized": False}
        | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
        for table, special in ((SPECIALS, True), (PHRASES, False))
        for index, content in table.items()
    ]
    model = {"type": "BPE", "vocab": vocabulary, "merges": [], "byte_fallback": True}
    model |= {"unk_token": "<unk>", "fuse_unk": False}
    blank = "\u2581"
    tokenizer = {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": blank},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": blank}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": model,
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "chat_template.jinja").write_text(r'{{ "Assistant:\n" }}')


def compare(arguments, model, setting, page):
    """What one comparison says of the logits, row by row of prompt and answer."""
    command = [arguments.vernier, "compare", arguments.reference, f"device=cpu,{setting}"]
    command += ["--model", model, "--image", page, "--preset", "paddleocr_vl"]
    command += ["--filter", "lm_head", "--max-new-tokens", arguments.max_new_tokens]
    command += ["--same-kernels", "--threads", arguments.threads, "--json", "-"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(done.stderr or f"vernier ended with {done.returncode}") from None
    (logits,) = (tensor for tensor in found["tensors"] if tensor["name"] == "lm_head")
    figures, rows = logits["accumulated"], logits["rows"]
    return {
        "setting": setting,
        "page": page.stem,
        "rows": rows["rows"],
        "same_best": round(rows["top1"] * rows["rows"]),
        "ties": rows["tie_like_flips"],
        "mre": figures["mre"],
        "rel_euclidean": figures["rel_euclidean"],
        "cosine": figures["cosine"],
        "least_cosine_of_a_row": rows["min_cosine"],
        "reference_std": figures["reference_std"],
        "verdict": found["verdict"]["outcome"],
    }


def sums(runs, setting):
    """One line of the table: rows of all pages together, the worst page of the others."""
    mine = [run for run in runs if run["setting"] == setting]
    rows, same = (sum(run[key] for run in mine) for key in ("rows", "same_best"))
    return {
        "setting": setting,
        "pages": len(mine),
        "rows": rows,
        "same_best": same,
        "ties": sum(run["ties"] for run in mine),
        "mre_mean": math.fsum(run["mre"] * run["rows"] for run in mine) / rows,
        "mre_worst": max(run["mre"] for run in mine),
        "rel_euclidean_worst": max(run["rel_euclidean"] for run in mine),
        "cosine_worst": min(run["cosine"] for run in mine),
    }


def print_table(lines):
    print("| setting | MRE, all pages | worst page | same best token | flips that are ties", end="")
    print(" | cosine, worst page | error / norm, worst page |")
    print("|---|---|---|---|---|---|---|")
    for line in lines:
        share = 100 * line["same_best"] / line["rows"]
        print(
            f"| {line['setting']} | {100 * line['mre_mean']:.3g} % | {100 * line['mre_worst']:.3g} % "
            f"| {line['same_best']} of {line['rows']} ({share:.2f} %) "
            f"| {line['ties']} of {line['rows'] - line['same_best']} "
            f"| {line['cosine_worst']:.7f} | {line['rel_euclidean_worst']:.2e} |"
        )
    print(f"| {PUBLISHED} | 0.6408 % | | 418 of 420 (99.52 %) | | 0.999919 | |")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", type=Path, help="pictures instead of the drawn ones")
    parser.add_argument("--vernier", type=Path, default=ROOT / "build/release/bin/vernier")
    parser.add_argument("--model", type=Path, help="a checkpoint; random weights are drawn without")
    parser.add_argument("--reference", default="device=ref", help="a setting")
    parser.add_argument("--settings", nargs="+", default=SETTINGS)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--max-new-tokens", type=int, default=17, help="of the answers")
    parser.add_argument("--cache", type=Path, default=ROOT / "build/bench")
    parser.add_argument("--json", type=output_file)
    arguments = parser.parse_args()
    model = arguments.model
    if model is None:
        model = random_checkpoint(arguments.vernier, MODEL, arguments.cache)
        write_tokenizer(model)
    pages = arguments.pages or write_pages(arguments.cache / "pages")
    runs = []
    for page in pages:
        for setting in arguments.settings:
            runs.append(compare(arguments, model, setting, page))
            print(json.dumps(runs[-1]), flush=True)
            if arguments.json:
                arguments.json.write_text(json.dumps(runs, indent=1) + "\n")
    print_table([sums(runs, setting) for setting in arguments.settings])


if __name__ == "__main__":
    main()
