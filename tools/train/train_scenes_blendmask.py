#!/usr/bin/env python3
"""Trains the small BlendMask that the repository ships, on scenes that it draws.

Writes its state to a folder every few minutes; started again, it goes on from there. The schedule
ends by the clock, so that a shared machine gives the best it can until then. Nothing here is
needed to build, run or test vernier. publish_scenes_blendmask.py makes the checkpoint.

    python tools/train/train_scenes_blendmask.py --state STATE --minutes 60
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from scene_losses import losses
from scene_model import BlendMask, detect, normalised
from scene_scores import average_precision
from scenes import draw_scene

VALIDATION_SEED, VALIDATION_SCENES = 900_000, 60


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60, help="of training, all runs together")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--f32", action="store_true", help="no bfloat16 in the convolutions")
    return parser.parse_args()


class SceneBatches(torch.utils.data.IterableDataset):
    """Endless batches of new scenes."""

    def __init__(self, size, seed):
        self.size, self.seed = size, seed

    def __iter__(self):
        torch.set_num_threads(1)
        random = np.random.default_rng(self.seed)
        while True:
            yield gathered([draw_scene(random) for _ in range(self.size)])


def gathered(scenes):
    return (
        normalised(np.stack([scene.picture for scene in scenes])),
        [torch.from_numpy(scene.boxes()) for scene in scenes],
        torch.from_numpy(np.concatenate([scene.classes for scene in scenes])),
        torch.from_numpy(np.concatenate([scene.masks for scene in scenes])),
    )


def rate(step, progress, arguments):
    """Up for 100 steps, even, and down to nothing over the last two fifths of the time."""
    return arguments.learning_rate * min((step + 1) / 100, 1.0, max(0.0, 1 - progress) / 0.4)


def validate(model, scenes):
    model.eval()
    found = []
    for start in range(0, len(scenes), 20):
        found += detect(model, np.stack([scene.picture for scene in scenes[start : start + 20]]))
    model.train()
    box, mask = average_precision(scenes, found)
    return f"validation box AP50 {box:.3f}, mask AP50 {mask:.3f}"


def save(state, model, optimizer, step, spent):
    part = state.with_suffix(".part")
    kept = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save({**kept, "step": step, "seconds": spent}, part)
    part.rename(state)


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    arguments.state.mkdir(parents=True, exist_ok=True)
    model = BlendMask().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        model.parameters(), arguments.learning_rate, (0.9, 0.98), weight_decay=0.01, fused=True
    )
    state, first, before = arguments.state / "state.pt", 0, 0.0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        first, before = kept["step"], kept["seconds"]
    random = np.random.default_rng(VALIDATION_SEED)
    scenes = [draw_scene(random) for _ in range(VALIDATION_SCENES)]

    batches = SceneBatches(arguments.batch, arguments.seed + first)
    loader = iter(torch.utils.data.DataLoader(batches, None, num_workers=1, prefetch_factor=8))
    started = saved = time.monotonic()
    step, recent = first, []
    while True:
        spent = before + time.monotonic() - started
        progress = spent / (60 * arguments.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate(step, progress, arguments)
        pictures, boxes, classes, masks = next(loader)
        pictures = pictures.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=not arguments.f32):
            parts = losses(model, pictures, boxes, classes, masks)
        optimizer.zero_grad()
        sum(parts).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        step += 1
        recent.append([part.item() for part in parts])
        if step % 50 == 0:
            mean = torch.tensor(recent).mean(0).tolist()
            named = zip(("class", "box", "centre", "mask"), mean)
            shown = "  ".join(f"{name} {value:.3f}" for name, value in named)
            speed = (step - first) * arguments.batch / (time.monotonic() - started)
            print(f"{step:6d} {100 * progress:4.1f} %  {shown}  {speed:.1f}/s", flush=True)
            recent = []
        if step % 500 == 0:
            print(validate(model, scenes), flush=True)
        if time.monotonic() - saved > 150:
            save(state, model, optimizer, step, spent)
            saved = time.monotonic()
    save(state, model, optimizer, step, 60 * arguments.minutes)
    print(validate(model, scenes), flush=True)


if __name__ == "__main__":
    main()
