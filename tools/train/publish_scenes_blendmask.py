#!/usr/bin/env python3
"""Makes the shipped checkpoint folder from the training's state: weights, held-out scenes, figures.

    python tools/train/publish_scenes_blendmask.py --state STATE --out models/scenes-blendmask

Every figure comes from the files as published: weights and settings read again, pictures decoded
from their JPEGs, judged by pycocotools.
"""

import argparse
import json
import platform
import shutil
from pathlib import Path

import numpy as np
import skimage
import torch
import torchvision
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file
from scene_model import CONFIG, BlendMask, detect
from scene_scores import annotations, results, statistics
from scenes import CLASSES, HELD_OUT_PHOTOGRAPHS, PHOTOGRAPHS, SIZE, held_out_scene

HELD_OUT_SEEDS = range(50)
JPEG_QUALITY = 92


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("models/scenes-blendmask"))
    parser.add_argument(
        "--vernier",
        default="not counted yet",
        help="for the card: what `vernier eval` counted on these files, as 'f32 0.91'",
    )
    parser.add_argument(
        "--note", default="", help="for the card: what was changed while it trained, in sentences"
    )
    return parser.parse_args()


def write_checkpoint(folder, state):
    model = BlendMask()
    model.load_state_dict(state["model"])
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    with open(folder / "config.yaml", "w") as out:
        yaml.safe_dump(CONFIG, out, default_flow_style=None, sort_keys=False)
    (folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")


def write_held_out(folder):
    """The pictures, and annotations.json in COCO's form."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "jpg").mkdir(parents=True)
    scenes = [held_out_scene(seed) for seed in HELD_OUT_SEEDS]
    names = [f"{index:02d}.jpg" for index in range(len(scenes))]
    for name, scene in zip(names, scenes):
        picture = Image.fromarray(scene.picture)
        picture.save(folder / "jpg" / name, quality=JPEG_QUALITY, subsampling=0)
    truth = annotations(scenes, names)
    parts = (
        f' "{key}": [\n  ' + ",\n  ".join(map(json.dumps, truth[key])) + "\n ]" for key in truth
    )
    (folder / "annotations.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")
    return truth


def find(folder, truth):
    """Detections of the published files, picture by picture, as COCO's results."""
    if yaml.safe_load((folder / "config.yaml").read_text()) != CONFIG:
        raise SystemExit(f"{folder}/config.yaml does not read back as it was written")
    model = BlendMask().eval()
    model.load_state_dict(load_file(folder / "model.safetensors"))
    found = []
    for image in truth["images"]:
        picture = np.asarray(Image.open(folder / "test/jpg" / image["file_name"]).convert("RGB"))
        found += detect(model, picture[None])
    rows = results(found)
    lines = ",\n ".join(map(json.dumps, rows))
    (folder / "test/reference_results.json").write_text(f"[\n {lines}\n]\n")
    return model, rows


def by_class(truth, rows):
    """Mask AP50 of each class alone."""
    parts = []
    for index, name in enumerate(CLASSES):
        only = {
            **truth,
            "annotations": [row for row in truth["annotations"] if row["category_id"] == index],
            "categories": [truth["categories"][index]],
        }
        mine = [row for row in rows if row["category_id"] == index]
        parts.append(f"{name} {statistics(only, mine)['segm'][1]:.3f}")
    return "; ".join(parts)


def write_card(folder, arguments, model, truth, rows, state):
    figures = statistics(truth, rows)
    card = (Path(__file__).parent / "scenes_blendmask_card.md").read_text()
    card = card.format(
        mask50=figures["segm"][1],
        mask=figures["segm"][0],
        box50=figures["bbox"][1],
        box=figures["bbox"][0],
        by_class=by_class(truth, rows),
        vernier=arguments.vernier,
        parameters=sum(weight.numel() for weight in model.parameters()),
        pictures=len(truth["images"]),
        shapes=len(truth["annotations"]),
        found=len(rows),
        classes=", ".join(CLASSES),
        size=SIZE,
        photographs=", ".join(PHOTOGRAPHS),
        held_out=", ".join(HELD_OUT_PHOTOGRAPHS),
        steps=state["step"],
        minutes=round(state["seconds"] / 60),
        note=arguments.note and arguments.note + " ",
        python=platform.python_version(),
        torch=torch.__version__.split("+")[0],
        torchvision=torchvision.__version__.split("+")[0],
        skimage=skimage.__version__,
    )
    (folder / "README.md").write_text(card)
    return figures


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    state = torch.load(arguments.state / "state.pt", weights_only=True)
    write_checkpoint(arguments.out, state)
    truth = write_held_out(arguments.out / "test")
    model, rows = find(arguments.out, truth)
    figures = write_card(arguments.out, arguments, model, truth, rows, state)
    print(f"mask AP50 {figures['segm'][1]:.3f}, box AP50 {figures['bbox'][1]:.3f}")


if __name__ == "__main__":
    main()
