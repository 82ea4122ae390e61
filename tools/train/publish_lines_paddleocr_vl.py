#!/usr/bin/env python3
"""Makes the shipped checkpoint folder from the training's state: weights, held-out lines, figures.

    python tools/train/publish_lines_paddleocr_vl.py --state STATE --out models/lines-paddleocr-vl

Every figure comes from the files as published: weights read again, pictures decoded from their
PNGs, inputs by the reference's processor, texts by transformers' generate.
"""

import argparse
import json
import platform
import shutil
from pathlib import Path

import PIL
import torch
import transformers
from line_model import MERGE, PATCH, make_model, patches
from line_tokenizer import AFTER, BEFORE, PLACEHOLDER, TASK, write_json, write_tokenizer
from lines import FONTS, HEIGHT, HELD_OUT_FONTS, WIDEST, held_out_line
from PIL import Image
from train_lines_paddleocr_vl import edit_distance
from transformers import PaddleOCRVLForConditionalGeneration, PaddleOCRVLProcessor

HELD_OUT_SEEDS = range(100)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("models/lines-paddleocr-vl"))
    parser.add_argument(
        "--vernier",
        default="not counted yet",
        help="for the card: what `vernier eval` counted on these files, as 'f32 3.2 %%'",
    )
    parser.add_argument(
        "--note", default="", help="for the card: what was changed while it trained, in sentences"
    )
    return parser.parse_args()


def write_checkpoint(folder, state):
    model = make_model()
    model.load_state_dict(state["modules"][0])
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    write_tokenizer(folder)
    write_json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "PaddleOCRVLImageProcessor",
            "processor_class": "PaddleOCRVLProcessor",
            "do_convert_rgb": True,
            "do_resize": True,
            "do_rescale": True,
            "do_normalize": True,
            "resample": 3,
            "rescale_factor": 1 / 255,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "patch_size": PATCH,
            "temporal_patch_size": 1,
            "merge_size": MERGE,
            "min_pixels": HEIGHT * HEIGHT,
            "max_pixels": HEIGHT * 2 * WIDEST,
        },
    )


def write_held_out(folder):
    """The pictures, and labels.jsonl, as `vernier eval` reads it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "png").mkdir(parents=True)
    lines = [held_out_line(seed) for seed in HELD_OUT_SEEDS]
    with open(folder / "labels.jsonl", "w") as out:
        for index, line in enumerate(lines):
            name = f"png/{index:02d}.png"
            Image.fromarray(line.picture).save(folder / name, optimize=True)
            out.write(json.dumps({"image": name, "answer": line.text}) + "\n")
    return lines


@torch.inference_mode()
def read_lines(folder, lines):
    """[(text, ids, smallest margin of a chosen score)] of the published files, one at a time."""
    model = PaddleOCRVLForConditionalGeneration.from_pretrained(folder).eval()
    processor = PaddleOCRVLProcessor.from_pretrained(folder)
    content = [{"type": "image"}, {"type": "text", "text": TASK}]
    prompt = processor.apply_chat_template(
        [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
    )
    found, largest = [], 0.0
    for index, line in enumerate(lines):
        picture = Image.open(folder / f"test/png/{index:02d}.png")
        inputs = processor(text=[prompt], images=[picture], return_tensors="pt")
        ids = inputs["input_ids"][0].tolist()
        if [index for index in ids if index != PLACEHOLDER] != BEFORE + AFTER:
            raise SystemExit("the tokenizer cuts the prompt otherwise than in training")
        own = patches(line.picture[None])[0]
        largest = max(largest, (inputs["pixel_values"].flatten(1) - own).abs().max().item())
        start = inputs["input_ids"].shape[1]
        out = model.generate(
            **inputs, do_sample=False, output_scores=True, return_dict_in_generate=True
        )
        top_two = torch.stack([scores[0].topk(2).values for scores in out.scores])
        ids = out.sequences[0, start:].tolist()
        text = processor.tokenizer.decode(ids, skip_special_tokens=True)
        found.append((text, ids, (top_two[:, 0] - top_two[:, 1]).min().item()))
    if largest > 1e-5:
        raise SystemExit(f"inputs differ from the processor's by {largest}")
    return found


def write_reference(folder, found):
    rows = [
        json.dumps({"image": f"png/{index:02d}.png", "text": text, "ids": ids})
        for index, (text, ids, _) in enumerate(found)
    ]
    (folder / "test/reference_texts.json").write_text("[\n" + ",\n".join(rows) + "\n]\n")


def error_rate(lines, found, chosen):
    """Edits and characters of the chosen lines, as text."""
    pairs = [(lines[index].text, found[index][0]) for index in chosen]
    wrong = sum(edit_distance(text, read) for text, read in pairs)
    total = sum(len(text) for text, _ in pairs)
    return f"{100 * wrong / total:.2f} %", wrong, total


def write_card(folder, arguments, lines, found, state):
    every = range(len(lines))
    wrong = [
        f"- `{index:02d}.png` {lines[index].text} → {found[index][0] or 'nothing'}"
        for index in every
        if found[index][0] != lines[index].text
    ]
    model = PaddleOCRVLForConditionalGeneration.from_pretrained(folder)
    vision, text = model.config.vision_config, model.config.text_config
    rate, edits, total = error_rate(lines, found, every)
    card = (Path(__file__).parent / "lines_paddleocr_vl_card.md").read_text()
    card = card.format(
        rate=rate,
        edits=edits,
        characters=total,
        right=len(lines) - len(wrong),
        total=len(lines),
        vernier=arguments.vernier,
        known=error_rate(lines, found, [i for i in every if i % 4 != 3])[0],
        unknown=error_rate(lines, found, [i for i in every if i % 4 == 3])[0],
        new_words=error_rate(lines, found, [i for i in every if i % 2])[0],
        smallest_margin=min(margin for *_, margin in found),
        wrong="\n".join(wrong) or "- none",
        parameters=model.num_parameters(),
        layers=vision.num_hidden_layers,
        width=vision.hidden_size,
        text_layers=text.num_hidden_layers,
        text_width=text.hidden_size,
        fonts=len(FONTS),
        held_out_fonts=", ".join(HELD_OUT_FONTS),
        steps=state["step"],
        minutes=round(state["seconds"] / 60),
        note=arguments.note and arguments.note + " ",
        python=platform.python_version(),
        torch=torch.__version__.split("+")[0],
        transformers=transformers.__version__,
        pillow=PIL.__version__,
    )
    (folder / "README.md").write_text(card)
    return rate


def main():
    arguments = parse_arguments()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    state = torch.load(arguments.state / "state.pt", weights_only=True)
    write_checkpoint(arguments.out, state)
    lines = write_held_out(arguments.out / "test")
    found = read_lines(arguments.out, lines)
    write_reference(arguments.out, found)
    print(write_card(arguments.out, arguments, lines, found, state), "of the characters wrong")


if __name__ == "__main__":
    main()
