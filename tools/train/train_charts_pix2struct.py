#!/usr/bin/env python3
"""Trains the small Pix2Struct that the repository ships, on synthetic charts.

Takes the charts that draw_pool.py drew (also while it draws on), asks each of them questions, and
writes its state to a folder every few minutes; started again, it goes on from there. Nothing here
is needed to build, run or test vernier. publish_charts_pix2struct.py makes the checkpoint.

    python tools/train/draw_pool.py --out POOL --shards 0:40 &
    python tools/train/train_charts_pix2struct.py --pool POOL --state STATE --steps 8000
"""
import argparse
import time
from pathlib import Path

import torch
from chart_batches import ChartBatches, collate, held_out_questions
from chart_inputs import check_against_the_processor
from chart_model import (
    GuideHeads,
    answer,
    encode,
    make_model,
    pairing_loss,
    teacher_forced_loss,
)
from chart_tokenizer import make_tokenizer

VALIDATION_SEEDS = range(5000, 5100)
TABLE_SHARE = (0.45, 0.1)  # of the questions, at the first step and the last
GUIDE_WEIGHT = (3.0, 3.0)  # of the loss on what stands where, likewise
POINTING_WEIGHT = (1.0, 0.2)  # of the loss on where answers come from, likewise


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=8000, help="the whole schedule")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1.5e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2026)
    return parser.parse_args()


def between(ends, progress):
    return ends[0] + (ends[1] - ends[0]) * progress


def learning_rate(step, arguments):
    """Up for 300 steps, even, and down to nothing over the last tenth: until then, going on for more
    steps than was planned at first costs nothing."""
    left = (arguments.steps - step) / (0.1 * arguments.steps)
    return arguments.learning_rate * min((step + 1) / 300, 1.0, left)


def make_optimizer(modules, arguments):
    weights = [weight for module in modules for weight in module.parameters()]
    groups = [
        {"params": [weight for weight in weights if weight.dim() > 1], "weight_decay": 0.02},
        {"params": [weight for weight in weights if weight.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=arguments.learning_rate, betas=(0.9, 0.98))


@torch.inference_mode()
def validate(model, tokenizer, questions):
    """Exact matches by kind of question, as '12/14'."""
    right, asked = {}, {}
    for batch in collate(questions, tokenizer, 64):
        texts = tokenizer.batch_decode(answer(model, batch), skip_special_tokens=True)
        for kind, text, expected in zip(batch["kind"], texts, batch["answer"]):
            asked[kind] = asked.get(kind, 0) + 1
            right[kind] = right.get(kind, 0) + (text == expected)
    total = sum(right.values()) / sum(asked.values())
    parts = "  ".join(f"{kind} {right[kind]}/{asked[kind]}" for kind in asked)
    return f"validation {100 * total:.1f} %  {parts}"


def save(state, folder, modules, optimizer, step):
    part = folder / "state.part"
    torch.save(
        {
            "step": step,
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
    tokenizer = make_tokenizer()
    model = make_model(len(tokenizer))
    guides = GuideHeads(model.config.vision_config.hidden_size)
    optimizer = make_optimizer([model, guides], arguments)
    state, first = arguments.state / "state.pt", 0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        for module, values in zip([model, guides], kept["modules"]):
            module.load_state_dict(values)
        if "optimizer" in kept:  # not in a state whose modules were changed by hand
            optimizer.load_state_dict(kept["optimizer"])
        first = kept["step"]

    questions = held_out_questions(VALIDATION_SEEDS, each=4, seed=arguments.seed)
    largest = check_against_the_processor(
        [question.picture for question in questions[:40]], [q.text for q in questions[:40]]
    )
    print(f"inputs differ from the processor's by at most {largest:.1e}", flush=True)
    if largest > 1e-4:
        raise SystemExit("the model would be trained on other inputs than it is used with")

    batches = ChartBatches(arguments.pool, tokenizer, arguments.batch, arguments.seed + first)
    loader = iter(torch.utils.data.DataLoader(batches, None, num_workers=1, prefetch_factor=8))
    started, saved, losses = time.monotonic(), time.monotonic(), []
    for step in range(first, arguments.steps):
        progress = step / arguments.steps
        batches.table_share.value = between(TABLE_SHARE, progress)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, arguments)
        batch = next(loader)
        hidden, memory = encode(model, batch["patches"])
        loss, pointing = teacher_forced_loss(model, memory, batch)
        guide = guides(hidden, memory, batch["marks"])
        optimizer.zero_grad()
        weighted = between(GUIDE_WEIGHT, progress) * guide
        pairing = pairing_loss(model, hidden, batch["pairs"])
        weighted += between(POINTING_WEIGHT, progress) * (pointing + pairing)
        (loss + weighted).backward()
        torch.nn.utils.clip_grad_norm_([*model.parameters(), *guides.parameters()], 1.0)
        optimizer.step()
        losses.append([part.item() for part in (loss, guide, pointing, pairing)])
        if step % 50 == 49:
            mean = torch.tensor(losses).mean(0).tolist()
            speed = (step + 1 - first) * arguments.batch / (time.monotonic() - started)
            names = ("loss", "guide", "pointing", "pairing")
            parts = "  ".join(f"{name} {value:.3f}" for name, value in zip(names, mean))
            print(f"{step + 1:6d}  {parts}  {speed:.0f}/s", flush=True)
            losses = []
        if step % 500 == 499:
            print(validate(model, tokenizer, questions), flush=True)
        if time.monotonic() - saved > 150 or step + 1 == arguments.steps:
            save(state, arguments.state, [model, guides], optimizer, step + 1)
            saved = time.monotonic()


if __name__ == "__main__":
    main()
