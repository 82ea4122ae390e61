#!/usr/bin/env python3
"""Trains the small PaddleOCR-VL that the repository ships, on lines of text that it draws.

Writes its state to a folder every few minutes; started again, it goes on from there. The schedule
ends by the clock, so that a shared machine gives the best it can until then. Nothing here is
needed to build, run or test vernier. publish_lines_paddleocr_vl.py makes the checkpoint.

    python tools/train/train_lines_paddleocr_vl.py --state STATE --minutes 80
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from line_batches import LineBatches, by_width
from line_model import (
    NONE,
    GuideHeads,
    check_against_the_module,
    decode,
    make_model,
    patches,
    project,
    read,
    see,
)
from line_tokenizer import LETTERS, READABLE
from lines import LONGEST, random_line
from torch.nn import functional

VALIDATION_SEED, VALIDATION_LINES = 900_000, 120
POINTED_LAYERS = (1, 2)  # of the decoder: where a head is told where to look
TEXT_EVERY, TEXT_FROM = 3, 0.4  # steps, until this share of the time: seeing takes longer to learn
FLOOR = -12.0  # of a log share: what a head that looks elsewhere altogether costs


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=80, help="of training, all runs together")
    parser.add_argument("--patches", type=int, default=1280, help="in a batch")
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--f32", action="store_true", help="no bfloat16 in the matrix products")
    return parser.parse_args()


def rate(step, progress, arguments):
    """Up for 200 steps, even, and down to nothing over the last third of the time."""
    return arguments.learning_rate * min((step + 1) / 200, 1.0, max(0.0, 1 - progress) * 3)


def longest_line(progress):
    """Short lines first: from 6 characters to all within a quarter of the time."""
    return min(LONGEST, 6 + int((LONGEST - 6) * progress * 4))


def make_optimizer(modules, arguments):
    weights = [weight for module in modules for weight in module.parameters()]
    groups = [
        {"params": [weight for weight in weights if weight.dim() > 1], "weight_decay": 0.02},
        {"params": [weight for weight in weights if weight.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=arguments.learning_rate, betas=(0.9, 0.98), fused=True)


def losses(model, guides, batch, with_text):
    """Of what stands where, for three places, and with_text of the texts and of where they are
    looked for."""
    middle, seen = see(model, patches(batch["pictures"]))
    image = project(model, seen)
    guided = guides(middle, seen, image, batch["frames"])
    if not with_text:
        return guided, []
    ids = batch["labels"][:, :-1].clamp(min=0)
    logits, looked = decode(model, image, ids, POINTED_LAYERS)
    text = functional.cross_entropy(
        logits.float().flatten(0, 1), batch["labels"].flatten(), ignore_index=NONE
    )
    row, at = batch["columns"].any(-1).nonzero(as_tuple=True)
    wanted = batch["columns"][row, at].repeat(1, 2)  # both rows of image tokens
    pointing = 0
    for shares in looked:
        found = shares[row, at].masked_fill(~wanted, -torch.inf).logsumexp(-1)
        pointing = pointing - found.clamp(min=FLOOR).mean() / len(looked)
    return guided, [text, pointing]


def edit_distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        above, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            above, row[j + 1] = row[j + 1], min(row[j] + 1, row[j + 1] + 1, above + (x != y))
    return row[-1]


def validate(model, lines):
    """Character errors in percent of all characters, and the lines that are right."""
    wrong = total = right = 0
    examples = []
    for batch in by_width(lines, 32):
        for ids, text in zip(read(model, batch["pictures"]).tolist(), batch["texts"]):
            found = "".join(LETTERS.get(index, "") for index in ids)
            wrong += edit_distance(found, text)
            total += len(text)
            right += found == text
            examples.append(f"{text!r} {found!r}")
    shown = "; ".join(examples[:: len(examples) // 3])
    return f"validation {100 * wrong / total:.2f} % characters wrong, {right} lines right: {shown}"


def save(state, modules, optimizer, step, spent):
    part = state.with_suffix(".part")
    torch.save(
        {
            "step": step,
            "seconds": spent,
            "modules": [module.state_dict() for module in modules],
            "optimizer": optimizer.state_dict(),
        },
        part,
    )
    part.rename(state)


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.state.mkdir(parents=True, exist_ok=True)
    model, guides = make_model(), GuideHeads()
    optimizer = make_optimizer([model, guides], arguments)
    state, first, before = arguments.state / "state.pt", 0, 0.0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        for module, values in zip([model, guides], kept["modules"]):
            module.load_state_dict(values)
        optimizer.load_state_dict(kept["optimizer"])
        first, before = kept["step"], kept["seconds"]

    random = np.random.default_rng(VALIDATION_SEED)
    lines = [random_line(random) for _ in range(VALIDATION_LINES)]
    ids = [READABLE[character] for character in lines[0].text]
    largest = check_against_the_module(model, lines[0].picture, ids)
    print(f"logits differ from the module's by at most {largest:.1e}", flush=True)
    if largest > 1e-3:
        raise SystemExit("the model would be trained for another forward pass than it is used with")

    batches = LineBatches(arguments.patches, arguments.seed + first)
    loader = iter(torch.utils.data.DataLoader(batches, None, num_workers=1, prefetch_factor=8))
    started = saved = time.monotonic()
    seen, recent, step = 0, {"text": [], "guides": []}, first
    while True:
        spent = before + time.monotonic() - started
        progress = spent / (60 * arguments.minutes)
        if progress >= 1:
            break
        batches.longest.value = longest_line(progress)
        for group in optimizer.param_groups:
            group["lr"] = rate(step, progress, arguments)
        batch = next(loader)
        with_text = progress > TEXT_FROM or step % TEXT_EVERY == 0
        with torch.autocast("cpu", torch.bfloat16, enabled=not arguments.f32):
            guided, texts = losses(model, guides, batch, with_text)
        fade = 1 - 0.8 * progress
        loss = fade * sum(sum(parts) for parts in guided) / len(guided)
        if with_text:
            text, pointing = texts
            loss = loss + text + 0.5 * fade * pointing
            recent["text"].append([part.item() for part in texts])
        recent["guides"].append([part.item() for parts in guided for part in parts])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*model.parameters(), *guides.parameters()], 1.0)
        optimizer.step()
        step += 1
        seen += len(batch["texts"])
        if step % 100 == 0:
            shown = "  ".join(
                name + "".join(f" {value:.3f}" for value in torch.tensor(rows).mean(0).tolist())
                for name, rows in recent.items()
            )
            speed = seen / (time.monotonic() - started)
            print(f"{step:6d} {100 * progress:4.1f} %  {shown}  {speed:.0f}/s", flush=True)
            recent = {"text": [], "guides": []}
        if step % 1000 == 0:
            print(validate(model, lines), flush=True)
        if time.monotonic() - saved > 150:
            save(state, [model, guides], optimizer, step, spent)
            saved = time.monotonic()
    save(state, [model, guides], optimizer, step, 60 * arguments.minutes)
    print(validate(model, lines), flush=True)


if __name__ == "__main__":
    main()
